"""What extractors are given in tests: pictures and sound of real films, and made-up shots of all kinds."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from backend.features.base import FaceBox, ShotMaterial


def picture(films: Path) -> NDArray[np.uint8]:
    """The astronaut, RGB, 320 wide."""
    found = cv2.imread(str(films / "astronaut.png"))
    assert found is not None
    return np.asarray(
        cv2.resize(cv2.cvtColor(found, cv2.COLOR_BGR2RGB), (320, 320), interpolation=cv2.INTER_AREA), np.uint8
    )


def frames_of(path: Path, numbers: Sequence[int], width: int = 320, height: int = 180) -> list[NDArray[np.uint8]]:
    """Frames of a film by number, RGB."""
    with av.open(str(path)) as film:
        decoded = enumerate(film.decode(video=0))
        return [f.reformat(width, height, "rgb24").to_ndarray() for k, f in decoded if k in set(numbers)]


def sound_of(path: Path) -> NDArray[np.float32]:
    """A film's sound, mono, 16 kHz."""
    resampler = av.AudioResampler("fltp", "mono", 16000)
    with av.open(str(path)) as film:
        parts = [part.to_ndarray()[0] for frame in film.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts)


def made_shots() -> list[ShotMaterial]:
    """Shots of all kinds: one and three keyframes, two sizes, one frame long, and one of which nothing is known."""
    rng = np.random.default_rng(5)

    def image(height: int, width: int) -> NDArray[np.uint8]:
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)

    def shot(
        start: float, keyframes: int, frames: int, dialogue: str = "", size: tuple[int, int] = (180, 320)
    ) -> ShotMaterial:
        return ShotMaterial(
            start,
            start + frames / 24,
            tuple(image(*size) for _ in range(keyframes)),
            tuple(range(keyframes)),
            np.stack([image(72, 128) for _ in range(16)]),
            rng.normal(-30, 10, (3, 128)).astype(np.float32),
            rng.random((frames, 6), dtype=np.float32),
            dialogue,
            tuple(FaceBox(frame, 0.3, 0.1, 0.1, 0.25, 0.99) for frame in range(keyframes)),
        )

    return [
        shot(0, 1, 50, "What brings you to the land of the Gate Keepers?"),
        shot(3, 3, 30),
        shot(5, 1, 1, "I'm searching for someone.", size=(320, 180)),
        ShotMaterial(6.0, 7.0),
    ]


def smooth_picture(seed: int, height: int = 180, width: int = 320) -> NDArray[np.uint8]:
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
