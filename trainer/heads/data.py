"""Corrections frozen into a folder of triplets.safetensors and manifest.json, named by the hash of what is in it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError, SchemaMismatch
from backend.features.schema import FeatureSchema
from backend.files import folder_atomically
from backend.scoring.stored import packed, read_tensors
from trainer.material.manifest import MANIFEST

FILE = "triplets.safetensors"
FORMAT = "selects-corrections-1"
NOTHING = -1
"""In no cluster; or, of a triplet, no negative."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Corrections:
    """N items, and T triplets of them that corrections say.

    schema      of the embedding, one block
    films       checksums, F of them; `held` bool [F]: frozen for tests only
    vectors     float32 [N, D], of any length
    film        int64 [N]: place in `films`
    cluster     int64 [N]: where each lies now, NOTHING for noise
    reviewed    bool [N]: in a cluster that people have named, or put something into
    triplets    int64 [T, 3]: anchor, positive, negative (or NOTHING), places of items
    correction  int64 [T]: which correction says it
    """

    id: str
    slot: str
    schema: FeatureSchema
    films: tuple[str, ...]
    held: NDArray[np.bool_]
    vectors: Floats
    film: Rows
    cluster: Rows
    reviewed: NDArray[np.bool_]
    triplets: Rows
    correction: Rows

    @property
    def anchor_film(self) -> Rows:
        """The film that each triplet is split by, int64 [T]: that of its anchor."""
        return self.film[self.triplets[:, 0]]


COLUMNS = ("held", "vectors", "film", "cluster", "reviewed", "triplets", "correction")


def write_corrections(parent: Path, found: Corrections) -> Path:
    """Write them as `parent`/<id>, whole or not at all; equal values give equal bytes. Raises OutputError."""
    data = packed({name: getattr(found, name) for name in COLUMNS})
    said = {
        "format": FORMAT, "slot": found.slot, "schema": found.schema.to_json(), "films": list(found.films),
        "rows": len(found.vectors), "triplets": len(found.triplets), "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    text = json.dumps(said, indent=2, sort_keys=True) + "\n"
    folder = parent / hashlib.sha256(text.encode()).hexdigest()[:16]
    if not (folder / MANIFEST).is_file():
        with folder_atomically(folder) as part:
            (part / FILE).write_bytes(data)
            (part / MANIFEST).write_text(text)
    return folder


def read_corrections(folder: Path) -> Corrections:
    """The corrections in `folder`; raises InputError, in one sentence, for whatever is wrong with them."""
    try:
        said = json.loads((folder / MANIFEST).read_text())
        data = (folder / FILE).read_bytes()
    except (OSError, ValueError) as broken:
        raise InputError(f"The corrections in {str(folder)!r} cannot be read: {broken}.") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise InputError(f"{MANIFEST} in {str(folder)!r} is none of corrections; metric slots are trained on those.")
    if said.get("sha256") != hashlib.sha256(data).hexdigest():
        raise InputError(f"{FILE} in {str(folder)!r} is not the file that its manifest names; copy the folder again.")
    columns = read_tensors(data, f"{FILE} in {str(folder)!r}")
    try:
        schema = FeatureSchema.from_json(said["schema"])
        films: Sequence[str] = said["films"]
        found = Corrections(folder.name, str(said["slot"]), schema, tuple(films), **{n: columns[n] for n in COLUMNS})
    except (KeyError, TypeError, SchemaMismatch) as broken:
        raise InputError(f"{MANIFEST} or {FILE} in {str(folder)!r} lacks {broken}.") from None
    if wrong := _wrong(found):
        raise InputError(f"The corrections in {str(folder)!r} cannot be used: {wrong}.")
    return found


def _wrong(found: Corrections) -> str:
    """What does not fit together, "" where all does."""
    count, films = len(found.vectors), len(found.films)
    shapes: dict[str, Any] = {
        "vectors": (count, found.schema.dimension), "held": (films,), "film": (count,), "cluster": (count,),
        "reviewed": (count,), "triplets": (len(found.triplets), 3), "correction": (len(found.triplets),),
    }  # fmt: skip
    for name, shape in shapes.items():
        if getattr(found, name).shape != shape:
            return f"{name!r} has the shape {getattr(found, name).shape}, expected {shape}"
    if count and not (found.film.min() >= 0 and found.film.max() < films):
        return "an item is of no film"
    places = found.triplets
    if len(places) and not (places.max() < count and places[:, :2].min() >= 0 and places[:, 2].min() >= NOTHING):
        return "a triplet names an item that is not there"
    return "" if np.isfinite(found.vectors).all() else "some vectors are not finite"
