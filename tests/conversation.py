"""For tests of shot grammar: a film of two people who talk by turns, cut together from real faces, and stills."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.analysis.stills import FramesRequest, write_stills
from backend.features.base import Image
from tests.films import run_ffmpeg
from tests.material import frames_of

SHOTS, SHOT_FRAMES = 9, 50
TALKING = 8
"""So many shots of the film are of its one dialogue scene: the two by turns, from the first shot on."""


def make_conversation(films: Path, path: Path) -> Path:
    """Eight medium close-ups of two seconds each, she and he by turns, then a table; 25 frames a second, speech."""
    stage = frames_of(films / "faces_stage_360p.mp4", (180, 190, 200), 640, 360)
    (table,) = frames_of(films / "people_walking_432p.mp4", (0,))
    astronaut = cv2.imread(str(films / "astronaut.png"))
    assert astronaut is not None
    she = _part(np.asarray(astronaut[:, :, ::-1], np.uint8), 0.0, 0.5625)
    he = [_part(image, 0.05, 0.9) for image in stage]
    shots = [she, he[0], she, he[1], she, he[2], she, he[0], table]
    frames = b"".join(image.tobytes() * SHOT_FRAMES for image in shots)
    seen = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x180", "-r", 25, "-i", "pipe:0"]
    heard = ["-ss", 12, "-t", 18, "-i", f"file:{films / 'sintel_trailer_204p.mp4'}"]
    coded = [
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p",
        "-preset",
        "ultrafast",
        "-c:a",
        "aac",
    ]
    run_ffmpeg(*seen, *heard, *coded, f"file:{path}", data=frames)
    return path


def _part(image: Image, left: float, high: float) -> Image:
    """The part of a picture that is so high, from its top and so far from the left (shares), 320 x 180."""
    height, width = image.shape[:2]
    part = image[: round(high * height), round(left * width) :][:, : round(high * height * 16 / 9)]
    return np.asarray(cv2.resize(part, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="session")
def conversation(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The film of `make_conversation`, for tests that only read it."""
    return make_conversation(films, tmp_path_factory.mktemp("conversation") / "conversation.mp4")


@pytest.fixture(scope="module")
def stills(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five stills of the stage."""
    folder = tmp_path_factory.mktemp("stage")
    write_stills(FramesRequest((films / "faces_stage_360p.mp4",), folder / "stills", 2.0), folder / "home")
    return folder / "stills"
