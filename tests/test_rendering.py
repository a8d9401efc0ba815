"""A list becomes files: several at once, each made once, one that fails alone; faded, levelled, lettered as asked."""

import subprocess
import sys
import threading
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.errors import InputError, Stopped, UnknownName
from backend.exports.rendering import RenderOptions, render_list, rendered_path
from backend.media.crop import CropPath
from backend.media.lines import Line
from tests.films import SAMPLE_RATE_HZ, damaged, make_film, read_film, run_ffmpeg
from tests.rendering import list_of, loudness_of, running, slow_film, source_of

PLAIN = RenderOptions()
SMALL: dict[str, Any] = {"size": (160, 90)}


def frames_of(clip: Path) -> NDArray[np.float64]:
    """All pictures, grey [frames, height, width]."""
    with av.open(str(clip)) as container:
        return np.array([frame.to_ndarray(format="gray") for frame in container.decode(video=0)], np.float64)


def film_with(folder: Path, sound: NDArray[np.float64], name: str = "film") -> Path:
    """A film of 25 frames a second with this sound, -1 … 1 at 48 kHz."""
    folder.mkdir(exist_ok=True)
    picture = make_film(folder / "picture.mp4", round(len(sound) / SAMPLE_RATE_HZ * 25), clicks_s=None, **SMALL)
    with wave.open(str(folder / "sound.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.repeat(sound[:, None], 2, axis=1) * 32767).astype("<i2").tobytes())
    film = folder / f"{name}.mov"
    run_ffmpeg("-i", picture, "-i", folder / "sound.wav", "-c:v", "copy", "-c:a", "pcm_s16le", film)
    return film


def tone(seconds: float, height: float) -> NDArray[np.float64]:
    return height * np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)


def test_options_are_json_and_nonsense_is_refused() -> None:
    options = RenderOptions("reels", 0.5, -14.0, "burnt", 12)
    assert RenderOptions.from_json(options.as_json()) == options
    assert RenderOptions.from_json({}) == PLAIN
    with pytest.raises(UnknownName, match="original, reels, square, wide"):
        RenderOptions.from_json({"shape": "round"})
    for wrong in ({"colour": 1}, {"fade_s": -1}, {"fade_s": float("nan")}, {"handles": -1}, {"loudness": 3.0}):
        with pytest.raises(InputError):
            RenderOptions.from_json(wrong)
    with pytest.raises(InputError, match="no options"):
        RenderOptions.from_json({"fade_s": "long"})


def test_each_clip_is_made_once(tmp_path: Path) -> None:
    source = source_of(make_film(tmp_path / "film.mp4", 60, **SMALL))
    out = tmp_path / "out"
    first = render_list(list_of(source, (0, 20), (20, 40), (0, 20)), PLAIN, out)
    paths = [each.path for each in first]
    assert paths[0] == paths[2] != paths[1]
    assert sorted(out.iterdir()) == sorted({path for path in paths if path})
    made_ns = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    again = render_list(list_of(source, (40, 60), (20, 40)), PLAIN, out)
    assert again[1].path == paths[1]
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()}.items() > made_ns.items()
    assert len(list(out.iterdir())) == 3


def test_the_name_of_a_file_says_what_is_in_it(tmp_path: Path) -> None:
    """What changes the picture or the sound changes the name, and nothing else does."""
    source = source_of(make_film(tmp_path / "film.mp4", 60, **SMALL))
    clip = list_of(source, (10, 30)).clips[0]
    said = replace(clip, lines=(Line(0.5, 0.7, "So."),))
    crop = CropPath(np.array([0.0, 0.8]), np.array([0.4, 0.4]))
    burnt = replace(PLAIN, subtitles="burnt")
    different = [
        rendered_path(tmp_path, clip, PLAIN),
        rendered_path(tmp_path, replace(clip, end_frame=31), PLAIN),
        rendered_path(tmp_path, replace(clip, source=replace(source, sha256="another")), PLAIN),
        rendered_path(tmp_path, replace(clip, source=replace(source, audio_track=1)), PLAIN),
        rendered_path(tmp_path, said, burnt),
        rendered_path(tmp_path, replace(clip, lines=(Line(0.5, 0.7, "No."),)), burnt),
        rendered_path(tmp_path, clip, PLAIN, crop),
        *(
            rendered_path(tmp_path, clip, options)
            for options in (
                replace(PLAIN, shape="wide"),
                replace(PLAIN, fade_s=1),
                replace(PLAIN, loudness=-14),
                replace(PLAIN, handles=2),
            )
        ),
    ]
    assert len(set(different)) == len(different)
    for same, options in (
        (said, PLAIN),
        (said, replace(PLAIN, subtitles="sidecar")),
        (clip, burnt),
        (replace(clip, name="x", key="y", score=0.5), PLAIN),
        (replace(clip, start_frame=12, end_frame=28), replace(PLAIN, handles=2)),
        (replace(clip, source=replace(source, path="/elsewhere/film.mp4")), PLAIN),
    ):
        assert rendered_path(tmp_path, same, options) == different[0]


