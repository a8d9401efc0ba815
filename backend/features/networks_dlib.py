"""dlib's face embedding (a ResNet of 29 convolutions, Davis King 2017) as ONNX, read from its .dat file.

dlib-bin is built without a BLAS: 155 ms a face, where onnxruntime needs six. The file is a plain sequence: each
layer's tag, then its parameters as little-endian floats in the network's order; integers carry a byte with their width.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.onnx_write import Graph

SIDE = 150
DIMENSION = 128
STAGES = ((32, 3), (64, 4), (128, 3), (256, 3), (256, 1))
"""(channels, residual blocks) per stage; the first block of every stage but the first halves the picture."""

MEAN_RGB = (122.782, 117.001, 104.298)


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


def _convolution(graph: Graph, reader: _Reader, value: str, shape: tuple[int, int, int], stride: int) -> str:
    """con (outputs, inputs, side) followed by affine, folded into one; only stride 1 pads."""
    outputs, inputs, side = shape
    flat, affine = reader.parameters(b"con_4"), reader.parameters(b"affine_")
    scale, shift = affine[:outputs], affine[outputs:]
    weight = flat[:-outputs].reshape(outputs, inputs, side, side) * scale[:, None, None, None]
    bias = flat[-outputs:] * scale + shift
    attributes: dict[str, Any] = {"kernel_shape": [side, side], "strides": [stride, stride]}
    attributes["pads"] = [side // 2 if stride == 1 else 0] * 4
    return graph.node("Conv", [value, graph.constant(weight), graph.constant(bias)], attributes)


def _padded(graph: Graph, value: str, channels: int, rows: int) -> str:
    """Zeros after the last channel, row and column: dlib adds tensors of unequal size so."""
    if not channels and not rows:
        return value
    return graph.node("Pad", [value, graph.constant(np.array([0, 0, 0, 0, 0, channels, rows, rows], np.int64))])


def _residual(
    graph: Graph, reader: _Reader, value: str, channels: tuple[int, int], side: int, down: bool
) -> tuple[str, int]:
    """One residual block; returns its output and the new side."""
    inputs, outputs = channels
    branch = _convolution(graph, reader, value, (outputs, inputs, 3), 2 if down else 1)
    branch = _convolution(graph, reader, graph.node("Relu", [branch]), (outputs, outputs, 3), 1)
    if down:
        branch_side, skip_side = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        value = graph.node("AveragePool", [value], {"kernel_shape": [2, 2], "strides": [2, 2]})
        side = max(branch_side, skip_side)
        value = _padded(graph, value, outputs - inputs, side - skip_side)
        branch = _padded(graph, branch, 0, side - branch_side)
    return graph.node("Relu", [graph.node("Add", [value, branch])]), side


def build(weights: Path) -> bytes:
    """ONNX: `chips` uint8 [n, 150, 150, 3] RGB, aligned faces → `vectors` float32 [n, 128]."""
    reader = _Reader(weights.read_bytes())
    graph = Graph("chips", np.uint8, ("n", SIDE, SIDE, 3))
    value = graph.node("Transpose", [graph.node("Cast", ["chips"], {"to": 1})], {"perm": [0, 3, 1, 2]})
    value = graph.node("Sub", [value, graph.constant(np.array(MEAN_RGB, np.float32)[:, None, None])])
    value = graph.node("Mul", [value, graph.constant(np.full((1,), 1 / 256, np.float32))])
    value = graph.node("Relu", [_convolution(graph, reader, value, (32, 3, 7), 2)])
    value = graph.node("MaxPool", [value], {"kernel_shape": [3, 3], "strides": [2, 2]})
    side, inputs = 35, 32
    for stage, (outputs, blocks) in enumerate(STAGES):
        for block in range(blocks):
            value, side = _residual(graph, reader, value, (inputs, outputs), side, stage > 0 and block == 0)
            inputs = outputs
    value = graph.node("Flatten", [graph.node("GlobalAveragePool", [value])], {"axis": 1})
    final = reader.parameters(b"fc_2", skip=2).reshape(inputs, DIMENSION)
    graph.output(graph.node("MatMul", [value, graph.constant(final)]), "vectors", ("n", DIMENSION))
    return graph.to_bytes()
