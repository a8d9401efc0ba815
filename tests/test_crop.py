"""Where upright and square clips look: at faces, else at what moves, else at detail; smoothly, or not moving at all."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.analysis.cut import cut_clips
from backend.analysis.find import FindRequest, find
from backend.media.crop import plan_crop, window_share
from backend.media.probe import probe_film
from backend.media.render import ClipRequest, render_clip
from backend.media.salience import Miniatures, Points, salient_x
from backend.media.scan import ScanRequest, scan_film
from backend.media.timeline import Timeline
from tests.films import make_film, run_ffmpeg

WINDOW = 0.316
Place = Callable[[float], float]


def test_reels_follow_a_face_smoothly_and_jump_at_the_cut(tmp_path: Path) -> None:
    film = make_film(tmp_path / "ramp.mp4", frames=200, size=(640, 360), ramp=True)
    seconds = np.arange(0, 8, 0.2)
    truth = np.where(seconds < 4, 0.5 - 0.3 * np.cos(seconds * np.pi / 4), 0.25)
    jitter = 0.01 * np.random.default_rng(0).standard_normal(len(seconds))
    faces = Points(seconds, truth + jitter, np.ones(len(seconds)))
    path = plan_crop(faces, np.array([4.0]), 0.0, 8.0, window_share(640, 360, "reels"))

    request = ClipRequest(film, tmp_path / "clip.mp4", 0, 200, Timeline(Fraction(25), 200), "reels", path)
    clip = render_clip(request)

    seen = []
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            grey = frame.to_ndarray(format="gray").astype(float)
            seen.append((grey[100:260].mean() - 16) / (235 - 16))
    centre = np.array(seen)
    steps = np.abs(np.diff(centre))
    assert steps[:98].max() < 0.015
    assert steps[101:].max() < 0.004
    assert steps[99] > 0.2
    wanted = np.clip(0.5 - 0.3 * np.cos(np.arange(100) / 25 * np.pi / 4), 0.158, 0.842)
    assert np.abs(centre[:100] - wanted).mean() < 0.04
    assert abs(centre[150] - 0.25) < 0.02


def test_the_window_stands_still_where_it_can() -> None:
    two = Points(np.repeat(np.arange(0, 6, 1.0), 2), np.tile([0.2, 0.8], 6), np.tile([1.0, 0.9], 6))
    path = plan_crop(two, np.zeros(0), 0.0, 6.0, 0.316)
    assert np.ptp(path.x) == 0
    assert abs(path.x[0] - 0.2) < 0.05
    assert plan_crop(Points(), np.array([2.0]), 0.0, 6.0, 0.316).x.tolist() == [0.5] * 4


def test_shots_without_faces_show_what_is_salient() -> None:
    picture = np.full((90, 160, 3), 40, np.uint8)
    picture[20:60, 120:150:2] = 220
    x = salient_x(picture)
    assert 0.7 < x < 0.9
    salient = Points(np.array([1.0]), np.array([x]), np.ones(1))
    path = plan_crop(Points(), np.array([2.0]), 0.0, 4.0, 0.3, salient)
    assert path.at(1.0) == pytest.approx(x)
    assert path.at(3.0) == 0.5


def test_many_moving_shots_stay_a_short_expression() -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(0, 120, 0.25)
    path = plan_crop(Points(seconds, rng.random(480), np.ones(480)), np.arange(1, 120, 1.5), 0.0, 120.0, 0.3)
    assert len(path.x) <= 400
    assert np.all(np.diff(path.seconds) >= 0)
    assert path.x.min() >= 0.15
    assert path.x.max() <= 0.85


def lively_film(path: Path, place: Place, pan: Place = lambda s: 0.0, size: tuple[int, int] = (320, 180)) -> Path:
    """Ten seconds of one take: a ground with texture, and before it a bright disc with its centre at `place`, 0 … 1."""
    width, height = size
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 110, (9, 64), np.uint8)
    ground = np.kron(coarse, np.ones((height // 9, width // 16), np.uint8))
    rows, columns = np.mgrid[0:height, 0:width]
    frames = []
    for number in range(250):
        second = number / 25
        left = round(pan(second) * width)
        picture = ground[:, left : left + width].astype(np.int16) + rng.integers(-4, 5, (height, width))
        away = ((columns - place(second) * width) / (0.06 * width)) ** 2 + ((rows - height / 2) / (0.2 * height)) ** 2
        picture[away < 1] = 230
        frames.append(np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2).tobytes())
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", 25, "-i", "pipe:0")
    stretched = ("-vf", f"setsar={640 * height}/{360 * width}")
    run_ffmpeg(*raw, *stretched, "-preset", "ultrafast", "-pix_fmt", "yuv420p", path, data=b"".join(frames))
    return path


def path_of(film: Path) -> NDArray[np.float64]:
    """The centre of an upright window over the film, at every frame."""
    scan = scan_film(probe_film(film), ScanRequest(), lambda shot: None)
    assert len(scan.shots) == 1
    seconds = scan.timeline.seconds_of(np.arange(scan.timeline.frames))
    path = plan_crop(Points(), np.zeros(0), 0.0, 10.0, WINDOW, None, Miniatures(seconds, scan.fingerprints))
    return np.array([path.at(float(second)) for second in seconds])


PLACES: dict[str, Place] = {
    "there and back": lambda s: 0.5 - 0.3 * np.cos(s * np.pi / 5),
    "across, then it rests": lambda s: 0.2 + 0.6 * min(1.0, s / 4),
    "quickly across": lambda s: 0.15 + 0.7 * min(1.0, max(0.0, s - 4) / 2),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_moves_is_followed_smoothly(name: str, tmp_path: Path) -> None:
    centre = path_of(lively_film(tmp_path / "film.mp4", PLACES[name]))
    truth = np.array([PLACES[name](number / 25) for number in range(250)])
    assert np.abs(centre - np.clip(truth, WINDOW / 2, 1 - WINDOW / 2)).max() < WINDOW / 2, "it stays in the window"
    steps = np.diff(centre)
    assert np.abs(steps).max() < 0.5 / 25, "half a picture a second at most"
    assert np.abs(np.diff(steps)).max() < 0.005
    turns = np.count_nonzero(np.diff(np.sign(steps[np.abs(steps) > 1e-4])))
    assert turns <= (1 if name == "there and back" else 0), "no wavering"


@pytest.mark.parametrize(
    ("place", "pan"),
    [
        (lambda s: 0.7, lambda s: 0.0),
        (lambda s: 0.7 + 0.03 * np.sin(9 * s), lambda s: 0.0),
        (lambda s: 9.0, lambda s: 0.2 * s),
    ],
    ids=["nothing moves", "it trembles", "the camera pans"],
)
def test_it_stands_still_where_nothing_goes_anywhere(place: Place, pan: Place, tmp_path: Path) -> None:
    assert np.ptp(path_of(lively_film(tmp_path / "film.mp4", place, pan))) < 0.01


def test_a_stretched_film_is_cut_where_its_picture_is(tmp_path: Path) -> None:
    """Stored half as wide as it is shown. The disc goes from one side to the other, and is whole in every frame."""
    film = lively_film(tmp_path / "film.mp4", PLACES["there and back"], size=(320, 360))
    asked = FindRequest(film=film, home=tmp_path / "home", min_s=10, max_s=10, top_n=1, fast=True)
    (clip,) = cut_clips(find(asked), tmp_path / "out", "reels").values()
    with av.open(str(clip)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == 250
    assert pictures[0].shape == (360, 202)
    # Its area, as shown: an ellipse of 0.06 x 640 and 0.2 x 360 either way.
    shown = np.array([np.count_nonzero(picture > 180) for picture in pictures])
    assert shown.min() > 0.9 * np.pi * 0.06 * 640 * 0.2 * 360
