"""Proxies play in browsers; their frames are the film's, one for one and at the same seconds, the sound in sync."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.errors import FilmUnreadable, InputError, OutputError, Stopped
from backend.media.encode import FEED_FLAGS, binary, feed
from backend.media.probe import probe_film
from backend.media.proxy import ProxyMap, needs_proxy, read_proxy_map, write_proxy
from backend.media.render import ClipRequest, render_clip
from backend.media.scan import ScanRequest, scan_film
from backend.media.timeline import Timeline
from tests import bad_films as bad
from tests.bad_films import Maker
from tests.films import make_film, read_film, run_ffmpeg
from tests.test_render import INTERLACED, QUIET_X265, hdr

FRAMES = 70
CLICKS_S = (0.25, 0.75, 1.25, 1.75)
PCM = ["-c:a", "pcm_s16le"]
TEN_BIT_HEVC = {"codec": "libx265", "pixel_format": "yuv420p10le", "video": QUIET_X265}

FILMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "ProRes": ("film.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le", "extra": PCM}, "is ProRes"),
    "HEVC, 10 bits": ("film.mp4", TEN_BIT_HEVC, "is HEVC"),
    "PQ": ("film.mp4", {**TEN_BIT_HEVC, "video": hdr("smpte2084")}, "is HEVC"),
    "HLG, turned": ("film.mp4", {**TEN_BIT_HEVC, "video": hdr("arib-std-b67"), "rotation": 90}, "is HEVC"),
    "MPEG-2 in ts, interlaced": ("film.ts", {"codec": "mpeg2video", "video": INTERLACED}, "is MPEG-2"),
    "MPEG-2 in mxf, 4:2:2, interlaced": (
        "film.mxf",
        {"codec": "mpeg2video", "pixel_format": "yuv422p", "video": INTERLACED, "extra": PCM},
        "is MPEG-2",
    ),
    "H.264 in ts, 29.97": ("film.ts", {"rate": Fraction(30000, 1001)}, "transport stream"),
    "H.264 in mp4, interlaced": ("film.mp4", {"video": INTERLACED}, "is interlaced"),
    "varying rate in mkv": ("film.mkv", {"durations_ms": (20, 60, 40, 33)}, "is Matroska"),
    "late start in mp4": ("film.mp4", {"start_s": 2.5}, "starts at 2.50 s"),
    "late start in mkv, 23.976": ("film.mkv", {"start_s": 3.0, "rate": Fraction(24000, 1001)}, "is Matroska"),
    "H.264 in avi": ("film.avi", {"extra": PCM}, "is AVI"),
    "10 bits": ("film.mp4", {"pixel_format": "yuv420p10le"}, "10 bits"),
    "odd size, 4:4:4, no sound": (
        "film.mp4",
        {"size": (321, 181), "pixel_format": "yuv444p", "clicks_s": None},
        "yuv444p",
    ),
    "turned, 4:2:2, 5.1": ("film.mp4", {"rotation": 270, "pixel_format": "yuv422p", "channels": 6}, "yuv422p"),
    "sound starts later": ("film.mkv", {"audio_delay_s": 0.6}, "is Matroska"),
    "sound starts earlier": ("film.mkv", {"audio_delay_s": -0.3, "start_s": 1.0}, "is Matroska"),
    "PCM in mov": ("film.mov", {"extra": PCM}, "its sound is PCM_S16LE"),
}
PLAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "H.264, AAC in mp4": ("film.mp4", {}),
    "index first": ("film.mp4", {"extra": ["-movflags", "+faststart"]}),
    "H.264, AAC in mov, turned": ("film.mov", {"rotation": 90}),
    "5.1": ("film.mp4", {"channels": 6}),
    "no sound": ("film.mp4", {"clicks_s": None}),
    "varying rate": ("film.mp4", {"durations_ms": (20, 60, 40, 33)}),
    "VP8, Opus in webm": ("film.webm", {"codec": "libvpx", "extra": ["-c:a", "libopus"]}),
    "VP9, no sound in webm": ("film.webm", {"codec": "libvpx-vp9", "clicks_s": None, "video": ["-cpu-used", "8"]}),
    "AV1 in mp4": ("film.mp4", {"codec": "libsvtav1", "video": ["-preset", "12", "-svtav1-params", "avif=0"]}),
}


def copied(film: Path, **more: Any) -> tuple[Path, ProxyMap]:
    target = film.parent / "proxies" / "proxy.mp4"
    return target, write_proxy(probe_film(film), target, **more)


def scanned(film: Path) -> Timeline:
    return scan_film(probe_film(film), ScanRequest(), lambda shot: None).timeline


@pytest.mark.parametrize("name", FILMS)
def test_frames_are_the_films_and_clicks_in_sync(tmp_path: Path, name: str) -> None:
    file, how, reason = FILMS[name]
    film = make_film(tmp_path / file, frames=FRAMES, **{"clicks_s": CLICKS_S, **how})

    assert reason in (needs_proxy(probe_film(film)) or "plays")
    proxy, mapped = copied(film)

    timeline = scanned(film)
    assert mapped.fits(timeline)
    found = read_film(proxy)
    assert found.numbers == tuple(range(FRAMES))
    assert np.allclose(found.seconds, mapped.seconds[:-1], atol=1e-9)
    assert np.allclose(found.seconds, [timeline.seconds(n) for n in range(FRAMES)], atol=1e-5)
    audible = [c for c in how.get("clicks_s", CLICKS_S) or () if c >= how.get("audio_delay_s", 0)]
    assert np.allclose(found.clicks_s, audible, atol=0.010)
    assert (found.codec, found.pixel_format) == ("h264", "yuv420p")
    assert (found.audio_codec, found.channels) == ((None, 0) if how.get("clicks_s", ()) is None else ("aac", 2))
    assert (found.width, found.height) == (320, 180)
    assert needs_proxy(probe_film(proxy)) is None
    assert [p.name for p in proxy.parent.iterdir()] == ["proxy.mp4"]


@pytest.mark.parametrize("name", PLAYS)
def test_what_browsers_play_needs_no_proxy(tmp_path: Path, name: str) -> None:
    file, how = PLAYS[name]
    assert needs_proxy(probe_film(make_film(tmp_path / file, frames=30, **how))) is None


def test_real_films_need_none_but_the_one_that_starts_late(films: Path) -> None:
    found = {film.name: needs_proxy(probe_film(film)) for film in films.iterdir() if film.suffix in (".mp4", ".webm")}
    assert [name for name, reason in found.items() if reason] == ["faces_stage_360p.mp4"]
    assert "starts at 0.85 s" in (found["faces_stage_360p.mp4"] or "")


SIZES = {
    "large": ("scale=1920:1080,setsar=1", (1280, 720)),
    "upright": ("scale=1080:1920,setsar=1", (720, 1280)),
    "anamorphic": ("scale=720:576,setsar=64/45", (1024, 576)),
    "small": ("scale=160:90,setsar=1", (160, 90)),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_longer_side_is_at_most_1280(tmp_path: Path, name: str) -> None:
    scale, size = SIZES[name]
    run_ffmpeg("-f", "lavfi", "-i", f"testsrc2=d=0.2,{scale}", "-c:v", "mpeg4", tmp_path / "film.avi")
    proxy, mapped = copied(tmp_path / "film.avi")
    assert (mapped.width, mapped.height, mapped.has_sound) == (*size, False)
    with av.open(str(proxy)) as container:
        assert container.streams.video[0].sample_aspect_ratio in (None, 1)


def test_seeking_is_quick_and_the_index_is_first(tmp_path: Path) -> None:
    proxy, mapped = copied(make_film(tmp_path / "film.mkv", frames=150, rate=24))
    with av.open(str(proxy)) as container:
        keyframes = [n for n, entry in enumerate(container.streams.video[0].index_entries) if entry.is_keyframe]
    assert keyframes[0] == 0
    assert max(np.diff([*keyframes, 150])) <= 24
    content = proxy.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert mapped.seek_s(100) == pytest.approx(100.5 / 24)


def test_one_of_several_audio_tracks_is_heard(tmp_path: Path) -> None:
    first = make_film(tmp_path / "a.mp4", frames=50, clicks_s=(0.5,))
    second = make_film(tmp_path / "b.mp4", frames=50, clicks_s=(1.25,), channels=6)
    film = tmp_path / "film.mkv"
    names = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"]
    names += ["-metadata:s:a:1", "title=Director", "-disposition:a:1", "comment"]
    maps = ["-map", "0:v", "-map", "0:a", "-map", "1:a", "-c", "copy"]
    run_ffmpeg("-i", first, "-i", second, *maps, *names, film)

    probe = probe_film(film)
    assert [track.label for track in probe.audio] == ["eng · stereo · aac", "ger · Director · 5.1 · aac"]
    for track, click_s in enumerate((0.5, 1.25)):
        proxy, _ = copied(film, audio_track=track)
        assert read_film(proxy).clicks_s == pytest.approx((click_s,), abs=0.010)
    with pytest.raises(InputError, match=r"no audio track 2: 'film\.mkv' has 2"):
        copied(film, audio_track=2)


def test_only_the_first_audio_track_is_played_without_a_proxy(tmp_path: Path) -> None:
    one, film = make_film(tmp_path / "one.mp4", frames=30), tmp_path / "film.mp4"
    run_ffmpeg("-i", one, "-map", "0:v", "-map", "0:a", "-map", "0:a", "-c", "copy", film)
    probe = probe_film(film)
    assert needs_proxy(probe) is None
    assert "another one is wanted" in (needs_proxy(probe, 1) or "")


DAMAGED: dict[str, tuple[str, Maker]] = {
    "garbage in ts": ("film.ts", bad.with_garbage),
    "garbage in mp4": ("film.mp4", bad.with_garbage),
    "mkv cut in the middle": ("film.mkv", bad.cut_off(0.6)),
    "stamps jump back": ("film.ts", bad.joined(0, 0)),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_frames_of_damaged_films_are_those_of_the_scan(tmp_path: Path, name: str) -> None:
    file, make = DAMAGED[name]
    film = tmp_path / "damaged" / file
    film.parent.mkdir()
    make(bad.good_film(tmp_path / "good.mp4"), film)
    proxy, mapped = copied(film)
    timeline = scanned(film)
    assert timeline.frames != bad.FRAMES
    assert mapped.fits(timeline)
    assert len(read_film(proxy).numbers) == timeline.frames
    assert not mapped.fits(Timeline(timeline.rate, timeline.frames - 1))
    assert not mapped.fits(Timeline(timeline.rate / 2, timeline.frames))


def combs(film: Path) -> float:
    """How much more each line differs from its neighbour than from the one after, in the middle frame."""
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="gray").astype(float) for frame in container.decode(video=0)]
    middle: NDArray[np.float64] = frames[len(frames) // 2]
    return float(np.abs(middle[:-2] - middle[1:-1]).mean() / (np.abs(middle[:-2] - middle[2:]).mean() + 1))


def test_combs_are_gone(tmp_path: Path) -> None:
    film = tmp_path / "film.ts"
    moving = "color=s=320x240:r=50:d=1,drawbox=x=0:w=40:h=240:c=white:t=fill,scroll=h=0.05,tinterlace=interleave_top"
    run_ffmpeg("-f", "lavfi", "-i", moving, "-c:v", "mpeg2video", "-b:v", "5M", "-flags", "+ildct+ilme", film)
    proxy, mapped = copied(film)
    assert combs(film) > 2
    assert combs(proxy) < 1
    assert mapped.frames == 25


def test_colours_stay(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", frames=30, cuts=(15,))
    proxy, _ = copied(film)
    for number in (5, 20):
        assert np.abs(colours(film, number) - colours(proxy, number)).max() <= 4
    with av.open(str(proxy)) as container:
        assert int(container.streams.video[0].codec_context.colorspace) == 1


def test_hdr_is_mapped_as_in_a_clip(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, **FILMS["PQ"][1])
    proxy, _ = copied(film)
    clip = render_clip(ClipRequest(film, tmp_path / "clip.mp4", 0, 30, scanned(film)))
    seen = [colours(file, 10) for file in (film, proxy, clip)]
    assert np.abs(seen[1] - seen[2]).max() < 8
    assert np.abs(seen[1] - seen[0]).max() > 15


def colours(film: Path, number: int) -> NDArray[np.float64]:
    """Red, green and blue of the background in frame `number`, by the matrix that the file names."""
    with av.open(str(film)) as container:
        picture = list(container.decode(video=0))[number].to_ndarray(format="rgb24")
        return np.asarray(picture[:20, :20].mean((0, 1)))


def test_twice_is_the_same_and_the_map_is_in_the_file(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", frames=60, durations_ms=(20, 60, 40, 33), clicks_s=CLICKS_S)
    proxy, first = copied(film)
    before = proxy.read_bytes()
    _, second = copied(film)
    assert proxy.read_bytes() == before
    stored = read_proxy_map(proxy)
    assert stored is not None
    assert np.array_equal(stored.seconds, first.seconds)
    assert np.array_equal(second.seconds, first.seconds)
    assert (stored.frames, stored.has_sound) == (60, True)
    proxy.write_bytes(before[:100])
    assert read_proxy_map(proxy) is None
    assert read_proxy_map(tmp_path / "none.mp4") is None


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    copied(make_film(tmp_path / "film.mkv", frames=80, size=(1280, 720)), progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == 1.0


def test_what_is_not_confirmed_does_not_appear(tmp_path: Path) -> None:
    """A film that was changed meanwhile: its copy would stand under the checksum of the one before."""
    film = make_film(tmp_path / "film.mp4", frames=20)
    asked: list[list[str]] = []

    def refuse() -> None:
        asked.append([path.name for path in tmp_path.glob("proxy*")])
        raise FilmUnreadable("film.mp4", "it was changed")

    with pytest.raises(FilmUnreadable, match="changed"):
        write_proxy(probe_film(film), tmp_path / "proxy.mp4", confirm=refuse)
    assert asked == [[]]
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("until", [0.3, 0.9], ids=["in the picture", "in the sound"])
def test_stopping_leaves_what_was_there(tmp_path: Path, until: float) -> None:
    film = make_film(tmp_path / "film.mkv", frames=250, size=(320, 180), rate=1)
    target = tmp_path / "proxies" / "proxy.mp4"
    target.parent.mkdir()
    target.write_bytes(b"older")
    shares = [0.0]
    with pytest.raises(Stopped):
        copied(film, progress=shares.append, stopped=lambda: shares[-1] >= until)
    assert [p.name for p in target.parent.iterdir()] == ["proxy.mp4"]
    assert target.read_bytes() == b"older"
    assert _ffmpegs_on(tmp_path) == []


def _ffmpegs_on(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return [line for line in found if str(folder) in line and "ffmpeg" in line]


def test_failures_are_said_in_ffmpegs_words(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", frames=20)
    (tmp_path / "proxies").write_text("not a folder")
    with pytest.raises(OutputError, match="Cannot write"):
        copied(film)
    probe = probe_film(film)
    film.unlink()
    with pytest.raises(FilmUnreadable, match="no such file"):
        write_proxy(probe, tmp_path / "new" / "proxy.mp4")
    assert list((tmp_path / "new").iterdir()) == []
    command = [binary(), *FEED_FLAGS, "-f", "mp4", "-i", "pipe:0", str(tmp_path / "x.mp4")]
    with pytest.raises(OutputError, match=r"Cannot write 'proxy.mp4': ffmpeg says .*"):
        feed(command, tmp_path / "proxy.mp4", (bytes(1 << 20) for _ in range(50)))
