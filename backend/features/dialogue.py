"""What is said in a shot, as a vector of its meaning (minilm.py)."""

from collections.abc import Sequence
from functools import cached_property

from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.minilm import TextEncoder


class Dialogue(Extractor):
    """384 figures of meaning; a zero vector where nothing is said."""

    name = "dialogue"
    block = "text"
    dimension = TextEncoder.dimension
    reads = frozenset({"dialogue"})

    @cached_property
    def _encoder(self) -> TextEncoder:
        return TextEncoder(self.cache)

    def load(self) -> None:
        """Check that the weights are here; the network opens at the first line. Raises MissingWeights."""
        self._encoder.check()

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 384], rows of length 1 or zero."""
        return Extracted(self._encoder.vectors([shot.dialogue for shot in shots]))