def test_a_clip_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 60, **SMALL)
    source = source_of(film)
    gone = replace(source, path=str(tmp_path / "gone.mp4"), sha256="gone")
    clips = list(list_of(source, (0, 20), (20, 40), (30, 50), (40, 60)).clips)
    clips[0] = replace(clips[0], source=gone)
    clips[1] = replace(clips[1], blocked=("Its film is under embargo until 2027-01-01.",))
    clips[2] = replace(clips[2], end_frame=500, source=replace(source, frames=500))
    asked = replace(list_of(source, (0, 1)), clips=tuple(clips))
    rendered = render_list(asked, PLAIN, tmp_path / "out")
    assert "gone.mp4" in rendered[0].problem
    assert rendered[1].problem == "Its film is under embargo until 2027-01-01."
    assert "has 60 frames" in rendered[2].problem
    assert rendered[3].path
    assert read_film(rendered[3].path).numbers == tuple(range(40, 60))
    assert len(list((tmp_path / "out").iterdir())) == 1


LIMITED = """
import resource, sys
from pathlib import Path
from backend.exports.rendering import RenderOptions, render_list
from tests.rendering import list_of, source_of
resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))
film, out = map(Path, sys.argv[1:])
for each in render_list(list_of(source_of(film), (0, 90), (90, 93)), RenderOptions(), out):
    print(each.problem or each.path.name)
"""


def test_what_ffmpeg_says_is_passed_on(tmp_path: Path) -> None:
    """No file may be larger than 8 kB: one clip is, and ffmpeg says so; the other is rendered."""
    film, out = make_film(tmp_path / "film.mp4", 100, size=(640, 360), clicks_s=None), tmp_path / "out"
    command = [sys.executable, "-c", LIMITED, str(film), str(out)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].startswith("Cannot write")
    assert "ffmpeg" in said[0]
    assert [path.name for path in out.iterdir()] == [said[1]]


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slow_film(tmp_path_factory.mktemp("slow"))


def test_cancelled_at_once_and_gone_on_with_later(slow: Path, tmp_path: Path) -> None:
    source, out = source_of(slow, frames=1500), tmp_path / "out"
    (done,) = render_list(list_of(source, (0, 5)), PLAIN, out)
    asked = list_of(source, (0, 5), (0, 1400), (50, 1450), (100, 1500))
    shares: list[float] = []
    told = threading.current_thread()

    def progress(share: float) -> None:
        assert threading.current_thread() is told
        shares.append(share)

    def cancelled() -> bool:
        return shares[-1:] > [0.01]

    with pytest.raises(Stopped):
        render_list(asked, PLAIN, out, progress=progress, cancelled=cancelled)
    assert str(tmp_path) not in running()
    assert list(out.iterdir()) == [done.path], "nothing half done, and what was finished stays"
    assert shares == sorted(shares)

    shares.clear()
    (again,) = render_list(list_of(source, (0, 5)), PLAIN, out, progress=progress)
    assert again.path == done.path
    assert shares == [1.0]


def test_fades_of_picture_and_sound(tmp_path: Path) -> None:
    film = film_with(tmp_path / "made", tone(4, 0.3))
    for fade_s in (0.4, 9.0):  # the second is longer than the clip: it rises to its middle and falls
        (made,) = render_list(list_of(source_of(film), (25, 75)), RenderOptions(fade_s=fade_s), tmp_path / "out")
        assert made.path
        light = frames_of(made.path)[:, :20].mean(axis=(1, 2))
        assert light[0] < 18
        assert light[-1] < 0.25 * light[25]
        sound = samples(made.path)
        loud = np.sqrt((sound[: 2 * SAMPLE_RATE_HZ].reshape(100, -1) ** 2).mean(axis=1))
        assert loud[0] < 0.1 * loud[50]
        assert loud[-1] < 0.1 * loud[50]
        if fade_s < 1:
            assert np.ptp(light[10:40]) < 2
            assert np.ptp(loud[22:78]) < 0.02


