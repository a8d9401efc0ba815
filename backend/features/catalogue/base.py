"""What a model of the catalogue is, what it gets and what it gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.origins import Origin

Modality = Literal["text", "image", "audio", "video"]
MODALITIES: tuple[Modality, ...] = ("text", "image", "audio", "video")
Piece = Any
"""What a network takes at once: tokens, pixels, a window of sound, a clip; a numpy array."""


@dataclass(frozen=True)
class Clips:
    """Which frames of a film a video model sees: `clips` of `frames` each, `step_s` apart, evenly over the film."""

    frames: int
    step_s: float
    clips: int = 5


class Model(ABC):
    """Turns titles' plots, posters, sound or pictures into vectors of a fixed length.

    A new one is a file with a subclass and a line in `registry.MODELS`. In: a text; a picture, RGB uint8
    [height, width, 3]; sound, float32 [samples] mono at 16 kHz; a film's clips, RGB uint8 [clips, frames, height,
    width, 3]. `prepare` makes one or more pieces of it, in several threads at a time; `vectors` is the network, called
    by one thread with the pieces of many titles. A title's vector is the mean of its pieces' vectors.

    name         its short name, by which SELECTS_MODELS__PATHS names it; `published` is the name it is known by
    preparation  how its input is prepared, and by whose rule
    version      raised when the same input would give another vector
    batch        pieces at once on a CPU and on a GPU
    clips        of video models, what they see
    per_second   of audio models: it takes the 128 log-mel bands of each second, float32 [seconds, 128]
    """

    modality: ClassVar[Modality]
    name: ClassVar[str]
    published: ClassVar[str]
    dimension: ClassVar[int]
    licence: ClassVar[str]
    origin: ClassVar[Origin]
    preparation: ClassVar[str]
    version: ClassVar[int] = 1
    batch: ClassVar[tuple[int, int]] = (8, 64)
    clips: ClassVar[Clips | None] = None
    per_second: ClassVar[bool] = False

    def __init__(self, *, weights: Path | None = None, cache: Path | None = None, offline: bool = False) -> None:
        """Keep where to look, as Extractor does; nothing is loaded yet."""
        self.weights = weights
        self.cache = cache
        self.offline = offline

    def find(self) -> Path | None:
        """Where the weights are, asking no network; None for a model without. Raises MissingWeights."""
        return self.origin.find(self.name, self.published, self.weights, self.cache)

    def fetch(self) -> Path:
        """Where the weights are, got from their hub if they are not here. Raises MissingWeights."""
        return self.origin.fetch(self.name, self.published, self.weights, self.cache, offline=self.offline)

    @abstractmethod
    def load(self, device: str) -> None:
        """Load the weights strictly onto "cpu" or "cuda"; raises MissingWeights."""

    @abstractmethod
    def prepare(self, given: Any) -> list[Piece]:
        """The pieces of one title, at least one. Raises InputError where there is nothing in it."""

    @abstractmethod
    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        """Float32 [pieces, dimension]; rows do not depend on each other."""


class TorchModel(Model):
    """A model that is a torch network which takes stacked pieces."""

    _network: Any = None
    _device = "cpu"

    def load(self, device: str) -> None:
        self._device, self._network = device, self.open(self.fetch()).to(device)

    @abstractmethod
    def open(self, path: Path) -> Any:
        """The network without its classifier, with the weights at `path`, in evaluation mode."""

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        import torch

        batch = torch.from_numpy(np.stack(pieces)).to(self._device, non_blocking=True)
        with torch.inference_mode(), mixed(self._device):
            return np.asarray(self.forward(batch).float().cpu().numpy(), np.float32)

    def forward(self, batch: Any) -> Any:
        """The vectors [n, dimension] of a batch on the device; raw, before any classifier."""
        return self._network(batch)


def mixed(device: str) -> Any:
    """Half precision where the device is made for it, single on a CPU."""
    import torch

    if device == "cpu":
        return torch.autocast("cpu", enabled=False)
    return torch.autocast(device, dtype=half())


def half() -> Any:
    """The half precision that the GPU computes in; those before Ampere only pretend to know bfloat16, slowly."""
    import torch

    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
