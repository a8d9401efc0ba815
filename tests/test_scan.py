"""The one decode pass on films with numbered frames: shots to the frame, keyframes, signals, what the header says."""

import itertools
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from backend.media.keyframes import ShotPictures
from backend.media.probe import probe_film
from backend.media.scan import Scan, ScanRequest, scan_film
from backend.media.shots import DETECTORS, CutDetector, FromModel, Measured
from backend.media.signals import FRAME_SIGNALS
from tests.films import make_film, paint, read_frame_number, run_ffmpeg

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
CUTS = (40, 90, 131)
FRAMES = 200
COLUMN = {name: i for i, name in enumerate(FRAME_SIGNALS)}


@dataclass(frozen=True)
class Seen:
    """A scan, and the shots in the order in which they were handed over."""

    scan: Scan
    shots: list[ShotPictures]

    @property
    def cuts(self) -> list[int]:
        return [int(start) for start in self.scan.shots[1:, 0]]


def detector_named(name: str, rate: Fraction) -> CutDetector:
    maker = DETECTORS[name]
    if maker:
        return maker(rate)
    from backend.features.transnet import TransNet

    return FromModel(TransNet().watch)


def scan(path: Path, *, fast: bool = False, detector: str = "adaptive", clip_frames: int = 0) -> Seen:
    probe, shots = probe_film(path), []
    request = ScanRequest(fast, clip_frames, detector_named(detector, probe.rate))
    return Seen(scan_film(probe, request, shots.append), shots)


@pytest.fixture(scope="module")
def film_at(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Fraction], Path]:
    """Numbered films with cuts at CUTS, one a rate, made when first asked for; with B-frames."""
    folder = tmp_path_factory.mktemp("films")

    @cache
    def make(rate: Fraction) -> Path:
        name = f"{rate.numerator}_{rate.denominator}.mp4"
        return make_film(folder / name, frames=FRAMES, rate=rate, cuts=CUTS, clicks_s=None)

    return make


@pytest.fixture(scope="module")
def trailer(films: Path) -> Seen:
    """Sintel's trailer."""
    return scan(films / "sintel_trailer_204p.mp4")


def still_film(path: Path, lengths: tuple[int, ...], size: tuple[int, int] = (320, 180)) -> Path:
    """Shot k shows the number k in the colour of scene k, and nothing moves."""
    stills = [paint(k, k, size) for k in range(len(lengths))]
    data = b"".join(still.tobytes() * length for still, length in zip(stills, lengths, strict=True))
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", 25, "-i", "pipe:0")
    run_ffmpeg(*raw, "-preset", "ultrafast", "-pix_fmt", "yuv420p", path, data=data)
    return path


# --- shots


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize("rate", [Fraction(12), FILM, Fraction(25), NTSC, Fraction(50), Fraction(60)], ids=str)
def test_cuts_are_found_to_the_frame(
    film_at: Callable[[Fraction], Path], rate: Fraction, detector: str, fast: bool
) -> None:
    seen = scan(film_at(rate), fast=fast, detector=detector)
    edges = [0, *CUTS, FRAMES]
    assert seen.scan.shots.tolist() == [list(pair) for pair in itertools.pairwise(edges)]
    assert (seen.scan.timeline.rate, seen.scan.timeline.frames) == (rate, FRAMES)
    assert seen.scan.timeline.pts is None
    assert seen.scan.warnings == ()
    assert seen.scan.seekable


def test_every_detector_finds_plain_cuts(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=120, cuts=(35, 80), size=(192, 108), clicks_s=None)
    assert {name: scan(film, detector=name).cuts for name in DETECTORS} == {name: [35, 80] for name in DETECTORS}


class Late(CutDetector):
    """Knows its cuts only some frames later."""

    def __init__(self, cuts: tuple[int, ...], lag: int) -> None:
        self.cuts, self.lag = cuts, lag

    def push(self, frame: Measured) -> list[int]:
        return [cut for cut in self.cuts if cut + self.lag == frame.number]

    def finish(self) -> list[int]:
        return [cut for cut in self.cuts if cut + self.lag >= FRAMES]


