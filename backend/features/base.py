"""What an extractor is, what it gets and what it gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class FaceBox:
    """One face: where it is (shares of frame width and height, 0 … 1) and, if embedded, who it looks like."""

    frame: int
    x: float
    y: float
    width: float
    height: float
    probability: float
    embedding: Vectors | None = None


@dataclass(frozen=True)
class ShotMaterial:
    """All that is known of one shot when features are made. What an extractor does not read may be empty.

    keyframes     RGB uint8 [height, width, 3] each (320 wide); 1 for a static shot, 3 for a moving one
    keyframe_at   the frame number of each keyframe
    clip          RGB uint8 [16, height, width, 3], frames evenly spread over the shot (only if asked for)
    log_mel       float32 [seconds, 128], one row per second that the shot touches
    frames        float32 [frames of the shot, 6]: see media.signals.FRAME_SIGNALS
    dialogue      what is said in the shot, where subtitles say it
    faces         those that the profile's finder of faces saw in the keyframes
    """

    start_s: float
    end_s: float
    keyframes: tuple[Image, ...] = ()
    keyframe_at: tuple[int, ...] = ()
    clip: NDArray[np.uint8] | None = None
    log_mel: Vectors = field(default_factory=lambda: np.zeros((0, 128), np.float32))
    frames: Vectors = field(default_factory=lambda: np.zeros((0, 6), np.float32))
    dialogue: str = ""
    faces: tuple[FaceBox, ...] = ()


@dataclass(frozen=True)
class Extracted:
    """Vectors, float32 [shots, dimension], and the faces found on the way (per shot), if the extractor finds faces."""

    vectors: Vectors
    faces: tuple[tuple[FaceBox, ...], ...] = ()


class Extractor(ABC):
    """Turns shots into vectors of a fixed length.

    A new one is a file with a subclass and a line in `backend.features.registry.EXTRACTORS`. Only `extract` is
    required. Weights are loaded by `load`, once, before any film is decoded; a missing weight raises MissingWeights.
    `takes_path` says that the weights may be given by path (settings.models.paths): they come with no wheel.
    `version` is raised when the same input would give other vectors: it is part of the cache key. `batch_shots` is how
    many are waited for: after the last frame of a film, the last batch is all that is left to do.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    block: ClassVar[str]
    dimension: ClassVar[int]
    reads: ClassVar[frozenset[str]]
    batch_shots: ClassVar[int] = 4
    takes_path: ClassVar[bool] = False

    def __init__(self, *, weights: Path | None = None, cache: Path | None = None, offline: bool = False) -> None:
        """Keep where to look; nothing is loaded yet.

        weights  file or folder with the weights, if they do not come with a wheel or from a hub
        cache    folder for networks that set-up has not made and for downloads (networks.py, weights.py); with None the
                 former are made in memory, and nothing is downloaded
        offline  never ask a hub
        """
        self.weights = weights
        self.cache = cache
        self.offline = offline

    @property
    def weights_stamp(self) -> str:
        """What tells weights given by path from others: names, sizes, times of change; empty where none are given."""
        if self.weights is None:
            return ""
        files = sorted(self.weights.rglob("*")) if self.weights.is_dir() else [self.weights]
        return repr([(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file()])

    def load(self) -> None:
        """Load the weights, if there are any. Called once, before decoding starts; raises MissingWeights."""
        return

    @abstractmethod
    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Vectors of these shots, float32 [len(shots), dimension], finite; rows do not depend on each other."""
