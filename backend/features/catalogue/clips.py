"""Clips of film as video networks take them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINETICS_MEAN, KINETICS_DEVIATION = (0.45,) * 3, (0.225,) * 3


@dataclass(frozen=True)
class ClipPreparation:
    """Scale to `resize` (the shorter side, or height and width), cut out the middle `side` by `side`, normalise.

    torchvision's VideoClassification preset: bilinear without antialiasing, in whole pixel values.
    """

    resize: int | tuple[int, int]
    side: int
    mean: Sequence[float]
    deviation: Sequence[float]

    def __call__(self, clip: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB uint8 [frames, height, width, 3] → float32 [3, frames, side, side]."""
        import torch

        from backend.features import torchvision_ops  # noqa: F401  (before torchvision)

        from torchvision.transforms import functional  # isort: skip

        size = [self.resize] if isinstance(self.resize, int) else list(self.resize)
        frames = torch.from_numpy(np.ascontiguousarray(clip)).permute(0, 3, 1, 2)
        scaled = functional.resize(frames, size, functional.InterpolationMode.BILINEAR, antialias=False)
        cut = functional.center_crop(scaled, [self.side, self.side]).float() / 255
        normal = functional.normalize(cut, list(self.mean), list(self.deviation))
        return np.ascontiguousarray(normal.permute(1, 0, 2, 3).numpy(), np.float32)
