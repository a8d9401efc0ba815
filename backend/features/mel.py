"""What a shot sounds like: the mean of its seconds' log-mel spectra."""

from collections.abc import Sequence

import numpy as np

from backend.features.base import Extracted, Extractor, ShotMaterial


class LogMel(Extractor):
    """128 mel bands, mean over the seconds that the shot touches; zeros where there is no audio."""

    name = "mel"
    block = "audio"
    dimension = 128
    reads = frozenset({"log_mel"})

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 128]."""
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        for row, shot in zip(vectors, shots, strict=True):
            if len(shot.log_mel):
                row[:] = shot.log_mel.mean(axis=0, dtype=np.float64)
        return Extracted(vectors)
