"""The visible list of the catalogue's models.

A new one is a file beside this one and a line in MODELS; tests/test_catalogue.py tests it by finding it here.
"""

from collections.abc import Mapping
from pathlib import Path

from backend.errors import UnknownName
from backend.features.catalogue.ast_audio import Ast
from backend.features.catalogue.base import MODALITIES, Modality, Model
from backend.features.catalogue.clip import ClipImage, ClipText
from backend.features.catalogue.dinov2 import Dinov2
from backend.features.catalogue.efficientnet import EfficientNet
from backend.features.catalogue.mel import Mel
from backend.features.catalogue.minilm import MiniLm
from backend.features.catalogue.mpnet import MpNet
from backend.features.catalogue.mvit import Mvit
from backend.features.catalogue.r2plus1d import R2Plus1d
from backend.features.catalogue.slowfast import SlowFast
from backend.features.catalogue.vgg16 import Vgg16
from backend.features.catalogue.vggish import Vggish
from backend.features.catalogue.videomae import VideoMae
from backend.features.catalogue.vit import Vit
from backend.features.catalogue.whisper import Whisper

MODELS: tuple[type[Model], ...] = (
    *(MiniLm, MpNet, ClipText),
    *(ClipImage, Vgg16, Vit, EfficientNet, Dinov2),
    *(Whisper, Ast, Vggish, Mel),
    *(SlowFast, Mvit, R2Plus1d, VideoMae),
)


def models_of(modality: str) -> dict[str, type[Model]]:
    """Name → model of a modality; raises UnknownName."""
    if modality not in MODALITIES:
        raise UnknownName("modality", modality, MODALITIES)
    return {model.name: model for model in MODELS if model.modality == modality}


def model_named(modality: str, name: str) -> type[Model]:
    """The model of a modality by its short or its published name; raises UnknownName with the known ones."""
    known = models_of(modality)
    for model in known.values():
        if name.lower() in (model.name, model.published.lower()):
            return model
    raise UnknownName(f"{modality} model", name, known)


def path_takers() -> tuple[str, ...]:
    """Models whose weights may be given by path (SELECTS_MODELS__PATHS)."""
    return tuple(dict.fromkeys(model.name for model in MODELS if model.origin.takes_path))


def build(
    modality: Modality, name: str, *, paths: Mapping[str, Path], cache: Path | None = None, offline: bool = False
) -> Model:
    """The model, not yet loaded; `paths`, `cache` and `offline` as in features.registry.build. Raises UnknownName."""
    model = model_named(modality, name)
    given = paths.get(model.name)
    return model(weights=given.expanduser() if given else None, cache=cache, offline=offline)
