"""The visible list of extractors and the profiles made of them.

A new extractor is a file beside this one and a line in EXTRACTORS; tests/test_features.py tests it by finding it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.errors import UnknownName
from backend.features.base import Extractor
from backend.features.catalogue.registry import path_takers
from backend.features.colour import Colour
from backend.features.dialogue import Dialogue
from backend.features.dynamics import Dynamics
from backend.features.efficientnet import EfficientNetLite0
from backend.features.facenet import FaceNetFaces
from backend.features.faces import Faces
from backend.features.framing.block import Framing
from backend.features.labels import Labels
from backend.features.mel import LogMel
from backend.features.openclip import OpenClip
from backend.features.schema import Block, FeatureSchema
from backend.features.videomae import VideoMae

EXTRACTORS: dict[str, type[Extractor]] = {
    "efficientnet": EfficientNetLite0,
    "mel": LogMel,
    "faces": Faces,
    "dynamics": Dynamics,
    "colour": Colour,
    "labels": Labels,
    "dialogue": Dialogue,
    "videomae": VideoMae,
    "openclip": OpenClip,
    "facenet": FaceNetFaces,
    "framing": Framing,
}

OPTIONAL = ("framing",)
"""Extractors whose blocks version 2 of a profile's schema adds, for whoever wants them (settings.analysis.framing)."""


@dataclass(frozen=True)
class Profile:
    """What is made of every shot: the schema that ranking uses, and extractors whose blocks are stored beside it."""

    schema: FeatureSchema
    extras: tuple[str, ...] = ()

    @property
    def framed(self) -> FeatureSchema:
        """Version 2 of the schema: the same blocks, and the optional ones."""
        return FeatureSchema(self.schema.name, 2, (*self.schema.blocks, *_blocks(OPTIONAL)))

    def schema_for(self, *, framing: bool) -> FeatureSchema:
        """The schema with or without optional blocks."""
        return self.framed if framing else self.schema

    @property
    def extractors(self) -> tuple[str, ...]:
        """Names of all extractors, those of the schema first."""
        return tuple(block.extractor for block in self.schema.blocks) + self.extras


def _schema(name: str, extractors: tuple[str, ...]) -> FeatureSchema:
    return FeatureSchema(name, 1, _blocks(extractors))


def _blocks(extractors: tuple[str, ...]) -> tuple[Block, ...]:
    classes = [EXTRACTORS[extractor] for extractor in extractors]
    return tuple(Block(c.block, c.dimension, c.name, c.version) for c in classes)


PROFILES: dict[str, Profile] = {
    "embedded": Profile(
        _schema("embedded", ("efficientnet", "mel", "faces", "dynamics")), extras=("colour", "dialogue")
    ),
    "full": Profile(
        _schema("full", ("videomae", "mel", "facenet", "dynamics")), extras=("openclip", "colour", "dialogue")
    ),
}


def profile_named(name: str) -> Profile:
    """The profile called `name`; raises UnknownName with the known ones."""
    if name not in PROFILES:
        raise UnknownName("profile", name, PROFILES)
    return PROFILES[name]


def build(
    profile: str,
    *,
    paths: Mapping[str, str] | None = None,
    cache: Path | None = None,
    offline: bool = False,
    extras: tuple[str, ...] = (),
) -> dict[str, Extractor]:
    """The extractors of a profile by name, not yet loaded.

    paths    extractor name → file or folder with its weights (settings.models.paths)
    cache    folder for networks that set-up has not made and for downloaded weights
    offline  never ask a hub
    extras   extractors to build besides those of the profile
    Raises UnknownName for a profile that is not listed, or a path for a model that takes none.
    """
    paths = paths or {}
    takers = {*(known for known, extractor in EXTRACTORS.items() if extractor.takes_path), *path_takers()}
    for name in paths:
        if name not in takers:
            raise UnknownName("model in SELECTS_MODELS__PATHS", name, takers)
    weights = {name: Path(path).expanduser() for name, path in paths.items()}
    wanted = (*profile_named(profile).extractors, *extras)
    return {name: EXTRACTORS[name](weights=weights.get(name), cache=cache, offline=offline) for name in wanted}
