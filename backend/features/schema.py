"""What a feature vector holds, by name: every stored vector, window and model carries its schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import SchemaMismatch


@dataclass(frozen=True)
class Block:
    """A named, contiguous part of a vector and who makes it."""

    name: str
    dimension: int
    extractor: str
    version: int = 1


@dataclass(frozen=True)
class FeatureSchema:
    """The blocks of a vector, in order."""

    name: str
    version: int
    blocks: tuple[Block, ...]

    @property
    def dimension(self) -> int:
        """Length of the whole vector."""
        return sum(block.dimension for block in self.blocks)

    @property
    def slices(self) -> dict[str, slice]:
        """Where each block lies in the vector."""
        found, start = {}, 0
        for block in self.blocks:
            found[block.name] = slice(start, start + block.dimension)
            start += block.dimension
        return found

    def join(self, blocks: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Concatenate per-shot blocks [shots, dimension of the block] into [shots, dimension]."""
        return np.concatenate([np.asarray(blocks[b.name], np.float32) for b in self.blocks], axis=1)

    def holds(self, other: "FeatureSchema") -> bool:
        """Whether a vector of this schema has all that one of `other` has: a later version with an optional block."""
        later = self.name == other.name and self.version > other.version
        return self == other or (later and set(other.blocks) < set(self.blocks))

    def columns(self, other: "FeatureSchema") -> NDArray[np.int64]:
        """Which columns of a vector of this schema make one of `other`, int64 [other.dimension].

        Raises SchemaMismatch where this schema does not hold it.
        """
        if not self.holds(other):
            other.require(self)
        slices = self.slices
        parts = [np.arange(slices[block.name].start, slices[block.name].stop) for block in other.blocks]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def require(self, other: "FeatureSchema") -> None:
        """Raise SchemaMismatch unless `other` has the same name, version and blocks."""
        if other != self:
            raise SchemaMismatch(
                f"The model wants features {self.describe()}, these are {other.describe()}; "
                "analyse the film with the profile the model was trained on, or train a model for this one."
            )

    def describe(self) -> str:
        """The schema in a few words."""
        parts = " + ".join(f"{b.name} {b.dimension} ({b.extractor} v{b.version})" for b in self.blocks)
        return f"{self.name!r} version {self.version}: {parts}"

    def to_json(self) -> dict[str, Any]:
        """The schema as plain JSON values."""
        blocks = [
            {"name": b.name, "dimension": b.dimension, "extractor": b.extractor, "version": b.version}
            for b in self.blocks
        ]
        return {"name": self.name, "version": self.version, "blocks": blocks}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FeatureSchema":
        """The schema that `to_json` wrote; raises SchemaMismatch where something is missing."""
        try:
            blocks = tuple(
                Block(b["name"], int(b["dimension"]), b.get("extractor", ""), int(b.get("version", 1)))
                for b in data["blocks"]
            )
            return cls(data["name"], int(data["version"]), blocks)
        except (KeyError, TypeError, ValueError) as broken:
            raise SchemaMismatch(f"The feature schema cannot be read: {broken!r}.") from broken
