"""What is said: subtitle files beside a film and tracks inside it, timed from the first frame of the picture."""

from pathlib import Path

import pytest

from backend.media.lines import Line
from backend.media.probe import probe_film
from backend.media.subtitles import MAX_SIDECAR_BYTES, read_dialogue
from tests.films import make_film, run_ffmpeg

SRT = """1
00:00:01,000 --> 00:00:02,500
Where are we?

2
00:00:03,250 --> 00:00:04,000
In <i>Zürich</i>,
I think.
"""
VTT = """WEBVTT

NOTE nobody says this

00:01.000 --> 00:02.500
Where are we?

00:03.250 --> 00:04.000 line:80%
In <i>Zürich</i>,
I think.
"""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,Where are we?
Dialogue: 0,0:00:03.25,0:00:04.00,Default,,0,0,0,,In {\\i1}Zürich{\\i0},\\NI think.
"""
FILES = {"srt": SRT, "vtt": VTT, "ass": ASS}
SAID = ((1.0, 2.5, "Where are we?"), (3.25, 4.0, "In Zürich, I think."))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of picture."""
    return make_film(tmp_path_factory.mktemp("bare") / "film.mkv", frames=125, size=(64, 36), clicks_s=None)


@pytest.fixture
def film(tmp_path: Path, bare: Path) -> Path:
    path = tmp_path / "film.mkv"
    path.write_bytes(bare.read_bytes())
    return path


def said(path: Path) -> tuple[Line, ...]:
    return read_dialogue(probe_film(path))


def check(lines: tuple[Line, ...], offset_s: float = 0.0) -> None:
    assert [line.text for line in lines] == [text for _, _, text in SAID]
    for line, (start_s, end_s, _) in zip(lines, SAID, strict=True):
        assert line.start_s == pytest.approx(start_s + offset_s, abs=0.011)
        assert line.end_s == pytest.approx(end_s + offset_s, abs=0.011)


def test_a_film_without_subtitles_says_nothing(film: Path) -> None:
    assert said(film) == ()


@pytest.mark.parametrize("name", ["film.{}", "film.en.{}", "film.De_DE.forced.{}"])
@pytest.mark.parametrize("kind", FILES)
def test_files_beside_the_film_are_read(film: Path, kind: str, name: str) -> None:
    film.with_name(name.format(kind)).write_text(FILES[kind])
    check(said(film))


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
def test_encodings_are_guessed(film: Path, kind: str, encoding: str) -> None:
    more = "Schöne Grüße aus Köln, meine Süße, das wäre großartig über Österreich"
    text = FILES[kind].replace("Where are we?", more)
    film.with_suffix(f".{kind}").write_bytes(text.encode(encoding))
    first, second = said(film)
    assert first.text == more
    assert second.text == SAID[1][2]


def test_lines_of_windows_files_are_lines(film: Path) -> None:
    film.with_suffix(".srt").write_bytes(SRT.replace("\n", "\r\n").encode())
    check(said(film))


@pytest.mark.parametrize("name", ["other.srt", "film2.srt", "film.txt", "afilm.srt"])
def test_files_of_other_films_are_not(film: Path, name: str) -> None:
    film.with_name(name).write_text(SRT)
    assert said(film) == ()


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"not a subtitle", b"\xff\xfe", b"1\n00:00:0"],
    ids=["empty", "zeros", "text", "mark", "cut"],
)
@pytest.mark.parametrize("kind", FILES)
def test_a_broken_file_is_passed_over(film: Path, kind: str, content: bytes) -> None:
    """And the next one counts."""
    film.with_name(f"film.a.{kind}").write_bytes(content)
    assert said(film) == ()
    film.with_name("film.b.srt").write_text(SRT)
    check(said(film))


def test_a_huge_file_and_a_folder_are_passed_over(film: Path) -> None:
    film.with_name("film.a.srt").write_bytes(SRT.encode() + b"\n" * MAX_SIDECAR_BYTES)
    film.with_name("film.b.srt").mkdir()
    assert said(film) == ()


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "srt"), ("mkv", "ass"), ("mp4", "mov_text")])
@pytest.mark.parametrize("start_s", [0.0, 2.0])
def test_tracks_in_the_film_count_from_the_first_frame(
    tmp_path: Path, bare: Path, suffix: str, codec: str, start_s: float
) -> None:
    script, path = tmp_path / "x.srt", tmp_path / f"film.{suffix}"
    script.write_text(SRT)
    late = ("-output_ts_offset", start_s) if start_s else ()
    run_ffmpeg("-i", bare, "-i", script, "-c:v", "copy", "-c:s", codec, *late, path)
    assert len(probe_film(path).subtitles) == 1
    check(said(path))


def test_the_file_beside_the_film_goes_before_the_track(tmp_path: Path, bare: Path) -> None:
    script, path = tmp_path / "x.srt", tmp_path / "film.mkv"
    script.write_text(SRT)
    run_ffmpeg("-i", bare, "-i", script, "-c:v", "copy", "-c:s", "srt", path)
    path.with_suffix(".srt").write_text(SRT.replace("Where are we?", "Here we are."))
    assert said(path)[0].text == "Here we are."


def test_a_real_file_is_found_by_its_film(films: Path) -> None:
    lines = said(films / "sintel_trailer_204p.mp4")
    assert len(lines) == 4
    assert (lines[1].start_s, lines[1].end_s) == (11.25, 15.5)
    assert lines[1].text == "What brings you to the land of the Gate Keepers?"
