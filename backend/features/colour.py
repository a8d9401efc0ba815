"""What colours a shot has: an HSV histogram, which tells places apart."""

from collections.abc import Sequence

import numpy as np

from backend.features.base import Extracted, Extractor, Image, ShotMaterial, Vectors
from backend.features.keyframes import flatten, mean_by_shot

BINS = (16, 4, 4)


class Colour(Extractor):
    """HSV histogram of 16 x 4 x 4 bins, mean over the keyframes, sum 1; zeros where there is no keyframe."""

    name = "colour"
    block = "colour"
    dimension = 256
    reads = frozenset({"keyframes"})

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 256]."""
        images, owner = flatten(shots)
        rows = np.array([_histogram(image) for image in images], np.float32).reshape(-1, self.dimension)
        return Extracted(mean_by_shot(rows, owner, len(shots)))


def _histogram(image: Image) -> Vectors:
    import cv2

    hsv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256])
    return np.asarray(counts.ravel() / hsv[..., 0].size, np.float32)
