"""The MLP as torch trains it: in → 512 → 256 → 2. torch is imported only when `build` is called."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

HIDDEN = (512, 256)
DROPOUT = 0.3
NORM_EPSILON = 1e-5


def build(dimension: int, hidden: tuple[int, int] = HIDDEN, dropout: float = DROPOUT) -> "torch.nn.Module":
    """Standardise, then linear, batch norm, ReLU, dropout (twice), then linear: [N, dimension] → logits [N, 2].

    The logits are those of (reject, approve). `state_dict()` names what a model file holds: `input.mean` and
    `input.scale` [dimension] (buffers, one scale a block if the trainer fills them so), `hidden1`, `norm1`,
    `hidden2`, `norm2`, `output`. Random weights come from torch's global seed.
    """
    from collections import OrderedDict

    import torch
    from torch import nn

    class Standard(nn.Module):
        mean: torch.Tensor
        scale: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(dimension))
            self.register_buffer("scale", torch.ones(dimension))

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return (rows - self.mean) / self.scale

    layers: list[tuple[str, nn.Module]] = [("input", Standard())]
    for index, (wide, narrow) in enumerate(zip((dimension, *hidden), hidden, strict=False), start=1):
        layers += [
            (f"hidden{index}", nn.Linear(wide, narrow)),
            (f"norm{index}", nn.BatchNorm1d(narrow, eps=NORM_EPSILON)),
            (f"relu{index}", nn.ReLU()),
            (f"dropout{index}", nn.Dropout(dropout)),
        ]
    layers.append(("output", nn.Linear(hidden[-1], 2)))
    return nn.Sequential(OrderedDict(layers))
