"""dlib's face embedding (a ResNet of 29 convolutions, Davis King 2017) in torch, read from its .dat file.

dlib-bin is built without a BLAS: 155 ms a face, where onnxruntime needs six. The file is a plain sequence: each
layer's tag, then its parameters as little-endian floats in the network's order; integers carry a byte with their width.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

SIDE = 150
DIMENSION = 128
STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""(channels, residual blocks) per stage; the first block of every stage but the first halves the picture."""


@dataclass
class _Reader:
    """Takes parameters from the file in the order in which they lie there."""

    data: bytes
    position: int = 0

    def _integer(self) -> int:
        width = self.data[self.position] & 0x0F
        start = self.position + 1
        self.position = start + width
        return int.from_bytes(self.data[start : self.position], "little")

    def parameters(self, tag: bytes, skip: int = 0) -> NDArray[np.float32]:
        """The next layer's parameters, flat: after its `tag` and `skip` integers; raises ValueError without one."""
        self.position = self.data.index(bytes([len(tag)]) + tag, self.position) + 1 + len(tag)
        for _ in range(skip):
            self._integer()
        if self._integer() != 2:
            raise ValueError(f"unknown version of {tag!r}")
        size = 1
        for _ in range(4):
            size *= self._integer()
        values = np.frombuffer(self.data, "<f4", size, self.position)
        self.position += 4 * size
        return values.astype(np.float32)


def _convolution(reader: _Reader, inputs: int, outputs: int, side: int, stride: int) -> nn.Conv2d:
    """con followed by affine, folded into one; only stride 1 pads."""
    flat, affine = reader.parameters(b"con_4"), reader.parameters(b"affine_")
    scale, shift = affine[:outputs], affine[outputs:]
    layer = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2 if stride == 1 else 0)
    weight = flat[:-outputs].reshape(outputs, inputs, side, side) * scale[:, None, None, None]
    layer.load_state_dict(
        {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(flat[-outputs:] * scale + shift)}
    )
    return layer


class _Residual(nn.Module):
    """One residual block; dlib adds tensors of unequal size with zeros after the last channel, row and column."""

    def __init__(self, reader: _Reader, inputs: int, outputs: int, side: int, *, halves: bool) -> None:
        super().__init__()
        self.first = _convolution(reader, inputs, outputs, 3, 2 if halves else 1)
        self.second = _convolution(reader, outputs, outputs, 3, 1)
        self.halves, self.channels = halves, outputs - inputs
        self.side = side // 2 if halves else side
        self.rows = self.side - (side - 1) // 2 if halves else 0

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        branch = self.second(torch.relu(self.first(values)))
        if self.halves:
            values = functional.avg_pool2d(values, 2)
        if self.channels:
            values = functional.pad(values, (0, 0, 0, 0, 0, self.channels))
        if self.rows:
            branch = functional.pad(branch, (0, self.rows, 0, self.rows))
        return torch.relu(values + branch)


class FaceNetwork(nn.Module):
    """Aligned faces, RGB float32 [n, 3, 150, 150], less dlib's mean, / 256 → float32 [n, 128]."""

    def __init__(self, weights: Path) -> None:
        """Read the file; raises OSError, ValueError."""
        super().__init__()
        reader = _Reader(weights.read_bytes())
        self.stem = _convolution(reader, 3, 32, 7, 2)
        blocks: list[_Residual] = []
        side, inputs = 35, 32
        for stage, (outputs, count) in enumerate(STAGES):
            for block in range(count):
                blocks.append(_Residual(reader, inputs, outputs, side, halves=stage > 0 and block == 0))
                side, inputs = blocks[-1].side, outputs
        self.blocks = nn.Sequential(*blocks)
        self.final = nn.Parameter(torch.from_numpy(reader.parameters(b"fc_2", skip=2).reshape(inputs, DIMENSION)))

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = functional.max_pool2d(torch.relu(self.stem(faces)), 3, 2)
        values = self.blocks(values).mean(dim=(2, 3))
        return torch.matmul(values, self.final)
