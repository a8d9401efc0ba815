"""silero-vad's 16 kHz network as ONNX, its convolutions written as matrix products.

A chunk is so short (four spectra) that every convolution is one small matrix; onnxruntime runs these three times faster
than the file that the wheel brings. The weights are that file's: the .safetensors beside it holds other ones.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.features.onnx_read import initializers
from backend.features.onnx_write import Graph

Floats = NDArray[np.float32]

WINDOW, HOP, POSITIONS = 256, 128, 4
BINS, STATE = 129, 128


def _as_product(weight: Floats, positions: int, stride: int) -> tuple[Floats, int]:
    """A convolution [out, in, 3] with padding 1 as a matrix [positions * in, after * out], and how many are after."""
    outputs, inputs, taps = weight.shape
    after = (positions - 1) // stride + 1
    matrix = np.zeros((positions, inputs, after, outputs), np.float32)
    for at in range(after):
        for tap in range(taps):
            source = at * stride + tap - 1
            if 0 <= source < positions:
                matrix[source, :, at] = weight[:, :, tap].T
    return matrix.reshape(positions * inputs, after * outputs), after


def _gates(weights: Floats) -> Floats:
    """torch's order of LSTM gates (in, forget, cell, out) turned into ONNX's (in, out, forget, cell)."""
    first, forget, cell, out = np.split(weights, 4)
    return np.concatenate([first, out, forget, cell])[None]


def build(weights: Path) -> bytes:
    """ONNX: `windows` [chunks, 4, 256], state `h`, `c` [1, 1, 128] → `speech` [chunks, 1], `hn`, `cn`."""
    state = {name.removeprefix("model."): values for name, values in initializers(weights).items()}
    graph = Graph("windows", np.float32, ("chunks", POSITIONS, WINDOW))
    for name in ("h", "c"):
        graph.input(name, np.float32, (1, 1, STATE))
    basis = state["stft.forward_basis_buffer"][:, 0].T
    parts = [graph.node("MatMul", ["windows", graph.constant(part)]) for part in (basis[:, :BINS], basis[:, BINS:])]
    squares = [graph.node("Mul", [part, part]) for part in parts]
    value = graph.node("Flatten", [graph.node("Sqrt", [graph.node("Add", squares)])], {"axis": 1})
    positions = POSITIONS
    for layer, stride in enumerate((1, 2, 2, 1)):
        matrix, positions = _as_product(state[f"encoder.{layer}.reparam_conv.weight"], positions, stride)
        bias = np.tile(state[f"encoder.{layer}.reparam_conv.bias"], positions)
        value = graph.node("Relu", [graph.node("Gemm", [value, graph.constant(matrix), graph.constant(bias)])])
    value = graph.node("Unsqueeze", [value, graph.constant(np.array([1], np.int64))])
    lstm = [graph.constant(_gates(state[f"decoder.rnn.{name}"])) for name in ("weight_ih", "weight_hh")]
    biases = np.concatenate([_gates(state[f"decoder.rnn.bias_{name}"]) for name in ("ih", "hh")], axis=1)
    inputs = [value, *lstm, graph.constant(biases), "", "h", "c"]
    value = graph.node("LSTM", inputs, {"hidden_size": STATE}, more=("last_h", "last_c"))
    value = graph.node("Relu", [graph.node("Reshape", [value, graph.constant(np.array([-1, STATE], np.int64))])])
    final = (
        graph.constant(state["decoder.decoder.2.weight"].reshape(STATE, 1)),
        graph.constant(state["decoder.decoder.2.bias"]),
    )
    graph.output(graph.node("Sigmoid", [graph.node("Gemm", [value, *final])]), "speech", ("chunks", 1))
    graph.output("last_h", "hn", (1, 1, STATE))
    graph.output("last_c", "cn", (1, 1, STATE))
    return graph.to_bytes()
