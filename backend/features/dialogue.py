"""What is said in a shot: all-MiniLM-L6-v2 (Wang et al. 2020; sentence-transformers), mean of the tokens, length 1.

Run by onnxruntime: importing sentence-transformers costs eight CPU seconds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.features.base import Extracted, Extractor, ShotMaterial, Vectors

MAX_TOKENS = 256


class Dialogue(Extractor):
    """384 figures of meaning; a zero vector where nothing is said."""

    name = "dialogue"
    block = "text"
    dimension = 384
    reads = frozenset({"dialogue"})
    _network: Any = None
    _tokenizer: Any = None

    def load(self) -> None:
        """Check that the weights are here; the network opens at the first line. Raises MissingWeights."""
        from backend.features.networks import weights_file

        weights_file("minilm")

    def _open(self) -> None:
        from tokenizers import Tokenizer

        from backend.features.networks import session, weights_file

        self._tokenizer = Tokenizer.from_file(str(weights_file("minilm").parent / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        self._network = session("minilm", self.cache)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 384], rows of length 1 or zero."""
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        for row, shot in zip(vectors, shots, strict=True):
            if shot.dialogue.strip():
                row[:] = self.encode(shot.dialogue)
        return Extracted(vectors)

    def encode(self, text: str) -> Vectors:
        """Float32 [384] of length 1."""
        if self._network is None:
            self._open()
        tokens = np.array([self._tokenizer.encode(text).ids], np.int64)
        mean = self._network.run(None, {"tokens": tokens})[0][0]
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)
