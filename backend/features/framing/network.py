"""The small CNN that tells medium close-ups in grey stills, as a torch module.

It is of the kind that Moviegoer trained (Lee): a few convolutions with pooling between them on 128 x 128 grey
pixels, one hidden layer, one output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Image

if TYPE_CHECKING:
    import torch

SIDE = 128
DEEPEST = 7
"""Every convolution halves the picture; after so many one point of it is left."""


@dataclass(frozen=True)
class Shape:
    """How large the CNN is: filters of each convolution, units of the hidden layer, dropout before it."""

    filters: tuple[int, ...] = (16, 32, 64)
    hidden: int = 64
    dropout: float = 0.5

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {"filters": list(self.filters), "hidden": self.hidden, "dropout": self.dropout}

    @classmethod
    def from_json(cls, data: Any) -> "Shape":
        """What `to_json` wrote; raises KeyError, TypeError, ValueError."""
        made = cls(tuple(int(each) for each in data["filters"]), int(data["hidden"]), float(data["dropout"]))
        if not 1 <= len(made.filters) <= DEEPEST or min(*made.filters, made.hidden) < 1 or not 0 <= made.dropout < 1:
            raise ValueError(f"no network has the shape {data}")
        return made


def grey(images: Sequence[Image]) -> NDArray[np.float32]:
    """Pictures RGB uint8 [height, width, 3] as the CNN sees them, squeezed: float32 [N, 1, 128, 128], 0 to 1."""
    import cv2

    made = np.zeros((len(images), 1, SIDE, SIDE), np.float32)
    for row, image in zip(made, images, strict=True):
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        row[0] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return made


def cnn(shape: Shape) -> "torch.nn.Sequential":
    """float32 [N, 1, 128, 128] → logits [N, 1]; `last_maps` says which of its layers gives the last maps."""
    from torch import nn

    layers: list[nn.Module] = []
    channels, side = 1, SIDE
    for filters in shape.filters:
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        channels, side = filters, side // 2
    # A mean over fields of the last maps: where in the picture somebody is still counts, and few weights are left.
    layers += [nn.AdaptiveAvgPool2d(min(4, side)), nn.Flatten(), nn.Dropout(shape.dropout)]
    layers += [nn.Linear(channels * min(4, side) ** 2, shape.hidden), nn.ReLU(), nn.Linear(shape.hidden, 1)]
    return nn.Sequential(*layers)


def last_maps(shape: Shape) -> int:
    """How many of the CNN's layers lead to its last maps, after their ReLU."""
    return 3 * len(shape.filters) - 1