@pytest.mark.parametrize("lag", [0, 7, 60, FRAMES])
def test_a_detector_may_take_its_time(film_at: Callable[[Fraction], Path], lag: int) -> None:
    """Each shot still gets pictures of its own, and each picture is the frame that it says it is."""
    probe, shots = probe_film(film_at(Fraction(25))), []
    made = scan_film(probe, ScanRequest(detector=Late(CUTS, lag)), shots.append)
    assert made.shots[1:, 0].tolist() == list(CUTS)
    assert [(s.index, s.start_frame, s.end_frame) for s in shots] == [
        (n, *pair) for n, pair in enumerate(made.shots.tolist())
    ]
    for shot in shots:
        assert shot.keyframe_at
        assert [read_frame_number(picture) for picture in shot.keyframes] == list(shot.keyframe_at)
        assert shot.start_frame <= min(shot.keyframe_at) <= max(shot.keyframe_at) < shot.end_frame


def test_a_pan_over_a_photograph_is_no_cut(tmp_path: Path, films: Path) -> None:
    pan = tmp_path / "pan.mp4"
    move = "scale=512:512,crop=320:180:'96+96*sin(n/9)':'166+160*cos(n/14)'"
    photograph = ("-loop", 1, "-framerate", 25, "-i", films / "astronaut.png")
    run_ffmpeg(*photograph, "-vf", move, "-frames:v", 150, "-preset", "ultrafast", "-pix_fmt", "yuv420p", pan)
    assert scan(pan).cuts == []


