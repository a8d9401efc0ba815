"""A metric head: what corrections have taught of likeness, as a linear map over a frozen embedding, run in numpy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.clusters.grouping import Floats
from backend.clusters.reduce import MOST_DIMS, unit
from backend.errors import InputError
from backend.features.schema import Block, FeatureSchema
from backend.scoring.stored import GOLDEN, read_folder, read_golden, write_golden, write_version

AXES = "axes"
PLACE = "metric"
SLOTS = ("metric/scene", "metric/character")
CHUNK = 4096
"""Rows at a time: memory does not grow with their number."""

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Head:
    """A loaded head. `schema` has one block: the embedding that it is for; `axes` float32 [D, d].

    nothing  the squared distance, through the head, of items that have nothing to do with each other
    """

    version: str
    schema: FeatureSchema
    nothing: float
    sha256: str
    card: Mapping[str, Any]
    axes: Floats

    @property
    def space(self) -> str:
        """The extractor whose embedding it is for."""
        return self.schema.blocks[0].extractor

    def apply(self, vectors: Floats) -> Floats:
        """Float32 [N, D], of any length → float32 [N, d] of length 1; rows of zeros, or with NaN, become zeros."""
        found = np.zeros((len(vectors), self.axes.shape[1]), np.float32)
        for at in range(0, len(vectors), CHUNK):
            rows = np.asarray(vectors[at : at + CHUNK], np.float32)
            there = np.isfinite(rows).all(axis=1, keepdims=True)
            found[at : at + CHUNK] = unit(unit(np.where(there, rows, 0)) @ self.axes)
        return found


def slot_of(kind: str) -> str:
    """Where heads of a kind are live."""
    return f"{PLACE}/{kind}"


def is_metric(slot: str) -> bool:
    """Whether a slot holds heads, and not models that score."""
    return slot.partition("/")[0] == PLACE


def schema_of(kind: str, extractor: str, version: int, dimension: int) -> FeatureSchema:
    """What a head of a kind knows: one embedding of one extractor."""
    return FeatureSchema(extractor, version, (Block(kind, dimension, extractor, version),))


def make_head(axes: Floats, card: Mapping[str, Any], where: str = "memory") -> Head:
    """A head from its map and its card; raises InputError or SchemaMismatch for whatever is wrong with them."""
    schema = FeatureSchema.from_json(card["schema"])
    if str(card.get("slot")) not in SLOTS or len(schema.blocks) != 1:
        raise InputError(f"The model in {where!r} is no metric head: its slot is {card.get('slot')!r}.")
    if not isinstance(card.get("version"), str) or not card["version"]:
        raise InputError(f"The card of the model in {where!r} names no version.")
    dims = axes.shape[1] if axes.ndim == 2 else 0
    if axes.shape != (schema.dimension, dims) or not 1 <= dims <= MOST_DIMS:
        expected = f"({schema.dimension}, 1 to {MOST_DIMS})"
        raise InputError(f"The model in {where!r} has {AXES!r} of shape {axes.shape}, expected {expected}.")
    nothing = card.get("nothing")
    if isinstance(nothing, bool) or not isinstance(nothing, int | float) or not 0 < nothing <= 4:
        raise InputError(f"The model in {where!r} says {nothing!r} of unrelated items; it must be above 0, 4 at most.")
    if not np.isfinite(axes).all() or not axes.any():
        raise InputError(f"The model in {where!r} holds values in {AXES!r} that are not finite, or nothing but zeros.")
    own = np.ascontiguousarray(axes, np.float32)
    return Head(card["version"], schema, float(nothing), str(card.get("sha256", "")), dict(card), own)


def load_head(folder: Path) -> Head:
    """The head in `folder`, which answers its golden vectors as it did when it was made; raises as `make_head` does."""
    tensors, card = read_folder(folder)
    if AXES not in tensors:
        raise InputError(f"The model in {str(folder)!r} lacks the tensor {AXES!r}.")
    head = make_head(tensors[AXES], card, str(folder))
    golden = read_golden(folder, head.version, card)
    shapes = {name: golden[name].shape if name in golden else () for name in ("vectors", "mapped")}
    count = len(golden["vectors"]) if shapes["vectors"] else 0
    if not count or shapes != {"vectors": (count, head.axes.shape[0]), "mapped": (count, head.axes.shape[1])}:
        raise InputError(f"{GOLDEN} of model {head.version} holds vectors of another size.")
    apart = float(np.max(np.abs(head.apply(golden["vectors"]) - golden["mapped"])))
    if not apart <= TOLERANCE:
        raise InputError(
            f"Model {head.version} does not answer its golden vectors as it did when it was made: "
            f"the largest difference is {apart:.3g}, {TOLERANCE:g} at most may be."
        )
    return head


def save_head(folder: Path, axes: Floats, card: Mapping[str, Any], golden: Floats) -> Path:
    """Write a head, its card and the golden vectors [G, D]; equal input gives equal bytes. Raises as `make_head` does.

    `card` names version, slot, schema and nothing.
    """
    head = make_head(axes, card, str(folder))
    rows = np.ascontiguousarray(golden, np.float32)
    sha256 = write_golden(folder, {"vectors": rows, "mapped": head.apply(rows)})
    return write_version(folder, {AXES: head.axes}, {**card, "golden_sha256": sha256})
