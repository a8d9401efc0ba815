"""VideoMAE-base (Tong et al. 2022), as the full profile has it (features.videomae): what happens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.features import videomae
from backend.features.base import Vectors
from backend.features.catalogue.base import Clips, Model, Piece, mixed
from backend.features.catalogue.origins import Origin
from backend.features.pretrained import given_folder
from backend.features.weights import hub_folder


class VideoMaeOrigin(Origin):
    """The folder of the full profile's extractor, which also fetches it."""

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path:
        if given is not None:
            return given_folder(name, what, given)
        return hub_folder(name, what, videomae.REPOSITORY, videomae.HUB_NAMES, cache=cache)

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        return videomae.VideoMae(weights=given, cache=cache, offline=offline).folder()

    def __str__(self) -> str:
        return f"hub {videomae.REPOSITORY}, or a path"


class VideoMae(Model):
    """768 figures: mean of the encoder's last states."""

    modality = "video"
    name = "videomae"
    published = videomae.WHAT
    dimension = 768
    licence = "CC-BY-NC-4.0"
    origin = VideoMaeOrigin()
    preparation = "16 frames at 7.5 a second, shorter side 224, middle 224 x 224, ImageNet's mean and deviation"
    clips = Clips(videomae.FRAMES, 1 / 7.5)
    batch = (1, 16)

    def load(self, device: str) -> None:
        """Load the weights; raises MissingWeights."""
        self._device = device
        self._extractor = videomae.VideoMae(weights=self.weights, cache=self.cache, offline=self.offline)
        self._extractor.load(device)

    def prepare(self, given: Any) -> list[Piece]:
        return [self._extractor.pixels(clip) for clip in given]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        with mixed(self._device):
            return self._extractor.clip_vectors(np.stack(pieces))