def test_noise_in_the_dark_is_no_cut(tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    run_ffmpeg(
        *("-f", "lavfi", "-i", "color=c=0x202020:s=320x180:r=25,noise=alls=20:allf=t,trim=end_frame=100"),
        *("-preset", "ultrafast", "-pix_fmt", "yuv420p", noise),
    )
    assert scan(noise).cuts == []


def test_cuts_of_a_real_film_are_where_an_eye_sees_them(trailer: Seen) -> None:
    """Read off the trailer frame by frame: hard cuts, in its quick middle part."""
    assert {398, 422, 517, 539, 573, 623, 660, 674, 681, 694} <= set(trailer.cuts)


# --- keyframes


def test_a_still_shot_is_its_middle(tmp_path: Path) -> None:
    """Pictures are held four times a second, so the middle is met within half of that."""
    lengths = (30, 61, 125, 20)
    seen = scan(still_film(tmp_path / "film.mp4", lengths))
    starts = np.cumsum([0, *lengths])
    assert seen.scan.shots[:, 0].tolist() == starts[:-1].tolist()
    for number, (shot, start, length) in enumerate(zip(seen.shots, starts, lengths, strict=False)):
        assert [read_frame_number(picture) for picture in shot.keyframes] == [number]
        assert abs(shot.keyframe_at[0] - (start + length // 2)) <= 4


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
def test_a_moving_shot_is_its_start_peak_and_end(film_at: Callable[[Fraction], Path], fast: bool) -> None:
    seen = scan(film_at(Fraction(25)), fast=fast)
    assert seen.scan.keyframes == tuple(shot.keyframe_at for shot in seen.shots)
    for shot in seen.shots:
        assert [read_frame_number(picture) for picture in shot.keyframes] == list(shot.keyframe_at)
        assert all(picture.shape == (180, 320, 3) for picture in shot.keyframes)
        assert 2 <= len(shot.keyframe_at) <= 3
        assert shot.keyframe_at[0] - shot.start_frame <= 6
        assert shot.end_frame - 1 - shot.keyframe_at[-1] <= 10


def test_pictures_for_video_models_are_spread_over_the_shot(film_at: Callable[[Fraction], Path]) -> None:
    for shot in scan(film_at(Fraction(25)), clip_frames=16).shots:
        numbers = [read_frame_number(picture) for picture in shot.clip]
        assert len(numbers) == 16
        even = np.linspace(shot.start_frame, shot.end_frame - 1, 16)
        assert np.abs(np.array(numbers) - even).max() <= 1


def test_pictures_are_let_go_when_their_shot_is_done(film_at: Callable[[Fraction], Path]) -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    left: list[int] = []

    def on_shot(shot: ShotPictures) -> None:
        left.append(sum(ref() is not None for ref in alive))
        alive.extend(weakref.ref(picture) for picture in shot.keyframes)

    scan_film(probe_film(film_at(Fraction(25))), ScanRequest(), on_shot)
    assert left == [0, 0, 0, 0]
    assert not any(ref() is not None for ref in alive)


def test_memory_of_a_scan_is_not_that_of_its_frames(tmp_path: Path) -> None:
    """A small frame has 27 kB, a large one 170: a film longer by 900 frames must not keep even the small ones."""
    peaks = []
    for seconds in (24, 60):
        film = tmp_path / f"{seconds}.mp4"
        source = f"testsrc2=s=128x72:r=25:d={seconds}"
        run_ffmpeg("-f", "lavfi", "-i", source, "-preset", "ultrafast", "-pix_fmt", "yuv420p", film)
        probe = probe_film(film)
        tracemalloc.start()
        try:
            scan_film(probe, ScanRequest(detector=Late(tuple(range(50, 1200, 50)), 0)), lambda shot: None)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 900 < 1500


# --- signals


def test_signals_and_fingerprints_have_a_row_a_frame(film_at: Callable[[Fraction], Path]) -> None:
    made = scan(film_at(Fraction(25))).scan
    assert made.signals.shape == (FRAMES, len(FRAME_SIGNALS))
    assert made.signals.dtype == np.float32
    assert made.signals.min() >= 0
    assert made.signals.max() <= 1
    assert made.signals[0, :2].tolist() == [0, 0]
    change = made.signals[:, COLUMN["change"]]
    assert sorted(np.argsort(change)[-3:].tolist()) == list(CUTS)
    assert made.fingerprints.shape == (FRAMES, 9, 16)
    assert made.fingerprints.dtype == np.uint8
    seconds = made.lettering[:, 0] / 25
    assert seconds[0] == 0
    assert 1.9 <= np.diff(seconds).min() <= np.diff(seconds).max() <= 2.5


@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
def test_a_fingerprint_is_its_frame_in_small(film_at: Callable[[Fraction], Path], fast: bool) -> None:
    path = film_at(Fraction(25))
    made = scan(path, fast=fast).scan.fingerprints.astype(int)
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            small = cv2.resize(frame.to_ndarray(format="rgb24"), (16, 9), interpolation=cv2.INTER_AREA)
            grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(int)
            # Frames that fast leaves out are mixtures of their neighbours, in which the numbers blink.
            assert np.abs(made[number] - grey).mean() < (25 if fast else 8), number


@pytest.mark.parametrize(
    ("source", "light", "colour", "flat"),
    [("black", 0, 0, 1), ("white", 1, 0, 1), ("red", 0.3, 1, 1), ("gray", 0.5, 0, 1)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_plain_colours_are_measured_as_they_are(
    tmp_path: Path, source: str, light: float, colour: float, flat: float
) -> None:
    film = tmp_path / "film.mp4"
    run_ffmpeg("-f", "lavfi", "-i", f"color=c={source}:s=320x180:r=25:d=0.6", "-pix_fmt", "yuv420p", film)
    seen = scan(film)
    row = dict(zip(FRAME_SIGNALS, seen.scan.signals[7].tolist(), strict=True))
    assert row["light"] == pytest.approx(light, abs=0.02)
    assert row["colour"] == pytest.approx(colour, abs=0.03)
    assert row["flatness"] == pytest.approx(flat, abs=0.03)
    assert row["contrast"] == pytest.approx(0, abs=0.01)
    assert row["motion"] == pytest.approx(0, abs=0.005)
    assert seen.scan.shots.tolist() == [[0, 15]]


def test_progress_counts_up_to_the_last_frame(film_at: Callable[[Fraction], Path]) -> None:
    told: list[int] = []
    scan_film(probe_film(film_at(Fraction(25))), ScanRequest(), lambda shot: None, told.append)
    assert told == sorted(told)
    assert told[-1] == FRAMES
    assert len(told) >= 5