def samples(clip: Path) -> NDArray[np.float64]:
    """The first channel."""
    with av.open(str(clip)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]).astype(np.float64)


def test_loudness_is_what_was_asked(tmp_path: Path) -> None:
    """A quiet tone; a loud one; swells whose peaks must be held, and short ones; what is hardly anything stays."""
    at_s = np.arange(6 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    swell = tone(6, 0.55) * (0.002 + np.exp(-((at_s % 1 - 0.5) ** 2) / 0.0004))
    short = tone(6, 0.8) * (0.03 + np.exp(-((at_s % 1 - 0.5) ** 2) / 0.0001))
    for name, sound in {"quiet": tone(6, 0.02), "loud": tone(6, 0.9), "swells": swell, "short": short}.items():
        film = film_with(tmp_path / name, sound, name)
        (made,) = render_list(list_of(source_of(film), (20, 130)), RenderOptions(loudness=-14.0), tmp_path / "out")
        assert made.path, made.problem
        integrated, peak = loudness_of(made.path)
        assert integrated == pytest.approx(-14, abs=1 if name == "short" else 0.5), name
        assert peak <= -1, name
    film = film_with(tmp_path / "hiss", 0.0005 * np.random.default_rng(0).standard_normal(4 * SAMPLE_RATE_HZ), "hiss")
    before = loudness_of(film)[0]
    (made,) = render_list(list_of(source_of(film), (0, 100)), RenderOptions(loudness=-14.0), tmp_path / "out")
    assert made.path
    assert loudness_of(made.path)[0] < before + 1


@pytest.mark.parametrize("clicks_s", [None, ()], ids=["no sound", "silence"])
def test_there_may_be_nothing_to_hear(clicks_s: Any, tmp_path: Path) -> None:
    source = source_of(make_film(tmp_path / "film.mp4", 50, clicks_s=clicks_s, **SMALL))
    options = RenderOptions(loudness=-14.0, fade_s=0.2)
    rendered = render_list(list_of(source, (0, 50), (7, 9), (49, 50)), options, tmp_path / "out")
    assert [each.problem for each in rendered] == [""] * 3


def test_held_peaks_stay_in_sync(tmp_path: Path) -> None:
    """Clicks over a low tone: where the limiter holds them they are still where they were."""
    sound = tone(4, 0.01)
    clicks_s = np.arange(0.3, 4, 0.5)
    for second in clicks_s:
        at = round(second * SAMPLE_RATE_HZ)
        sound[at : at + 240] += 0.8 * np.sin(2 * np.pi * 2000 * np.arange(240) / SAMPLE_RATE_HZ)
    film = film_with(tmp_path / "made", sound)
    (made,) = render_list(list_of(source_of(film), (25, 100)), RenderOptions(loudness=-14.0), tmp_path / "out")
    assert made.path
    loud = np.abs(samples(made.path)) > 0.5
    starts = np.flatnonzero(loud[1:] & ~loud[:-1]) / SAMPLE_RATE_HZ
    found = starts[np.concatenate(([True], np.diff(starts) > 0.1))]
    assert np.allclose(found, clicks_s[clicks_s > 1] - 1, atol=0.003)


HOSTILE = (
    "It's \"100%\": [a];b=c,'d'\\N{\\an8}{\\pos(0,0)}",
    "\\",
    "{in braces}",
    "',fade=out:0:1[x];[x]null",
    "Ünï Ελλ Рус 😀 שלום (1) مرحبا",
    "日本語 " * 30,
    "a\r\n\n--> b\x00\x1b[31m\ud800",
)


@pytest.mark.parametrize("bare", [False, True], ids=["as it is", "a machine without fonts"])
def test_lines_are_burnt_in(bare: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is seen while it is said, at the foot of the picture, whatever is in it; the film's own font is used."""
    if bare:
        # A file that is missing would not do: fontconfig then looks where fonts usually are.
        (tmp_path / "fonts.conf").write_text(f"<fontconfig><cachedir>{tmp_path}/cache</cachedir></fontconfig>")
        monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    folder = tmp_path / "a'b:c,d[e];\\f é"
    folder.mkdir()
    film = make_film(folder / "film.mp4", 100, size=(320, 180), clicks_s=None)
    lines = tuple(Line(1 + 0.4 * n, 1.2 + 0.4 * n, text) for n, text in enumerate(HOSTILE))
    asked = list_of(source_of(film), (20, 100), lines=lines)
    plain, burnt = (
        render_list(asked, RenderOptions(subtitles=how), folder / "out")[0].path for how in ("none", "burnt")
    )
    assert plain
    assert burnt
    # Behind the first line, before the second, and so on: five frames each.
    changed = np.abs(frames_of(burnt) - frames_of(plain))[:, :, 40:280] > 60
    for number in range(len(HOSTILE)):
        on, off = changed[6 + 10 * number : 9 + 10 * number], changed[11 + 10 * number : 14 + 10 * number]
        assert on[:, 135:].sum(axis=(1, 2)).min() >= 2, HOSTILE[number]
        assert not off.any(), HOSTILE[number]
    assert not changed[:, :45].any(), "no line is moved to the top"
    assert read_film(burnt).numbers == tuple(range(20, 100))


def test_the_chosen_track_is_heard(tmp_path: Path) -> None:
    one = film_with(tmp_path / "one", tone(2, 0.4))
    other = film_with(tmp_path / "other", tone(2, 0.02))
    both = tmp_path / "both.mov"
    run_ffmpeg("-i", one, "-i", other, "-map", "0", "-map", "1:a", "-c", "copy", both)
    loud = []
    for track in (0, 1):
        (made,) = render_list(list_of(source_of(both, audio_track=track), (0, 50)), PLAIN, tmp_path / "out")
        assert made.path
        loud.append(loudness_of(made.path)[0])
    assert loud[0] - loud[1] == pytest.approx(26, abs=1)
    (none,) = render_list(list_of(source_of(both, audio_track=2), (0, 50)), PLAIN, tmp_path / "out")
    assert "no audio track 2" in none.problem


def test_what_a_damaged_film_does_not_give_is_said(tmp_path: Path) -> None:
    """A clip that lacks frames says so, also when it was made before; one without any is none, in ffmpeg's words."""
    film = damaged(make_film(tmp_path / "film.mp4", 120, gop=12, **SMALL), 36, 84)
    asked, out = list_of(source_of(film, frames=120), (0, 20), (24, 48), (40, 80), (96, 120)), tmp_path / "out"
    for _ in range(2):
        whole, short, none, last = render_list(asked, PLAIN, out)
        assert (whole.remark, last.remark) == ("", "")
        assert short.path
        has = len(read_film(short.path).numbers)
        assert 0 < has < 24
        assert short.remark.startswith(f"It has {has} of 24 frames, since the film's file 'damaged.mp4' is damaged ")
        assert none.path is None
        assert "'damaged.mp4': no frame between 1.6 and 3.2 s can be decoded; ffmpeg says" in none.problem


@pytest.mark.parametrize(("nits", "luma"), [(203, (180, 235)), (50, (95, 150))], ids=["white", "a face"])
def test_hdr_is_as_bright_as_it_was_meant(nits: float, luma: tuple[int, int], tmp_path: Path) -> None:
    """What PQ says of light (SMPTE ST 2084): diffuse white, at 203 nits, is white and not grey."""
    power = (nits / 10_000) ** 0.1593017578125
    code = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    frame = np.full(160 * 90, round(64 + 876 * code), "<u2").tobytes() + np.full(160 * 90 // 2, 512, "<u2").tobytes()
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", "160x90", "-r", "25", "-i", "pipe:0")
    tags = ("-vf", "setparams=color_primaries=bt2020:colorspace=bt2020nc:color_trc=smpte2084:range=tv")
    film = tmp_path / "film.mp4"
    run_ffmpeg(*raw, *tags, "-c:v", "libx265", "-x265-params", "log-level=error", film, data=frame * 10)
    (made,) = render_list(list_of(source_of(film), (2, 8)), PLAIN, tmp_path / "out")
    assert made.path
    low, high = luma
    assert low <= frames_of(made.path).mean() <= high
