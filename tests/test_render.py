"""Clips are cut frame-exactly and in sync, whatever the film; nothing is left behind where that fails."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from backend.errors import FilmUnreadable, OutputError
from backend.media.encode import why_failed
from backend.media.filters import clip_size
from backend.media.render import ClipRequest, clip_name, render_clip
from backend.media.source import Source, read_source
from backend.media.timeline import Timeline
from tests.films import make_film, read_film, timeline_of
from tests.rendering import running, slow_film
from tests.workers import wait_until

CLICKS_S = tuple(np.arange(0.25, 4, 0.5))
QUIET_X265 = ["-x265-params", "log-level=error"]
INTERLACED = ["-vf", "setfield=tff", "-flags", "+ildct+ilme"]
OPEN_GOP = ["-x264-params", "open-gop=1:bframes=3:b-pyramid=normal:keyint=30"]


def hdr(transfer: str) -> list[str]:
    """What marks the picture as HDR; only tags on the frames reach the file, not options of the encoder."""
    return ["-vf", f"setparams=color_primaries=bt2020:colorspace=bt2020nc:color_trc={transfer}", *QUIET_X265]


FILMS: dict[str, tuple[str, dict[str, Any]]] = {
    "23.976 in mp4": ("film.mp4", {"rate": Fraction(24000, 1001)}),
    "25": ("film.mp4", {}),
    "29.97 in mkv, late start": ("film.mkv", {"rate": Fraction(30000, 1001), "start_s": 3.0}),
    "59.94": ("film.mp4", {"rate": Fraction(60000, 1001)}),
    "late start in mp4": ("film.mp4", {"start_s": 2.5}),
    "varying rate": ("film.mp4", {"durations_ms": (20, 60, 40, 33)}),
    "varying rate in mkv": ("film.mkv", {"durations_ms": (20, 60, 40, 33)}),
    "sound starts later": ("film.mp4", {"audio_delay_s": 1.6}),
    "sound starts earlier": ("film.mkv", {"audio_delay_s": -0.3, "start_s": 1.0}),
    "no sound, odd size, 4:4:4": ("film.mp4", {"clicks_s": None, "size": (321, 181), "pixel_format": "yuv444p"}),
    "5.1, 10 bit": ("film.mp4", {"channels": 6, "pixel_format": "yuv420p10le"}),
    "turned": ("film.mp4", {"rotation": 90}),
    "interlaced transport stream": ("film.ts", {"codec": "mpeg2video", "video": INTERLACED}),
    "long groups in a transport stream": ("film.ts", {"gop": 300}),
    "open groups": ("film.ts", {"video": OPEN_GOP}),
    "PQ": ("film.mp4", {"codec": "libx265", "pixel_format": "yuv420p10le", "video": hdr("smpte2084")}),
    "HLG": ("film.mp4", {"codec": "libx265", "pixel_format": "yuv420p10le", "video": hdr("arib-std-b67")}),
    "H.264 in avi": ("film.avi", {"extra": ["-c:a", "pcm_s16le"]}),
    "awkward name": ("-a b'c\"d: 100% é;$(x).mp4", {}),
}


def cut(film: Path, start: int, end: int, rate: Fraction = Fraction(25), **more: Any) -> tuple[Path, Timeline]:
    timeline = timeline_of(film, rate)
    target = film.parent / "clips" / "clip.mp4"
    return render_clip(ClipRequest(film, target, start, end, timeline, **more)), timeline


@pytest.mark.parametrize("name", FILMS)
def test_frames_are_exact_and_clicks_in_sync(tmp_path: Path, name: str) -> None:
    file, how = FILMS[name]
    film = make_film(tmp_path / file, frames=100, **{"clicks_s": CLICKS_S, **how})
    start, end = (62, 97) if "long" in name or "open" in name else (37, 81)

    clip, timeline = cut(film, start, end, Fraction(how.get("rate", 25)))

    found = read_film(clip)
    assert found.numbers == tuple(range(start, end))
    begin_s, end_s = timeline.seconds(start), timeline.seconds(end)
    wanted_s = [timeline.seconds(n) - begin_s for n in found.numbers]
    assert np.allclose(found.seconds, wanted_s, atol=0.0011)
    heard_s = max(begin_s, how.get("audio_delay_s", 0.0))
    clicks_s = [c for c in how.get("clicks_s", CLICKS_S) or () if heard_s <= c < end_s - 0.01]
    assert len(found.clicks_s) == len(clicks_s)
    assert np.allclose(found.clicks_s, np.array(clicks_s) - begin_s, atol=0.010)
    assert (found.codec, found.pixel_format) == ("h264", "yuv420p")
    assert (found.audio_codec, found.channels) == ((None, 0) if how.get("clicks_s", ()) is None else ("aac", 2))
    assert found.width % 2 == found.height % 2 == 0
    assert [p.name for p in clip.parent.iterdir()] == ["clip.mp4"]


def test_the_whole_film_and_single_frames(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=60, rate=Fraction(24000, 1001))
    rate = Fraction(24000, 1001)
    assert read_film(cut(film, 0, 60, rate)[0]).numbers == tuple(range(60))
    assert read_film(cut(film, 0, 1, rate)[0]).numbers == (0,)
    assert read_film(cut(film, 59, 60, rate)[0]).numbers == (59,)


def test_time_stamps_that_jump_back_are_cut_by_counting(tmp_path: Path) -> None:
    parts = [make_film(tmp_path / f"{i}.ts", frames=50, clicks_s=(0.5, 1.0), start_s=5.0 - 4 * i) for i in range(2)]
    film = tmp_path / "joined.ts"
    film.write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = render_clip(ClipRequest(film, tmp_path / "clip.mp4", 40, 70, Timeline(Fraction(25), 100), seekable=False))
    assert read_film(clip).numbers == (*range(40, 50), *range(20))


def test_a_browser_can_start_the_clip_at_once(tmp_path: Path) -> None:
    clip, _ = cut(make_film(tmp_path / "film.mp4", clicks_s=CLICKS_S), 10, 90)
    data = clip.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(clip)) as container:
        assert container.streams.video[0].codec_context.profile == "High"
        assert container.streams.video[0].average_rate == 25
        assert container.streams.audio[0].codec_context.sample_rate == 48000


@pytest.mark.parametrize(
    ("shape", "size", "wanted"), [("reels", (640, 360), (202, 360)), ("square", (640, 360), (360, 360))]
)
def test_upright_and_square(tmp_path: Path, shape: Any, size: tuple[int, int], wanted: tuple[int, int]) -> None:
    clip, _ = cut(make_film(tmp_path / "film.mp4", size=size, frames=30), 5, 25, format=shape)
    found = read_film(clip, side=180)
    assert found.numbers == tuple(range(5, 25))
    assert (found.width, found.height) == wanted


def test_nothing_is_scaled_up(tmp_path: Path) -> None:
    def size(width: int, height: int, shape: str) -> tuple[int, int]:
        facts = Source(0, None, Fraction(0), Fraction(0), width, height, False, "", False, True, True)
        return clip_size(facts, shape)

    assert size(1920, 1080, "reels") == (608, 1080)
    assert size(3840, 2160, "reels") == (1080, 1920)
    assert size(1080, 1920, "reels") == (1080, 1920)
    assert size(640, 360, "original") == (640, 360)
    assert size(7680, 4320, "original") == (4096, 2304)
    assert size(321, 181, "original")[0] % 2 == 0
    assert size(200, 400, "square") == (200, 200)


def test_names_are_safe() -> None:
    assert clip_name(1, 192.4, "big_buck_bunny_360p") == "01_big_buck_bunny_360p_00-03-12.mp4"
    assert clip_name(12, 3700, '-Été à 100%: "x"/../y') == "12_Ete_a_100_x_y_01-01-40.mp4"
    assert clip_name(2, 0, "東京") == "02_film_00-00-00.mp4"
    assert len(clip_name(1, 0, "x" * 500)) < 120


def test_what_cannot_be_cut_is_said(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=20)
    with pytest.raises(OutputError, match="has 20 frames"):
        cut(film, 10, 21)
    with pytest.raises(FilmUnreadable):
        render_clip(ClipRequest(tmp_path / "none.mp4", tmp_path / "x.mp4", 0, 5, Timeline(Fraction(25), 20)))
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OutputError, match="Cannot write"):
        render_clip(ClipRequest(film, blocked / "x.mp4", 0, 5, Timeline(Fraction(25), 20)))
    assert "no space left" in why_failed(film, 1, ["av_interleaved_write_frame(): No space left on device"])
    told = [
        "[zscale @ 0x1] no path",
        "Last message repeated 3 times",
        "[vf#0:0 @ 0x2] Task finished with error code: -2",
    ]
    assert "no path" in why_failed(film, 187, told)


def test_a_playlist_is_not_followed(tmp_path: Path) -> None:
    make_film(tmp_path / "film.mp4", frames=20)
    script = tmp_path / "list.mp4"
    script.write_text("ffconcat version 1.0\nfile film.mp4\n")
    with pytest.raises(FilmUnreadable, match="playlist"):
        read_source(script)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return slow_film(tmp_path_factory.mktemp("slow"))


def leftovers(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir()]


def test_a_file_limit_leaves_nothing(slow: Path, tmp_path: Path) -> None:
    script = (
        "import resource, sys; from fractions import Fraction; from pathlib import Path\n"
        "from backend.errors import OutputError\n"
        "from backend.media.render import ClipRequest, render_clip\n"
        "from backend.media.timeline import Timeline\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "film, target = map(Path, sys.argv[1:])\n"
        "try: render_clip(ClipRequest(film, target, 0, 500, Timeline(Fraction(25), 1500)))\n"
        "except OutputError as problem: print(problem.detail); sys.exit(2)\n"
    )
    command = [sys.executable, "-c", script, str(slow), str(tmp_path / "c.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Cannot write 'c.mp4'" in done.stdout
    assert leftovers(tmp_path) == []


@contextmanager
def start_cutting(film: Path, target: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that is in the middle of cutting all of `film`."""
    script = (
        "import sys; from fractions import Fraction; from pathlib import Path\n"
        "from backend.media.render import ClipRequest, render_clip\n"
        "from backend.media.timeline import Timeline\n"
        "film, target = map(Path, sys.argv[1:])\n"
        "request = ClipRequest(film, target, 0, 1500, Timeline(Fraction(25), 1500))\n"
        "render_clip(request, lambda share: print(share, flush=True))\n"
    )
    command = [sys.executable, "-c", script, str(film), str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


def test_an_interrupt_leaves_nothing_and_stops_ffmpeg(slow: Path, tmp_path: Path) -> None:
    with start_cutting(slow, tmp_path / "c.mp4") as process:
        assert len(leftovers(tmp_path)) == 1
        assert leftovers(tmp_path)[0].startswith(".selects-")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) != 0
    assert leftovers(tmp_path) == []
    assert str(tmp_path) not in running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_kill_stops_ffmpeg_too(slow: Path, tmp_path: Path) -> None:
    with start_cutting(slow, tmp_path / "c.mp4") as process:
        process.kill()
    wait_until(lambda: str(tmp_path) not in running())
    (half,) = tmp_path.iterdir()
    with pytest.raises(av.FFmpegError), av.open(str(half)):
        raise AssertionError("ffmpeg went on to its end")
    render_clip(ClipRequest(slow, tmp_path / "c.mp4", 0, 5, Timeline(Fraction(25), 1500)))
    assert leftovers(tmp_path) == ["c.mp4"]


def test_an_old_clip_is_kept_when_a_new_one_fails(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=20)
    clip, _ = cut(film, 0, 10)
    before = clip.read_bytes()
    with pytest.raises(OutputError):
        cut(film, 10, 30)
    assert clip.read_bytes() == before


def test_progress_rises_to_one(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=20)
    seen: list[float] = []
    render_clip(ClipRequest(film, tmp_path / "c.mp4", 0, 20, Timeline(Fraction(25), 20)), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
