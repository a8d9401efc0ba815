"""Makes the ONNX files: each network as its own library builds it, in torch, through torch's exporter.

Imported only where a file is made: torch, timm and transformers take ten CPU seconds to load.
"""

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.features import torchvision_ops  # noqa: F401  (before timm, facenet-pytorch)

import torch  # isort: skip
from torch import nn  # isort: skip

Axes = Mapping[str, Mapping[int, str]]

PICTURES: Axes = {"images": {0: "n", 2: "height", 3: "width"}}
CROPS: Axes = {"images": {0: "n"}}


def efficientnet(weights: Path) -> bytes:
    """`images` float32 [n, 3, height, width], -1 … 1 → `vectors` [n, 1280]."""
    made = _exported(load_efficientnet(weights), torch.zeros(1, 3, 128, 224), PICTURES, ["vectors"])
    return _same_padding(made)


def load_efficientnet(weights: Path) -> nn.Module:
    """timm's `tf_efficientnet_lite0` without its classifier, holding `weights`.

    The file names its layers otherwise but in the same order, so names are zipped; shapes are checked, and the
    classifier is all that may be left over.
    """
    from timm.models.efficientnet import tf_efficientnet_lite0

    network: nn.Module = tf_efficientnet_lite0(pretrained=False, num_classes=0).eval()
    state = torch.load(weights, map_location="cpu", weights_only=True)
    state = {name: value for name, value in state.items() if not name.startswith("_fc.")}
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    return network


def efficientnet_classes(weights: Path) -> bytes:
    """The classifier: `vectors` float32 [n, 1280] → `probabilities` [n, 1000], in ImageNet's order."""
    return _exported(load_efficientnet_classes(weights), torch.zeros(1, 1280), {"vectors": {0: "n"}}, ["probabilities"])


def load_efficientnet_classes(weights: Path) -> nn.Module:
    """The last layer, that `load_efficientnet` leaves out, and a softmax."""
    state = torch.load(weights, map_location="cpu", weights_only=True)
    layer = nn.Linear(1280, 1000)
    layer.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
    return nn.Sequential(layer, nn.Softmax(dim=1)).eval()


def _same_padding(made: bytes) -> bytes:
    """Padding said as ONNX's own SAME_UPPER: traced it is 400 nodes of arithmetic, and 1.4 times the time."""
    import onnx
    from onnx.utils import Extractor

    model = onnx.load_from_string(made)
    padded = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Pad"}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] in padded:
            node.input[0] = padded[node.input[0]]
            kept = [attribute for attribute in node.attribute if attribute.name != "pads"]
            del node.attribute[:]
            node.attribute.extend([*kept, onnx.helper.make_attribute("auto_pad", "SAME_UPPER")])
    reached: bytes = Extractor(model).extract_model(["images"], ["vectors"]).SerializeToString()
    return reached


def pnet(weights: Path) -> bytes:
    """Proposals over a grid of stride 2: `images` float32 [n, 3, height, width], -1 … 1 → `moves`, `scores`."""
    from facenet_pytorch.models.mtcnn import PNet

    return _exported(_face_network(PNet, weights), torch.zeros(1, 3, 64, 64), PICTURES, ["moves", "scores"])


def rnet(weights: Path) -> bytes:
    """Refinement: `images` float32 [n, 3, 24, 24], -1 … 1 → `moves` [n, 4], `scores` [n, 2]."""
    from facenet_pytorch.models.mtcnn import RNet

    return _exported(_face_network(RNet, weights), torch.zeros(1, 3, 24, 24), CROPS, ["moves", "scores"])


def onet(weights: Path) -> bytes:
    """Decision: `images` float32 [n, 3, 48, 48], -1 … 1 → `moves` [n, 4], `points` [n, 10], `scores` [n, 2]."""
    from facenet_pytorch.models.mtcnn import ONet

    return _exported(_face_network(ONet, weights), torch.zeros(1, 3, 48, 48), CROPS, ["moves", "points", "scores"])


class _Slope(nn.Module):
    """nn.PReLU in parts that stay in onnxruntime's blocked layout, where its own PRelu does not: 1.5 times as fast."""

    def __init__(self, slope: torch.Tensor) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        slope = self.slope.reshape(-1, *[1] * (values.dim() - 2))
        return slope * values + (1 - slope) * torch.relu(values)


def _face_network(kind: Callable[..., Any], weights: Path) -> nn.Module:
    network: nn.Module = kind(pretrained=False)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    for name, part in list(network.named_children()):
        if isinstance(part, nn.PReLU):
            setattr(network, name, _Slope(part.weight.detach()))
    return network


def dlib_face(weights: Path) -> bytes:
    """`images` float32 [n, 3, 150, 150], normalised faces → `vectors` [n, 128]."""
    from backend.features.networks_dlib import SIDE, FaceNetwork

    return _exported(FaceNetwork(weights), torch.zeros(1, 3, SIDE, SIDE), CROPS, ["vectors"])


class _Mean(nn.Module):
    """The mean of a text model's last hidden states."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.network(input_ids=tokens).last_hidden_state
        return states.mean(dim=1)


def minilm(weights: Path) -> bytes:
    """`tokens` int64 [1, length] → `vectors` float32 [1, 384], not yet of length 1."""
    example = torch.zeros(1, 7, dtype=torch.int64)
    return _exported(_Mean(load_minilm(weights)), example, {"tokens": {1: "length"}}, ["vectors"])


def load_minilm(weights: Path) -> nn.Module:
    """transformers' BertModel holding `weights`, with config.json beside them."""
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel

    network: nn.Module = BertModel(BertConfig.from_json_file(weights.parent / "config.json"))
    state = load_file(weights)
    del state["embeddings.position_ids"]  # 0, 1, 2, …: counted, no longer stored
    network.load_state_dict(state)
    return network.eval()


def _exported(network: nn.Module, example: torch.Tensor, axes: Axes, outputs: Sequence[str]) -> bytes:
    """The network as an ONNX file; `axes` names its input and those of its axes that may have any size."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / "network.onnx"
        # The exporter without dynamo is deprecated, but the new one wants onnxscript. The other two tell of sizes that
        # it takes as fixed or works out at run time; the tests compare several sizes with the library's own answers.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Converting a tensor")
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            network.eval(),
            (example,),
            path,
            dynamo=False,
            opset_version=17,
            input_names=list(axes),
            output_names=list(outputs),
            dynamic_axes={name: dict(sizes) for name, sizes in axes.items()},
        )
        return path.read_bytes()


MAKERS: dict[str, Callable[[Path], bytes]] = {
    "efficientnet-lite0": efficientnet,
    "efficientnet-lite0-classes": efficientnet_classes,
    "mtcnn-pnet": pnet,
    "mtcnn-rnet": rnet,
    "mtcnn-onet": onet,
    "dlib-face": dlib_face,
    "minilm": minilm,
}
"""Network of networks.NETWORKS → what makes its file of its weights."""
