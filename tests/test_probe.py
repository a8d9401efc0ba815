"""What the header of a film says, and what the decode pass makes of it: rates, turns, timecodes, tracks."""

from pathlib import Path

import numpy as np
import pytest

from backend.errors import FilmUnreadable
from backend.media.probe import probe_film
from tests.films import make_film, read_frame_number, run_ffmpeg
from tests.test_scan import FILM, NTSC, scan


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
def test_a_varying_rate_keeps_its_times(tmp_path: Path, fast: bool) -> None:
    film = make_film(
        tmp_path / "film.mkv", frames=150, cuts=(50, 100), durations_ms=(20, 60, 40), clicks_s=None, start_s=1.5
    )
    made = scan(film, fast=fast).scan
    assert made.shots[1:, 0].tolist() == [50, 100]
    line = made.timeline
    assert line.pts is not None
    expected = np.cumsum([0, *[20, 60, 40] * 50]) / 1000
    np.testing.assert_allclose(line.seconds_of(np.arange(151)), expected, atol=0.0011)
    assert made.warnings == ()


@pytest.mark.parametrize("text", ["01:00:00:00", "09:59:50;12"])
def test_the_start_timecode_is_read(tmp_path: Path, text: str) -> None:
    film = make_film(tmp_path / "film.mov", frames=10, rate=NTSC, clicks_s=None, extra=("-timecode", text))
    assert probe_film(film).start_timecode == text
    assert probe_film(film).rate == NTSC


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pictures_are_turned_upright(tmp_path: Path, degrees: int) -> None:
    film = make_film(tmp_path / "film.mp4", frames=60, cuts=(30,), rotation=degrees, clicks_s=None)
    probe, seen = probe_film(film), scan(film)
    assert (probe.width, probe.height) == ((180, 320) if degrees % 180 else (320, 180))
    assert seen.scan.rotation_degrees % 360 == degrees
    for shot in seen.shots:
        assert [read_frame_number(picture) for picture in shot.keyframes] == list(shot.keyframe_at)
        assert all(picture.shape[1] > picture.shape[0] for picture in shot.keyframes)


def test_the_probe_tells_what_the_file_holds(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", frames=50, rate=FILM, channels=2, start_s=2.0)
    probe = probe_film(film)
    assert (probe.format, probe.codec, probe.bits) == ("matroska,webm", "h264", 8)
    assert (probe.width, probe.height, probe.rate) == (320, 180, FILM)
    assert [(track.codec, track.channels, track.sample_rate_hz) for track in probe.audio] == [("aac", 2, 48000)]
    assert probe.start_time_s == pytest.approx(2.0, abs=0.06)
    assert probe.declared_duration_s == pytest.approx(50 / FILM, abs=0.1)
    assert (probe.start_timecode, probe.subtitles, probe.is_hdr) == (None, (), False)


def test_the_default_sound_is_the_first_of_several(tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    inputs = ("-f", "lavfi", "-i", "testsrc2=d=0.4", "-f", "lavfi", "-i", "sine=d=0.4")
    maps = ("-map", 0, "-map", 1, "-map", 1, "-c:a", "aac", "-metadata:s:a:1", "language=ger")
    run_ffmpeg(*inputs, *maps, "-disposition:a:0", 0, "-disposition:a:1", "default", film)
    assert [(track.index, track.language) for track in probe_film(film).audio] == [(2, "ger"), (1, "")]


def test_a_film_of_which_no_frame_decodes_is_refused(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, clicks_s=None)
    raw = bytearray(film.read_bytes())
    start = raw.index(b"mdat") + 4
    raw[start : raw.index(b"moov", start) - 8] = bytes(raw.index(b"moov", start) - 8 - start)
    film.write_bytes(raw)
    with pytest.raises(FilmUnreadable, match=r"film\.mp4.*decoded"):
        probe_film(film)
