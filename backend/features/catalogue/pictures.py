"""Pictures as image networks take them: scaled, cut and normalised as each was published."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Image

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)


@dataclass(frozen=True)
class Preparation:
    """Scale the shorter side to `resize` (or both, where `squeeze`), cut out the middle `side` by `side`, normalise.

    By Pillow, whose scaling is what networks of pictures were trained with; other libraries' differs visibly.
    """

    resize: int
    side: int
    mean: Sequence[float]
    deviation: Sequence[float]
    filter: Literal["bilinear", "bicubic"] = "bilinear"
    squeeze: bool = False

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """RGB uint8 [height, width, 3] → float32 [3, side, side]."""
        from PIL import Image as Pillow

        height, width = image.shape[:2]
        size = (self.resize, self.resize) if self.squeeze else scaled_size(width, height, self.resize)
        how = {"bilinear": Pillow.Resampling.BILINEAR, "bicubic": Pillow.Resampling.BICUBIC}[self.filter]
        made = np.asarray(Pillow.fromarray(image).resize(size, how), np.float32)
        left, top = (round((length - self.side) / 2) for length in size)
        cut = made[top : top + self.side, left : left + self.side] / 255
        normal = (cut - np.asarray(self.mean, np.float32)) / np.asarray(self.deviation, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1), np.float32)


def scaled_size(width: int, height: int, shorter: int) -> tuple[int, int]:
    """Width and height with the shorter side `shorter`; the longer one is cut to whole pixels, as torchvision does."""
    return (shorter, int(shorter * height / width)) if width <= height else (int(shorter * width / height), shorter)
