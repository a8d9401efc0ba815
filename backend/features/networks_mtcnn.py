"""The three networks of MTCNN (Zhang et al. 2016) as ONNX, with facenet-pytorch's weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.features.onnx_write import Graph

State = dict[str, Any]

LANES = 16
"""onnxruntime pools in its blocked layout only where channels fill whole blocks: the first layer gets empty ones."""


def _load(weights: Path) -> State:
    """The weights as arrays; (pixel - 127.5) / 128 is folded into the first convolution, which has no padding."""
    loaded = torch.load(weights, map_location="cpu", weights_only=True)
    state = {name: value.numpy().astype(np.float32) for name, value in loaded.items()}
    state["conv1.weight"] = state["conv1.weight"] / 128
    state["conv1.bias"] = state["conv1.bias"] - 127.5 * state["conv1.weight"].sum(axis=(1, 2, 3))
    extra = -len(state["conv1.bias"]) % LANES
    for name in ("conv1.weight", "conv1.bias", "prelu1.weight"):
        state[name] = np.pad(state[name], ((0, extra), *((0, 0),) * (state[name].ndim - 1)))
    state["conv2.weight"] = np.pad(state["conv2.weight"], ((0, 0), (0, extra), (0, 0), (0, 0)))
    return state


def _start() -> tuple[Graph, str]:
    """A graph that takes RGB float32 [n, height, width, 3], 0 … 255."""
    graph = Graph("images", np.float32, ("n", "height", "width", 3))
    return graph, graph.node("Transpose", ["images"], {"perm": [0, 3, 1, 2]})


def _conv(graph: Graph, value: str, state: State, name: str) -> str:
    weight = state[f"{name}.weight"]
    return graph.node(
        "Conv",
        [value, graph.constant(weight), graph.constant(state[f"{name}.bias"])],
        {"kernel_shape": list(weight.shape[2:])},
    )


def _scaled(graph: Graph, value: str, factor: NDArray[np.float32]) -> str:
    zeros, ones = graph.constant(np.zeros_like(factor)), graph.constant(np.ones_like(factor))
    return graph.node("BatchNormalization", [value, graph.constant(factor), zeros, zeros, ones], {"epsilon": 0.0})


def _prelu(graph: Graph, value: str, state: State, name: str) -> str:
    """slope * x + (1 - slope) * max(x, 0): onnxruntime's own PRelu leaves its blocked layout and is slower."""
    slope = state[f"{name}.weight"]
    positive = graph.node("Relu", [value])
    return graph.node("Add", [_scaled(graph, value, slope), _scaled(graph, positive, 1 - slope)])


def _pool(graph: Graph, value: str, size: int) -> str:
    """torch's ceil_mode said as one row and column of padding at the end, which onnxruntime's blocked layout knows."""
    return graph.node("MaxPool", [value], {"kernel_shape": [size, size], "strides": [2, 2], "pads": [0, 0, 1, 1]})


def _dense(graph: Graph, value: str, state: State, name: str) -> str:
    inputs = [value, graph.constant(state[f"{name}.weight"]), graph.constant(state[f"{name}.bias"])]
    return graph.node("Gemm", inputs, {"transB": 1})


def _flat(graph: Graph, value: str) -> str:
    # The weights came from Caffe, which counts width before height.
    return graph.node("Flatten", [graph.node("Transpose", [value], {"perm": [0, 3, 2, 1]})], {"axis": 1})


def build_pnet(weights: Path) -> bytes:
    """Proposals over a grid of stride 2: `out` [n, 5, rows, columns] = log odds of a face, then four moves."""
    state = _load(weights)
    graph, value = _start()
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv1"), state, "prelu1"), 2)
    value = _prelu(graph, _conv(graph, value, state, "conv2"), state, "prelu2")
    value = _prelu(graph, _conv(graph, value, state, "conv3"), state, "prelu3")
    for part in ("weight", "bias"):
        no, yes = state[f"conv4_1.{part}"]
        state[f"conv4.{part}"] = np.concatenate([np.asarray(yes - no)[None], state[f"conv4_2.{part}"]])
    graph.output(_conv(graph, value, state, "conv4"), "out", ("n", 5, "rows", "columns"))
    return graph.to_bytes()


def build_rnet(weights: Path) -> bytes:
    """Refinement of 24 x 24 crops: `boxes` [n, 4] and `scores` [n, 2]."""
    state = _load(weights)
    graph, value = _start()
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv1"), state, "prelu1"), 3)
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv2"), state, "prelu2"), 3)
    value = _flat(graph, _prelu(graph, _conv(graph, value, state, "conv3"), state, "prelu3"))
    value = _prelu(graph, _dense(graph, value, state, "dense4"), state, "prelu4")
    graph.output(_dense(graph, value, state, "dense5_2"), "boxes", ("n", 4))
    graph.output(graph.node("Softmax", [_dense(graph, value, state, "dense5_1")], {"axis": 1}), "scores", ("n", 2))
    return graph.to_bytes()


def build_onet(weights: Path) -> bytes:
    """Decision on 48 x 48 crops: `boxes` [n, 4] and `scores` [n, 2]."""
    state = _load(weights)
    graph, value = _start()
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv1"), state, "prelu1"), 3)
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv2"), state, "prelu2"), 3)
    value = _pool(graph, _prelu(graph, _conv(graph, value, state, "conv3"), state, "prelu3"), 2)
    value = _flat(graph, _prelu(graph, _conv(graph, value, state, "conv4"), state, "prelu4"))
    value = _prelu(graph, _dense(graph, value, state, "dense5"), state, "prelu5")
    graph.output(_dense(graph, value, state, "dense6_2"), "boxes", ("n", 4))
    graph.output(graph.node("Softmax", [_dense(graph, value, state, "dense6_1")], {"axis": 1}), "scores", ("n", 2))
    return graph.to_bytes()


BUILDERS: dict[str, Callable[[Path], bytes]] = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}
