"""CLIP B/32 (Radford et al. 2021; sentence-transformers' clip-ViT-B-32, OpenAI's weights): pictures beside words."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.base import Model, Piece, mixed
from backend.features.catalogue.origins import Origin
from backend.features.catalogue.words import require_words
from backend.features.openclip import NAMES, OpenClip
from backend.features.weights import from_hub, given_file, hub_folder

WHAT = "CLIP ViT-B/32 (OpenAI)"
REPOSITORY = "timm/vit_base_patch32_clip_224.openai"
FILES = ("open_clip_config.json", NAMES[0])


class ClipOrigin(Origin):
    """OpenAI's weights as open_clip keeps them on the hub, or a path to a state dict in its names."""

    def find(self, name: str, what: str, given: Path | None, cache: Path | None) -> Path:
        if given is not None:
            return given_file(name, what, given, NAMES)
        return hub_folder(name, what, REPOSITORY, FILES, cache=cache)

    def fetch(self, name: str, what: str, given: Path | None, cache: Path | None, *, offline: bool) -> Path:
        if given is not None:
            return given_file(name, what, given, NAMES)
        return from_hub(name, what, REPOSITORY, FILES, cache=cache, offline=offline)

    def __str__(self) -> str:
        return f"hub {REPOSITORY}, or a path"


class OpenAiClip(OpenClip):
    """The network; OpenAI's weights want its own activation (quick GELU)."""

    name = "clip"
    what = WHAT
    repository = REPOSITORY
    hub_names = FILES
    architecture = "ViT-B-32-quickgelu"


class _Clip(Model):
    """What both halves have in common: one file of weights, loaded by features.openclip."""

    name = "clip"
    published = "clip-ViT-B-32"
    dimension = 512
    licence = "MIT"
    origin = ClipOrigin()

    def load(self, device: str) -> None:
        """Load the weights strictly; raises MissingWeights."""
        self._device = device
        self._half = OpenAiClip(weights=self.weights, cache=self.cache, offline=self.offline)
        self._half.load(device)


class ClipText(_Clip):
    """512 figures of a text, in the space of pictures, not scaled to length 1."""

    modality = "text"
    preparation = "77 tokens (open_clip's SimpleTokenizer)"

    def prepare(self, given: Any) -> list[Piece]:
        return [self._half.tokens([require_words(given)])[0]]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        with mixed(self._device):
            return self._half.encoded_texts(np.stack(pieces), normalize=False)


class ClipImage(_Clip):
    """512 figures of a picture, in the space of texts, not scaled to length 1."""

    modality = "image"
    preparation = "shorter side 224 (bicubic), middle 224 x 224, CLIP's mean and deviation (open_clip)"

    def prepare(self, given: Any) -> list[Piece]:
        return [self._half.pixels(given)]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        with mixed(self._device):
            return self._half.encoded_images(np.stack(pieces), normalize=False)
