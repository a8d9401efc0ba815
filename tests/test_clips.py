"""Rendered clips leave as one archive, in pieces: names every system takes, subtitles beside, and what is in it."""

import io
import json
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import ExportRefused, OutputError
from backend.exports.base import ClipList
from backend.exports.clips import clip_names, clips_size, write_clips
from backend.exports.registry import exporter_named
from backend.exports.rendering import RenderOptions, render_list
from backend.exports.zipping import Packed, zipped, zipped_size
from backend.media.lines import Line
from tests.films import make_film, read_film
from tests.rendering import list_of, source_of

AT = datetime(2026, 11, 22, 3, 0, 2)  # noqa: DTZ001  ZIP knows no zones
NAMES = st.text(st.characters(), max_size=300)


def named(*names: str) -> ClipList:
    """A list of clips of no film in particular with these names."""
    from fractions import Fraction

    from backend.exports.base import Clip, Source

    source = Source("0" * 64, "Film.mp4", "/f.mp4", "/f.mp4", "Film", Fraction(25), 100)
    clips = tuple(Clip(str(n), source, 0, 10, name) for n, name in enumerate(names))
    return ClipList(1, "List", "Project", clips, source.rate)


def test_names_are_readable_and_in_order() -> None:
    assert clip_names(named("The chase", "Été: à 100%?", "東京 / 夜", "", "../../etc/passwd", "CON", "a" * 300)) == (
        "01_The_chase",
        "02_Été_à_100",
        "03_東京_夜",
        "04_Film",
        "05_etc_passwd",
        "06_CON",
        "07_" + "a" * 100,
    )
    many = clip_names(named(*["same"] * 120))
    assert (many[0], many[-1]) == ("001_same", "120_same")


@given(st.lists(NAMES, min_size=1, max_size=12))
def test_no_name_is_one_that_a_system_refuses(names: list[str]) -> None:
    made = clip_names(named(*names))
    assert len({name.casefold() for name in made}) == len(made)
    assert list(made) == sorted(made)
    for name in made:
        assert len(f"{name}.mp4".encode()) <= 120
        assert not set(name) & set('/\\:*?"<>|\x00\n\t ')
        assert name.isprintable() or any(letter.isalnum() for letter in name)
        assert not name.endswith((".", " ", "_"))


def read_zip(pieces: Any) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    return archive


@settings(max_examples=40)
@given(
    st.dictionaries(st.text("aé漢", min_size=1, max_size=8), st.binary(max_size=3000), max_size=6),
    st.sampled_from([1, 500, 4000, 0xFFFFFFFF]),
)
def test_any_archive_is_read_back(files: dict[str, bytes], large: int) -> None:
    """`large` lower than it is: what is true of 4 GiB is tried with some bytes."""
    packed = [Packed(name, content) for name, content in files.items()]
    data = b"".join(zipped(packed, AT, large))
    assert len(data) == zipped_size(packed, large)
    archive = read_zip([data])
    assert {info.filename: archive.read(info) for info in archive.infolist()} == files
    assert all(info.date_time == (2026, 11, 22, 3, 0, 2) for info in archive.infolist())
    assert all(info.compress_type == zipfile.ZIP_STORED and info.flag_bits == 0x800 for info in archive.infolist())


def test_many_files_are_read_back() -> None:
    packed = [Packed(str(number), b"") for number in range(66_000)]
    data = b"".join(zipped(packed, AT))
    assert len(data) == zipped_size(packed)
    assert len(zipfile.ZipFile(io.BytesIO(data)).infolist()) == 66_000


def test_it_goes_out_in_pieces(tmp_path: Path) -> None:
    """64 MiB of a file pass through a few of memory."""
    with (tmp_path / "big").open("wb") as file:
        file.truncate(64 << 20)
    packed = [Packed("big", tmp_path / "big")]
    tracemalloc.start()
    try:
        assert sum(map(len, zipped(packed, AT))) == zipped_size(packed)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_the_archive_of_a_list(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 60, size=(160, 90))
    lines = (Line(0.5, 1.0, "Who's <there>?"), Line(1.3, 9, "Nobody."))
    clips = list(list_of(source_of(film), (10, 30), (30, 50), (40, 60), lines=lines).clips)
    clips[1] = replace(clips[1], source=replace(clips[1].source, path="/nowhere/film.mp4", sha256="gone"))
    clips[2] = replace(clips[2], lines=())
    asked = replace(list_of(source_of(film), (0, 1)), clips=tuple(clips))
    options = RenderOptions(subtitles="sidecar", handles=2)
    rendered = render_list(asked, options, tmp_path / "out")
    data = b"".join(write_clips(asked, options, rendered))
    assert len(data) == clips_size(asked, options, rendered)
    assert data == b"".join(write_clips(asked, options, rendered)), "the same bytes each time"
    archive = read_zip([data])
    assert archive.namelist() == ["clips.json", "01_Clip_1.mp4", "01_Clip_1.srt", "01_Clip_1.vtt", "03_Clip_3.mp4"]
    assert archive.read("01_Clip_1.srt").decode().splitlines()[:3] == [
        "1",
        "00:00:00,180 --> 00:00:00,680",
        "Who's <there>?",
    ]
    assert b"Who's &lt;there&gt;?" in archive.read("01_Clip_1.vtt")
    archive.extract("03_Clip_3.mp4", tmp_path)
    assert read_film(tmp_path / "03_Clip_3.mp4").numbers == tuple(range(38, 60))

    said = json.loads(archive.read("clips.json"))
    assert (said["format"], said["version"], said["options"]) == ("selects.clips", 1, options.as_json())
    assert said["list"]["format"] == "selects.list"
    first, second, third = said["clips"]
    assert first["file"] == "01_Clip_1.mp4"
    assert first["subtitles"] == ["01_Clip_1.srt", "01_Clip_1.vtt"]
    assert (first["start_frame"], first["end_frame"], first["duration_s"]) == (8, 32, 0.96)
    assert second["file"] is None
    assert "film.mp4" in second["problem"]
    assert third["subtitles"] == []


def test_where_all_fail_there_is_no_archive(tmp_path: Path) -> None:
    source = replace(source_of(make_film(tmp_path / "film.mp4", 20, size=(160, 90))), path="/nowhere/film.mp4")
    asked = list_of(source, (0, 10))
    rendered = render_list(asked, RenderOptions(), tmp_path / "out")
    with pytest.raises(OutputError, match=r"film\.mp4"):
        write_clips(asked, RenderOptions(), rendered)


def test_the_format_renders_by_itself(tmp_path: Path) -> None:
    exporter = exporter_named("clips")
    source = source_of(make_film(tmp_path / "film.mp4", 60, size=(160, 90)))
    archive = read_zip(exporter.write(replace(list_of(source, (10, 30)), handles=3)))
    archive.extract("01_Clip_1.mp4", tmp_path)
    assert read_film(tmp_path / "01_Clip_1.mp4").numbers == tuple(range(7, 33))
    gone = list_of(replace(source, path="/nowhere/film.mp4"), (10, 30))
    (concern,) = exporter.concerns(gone)
    assert concern.stops
    with pytest.raises(ExportRefused, match="not there any more"):
        exporter.write(gone)
