"""A snapshot: labels frozen into a folder of windows.parquet and manifest.json, named by the hash of what is in it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.schema import FeatureSchema
from backend.files import folder_atomically
from trainer.material.manifest import MANIFEST, ROWS, identity, manifest_text

if TYPE_CHECKING:
    import pyarrow as pa

UNLABELLED = -1
APPROVED = 1

Floats = NDArray[np.float64]
Names = NDArray[np.object_]


@dataclass(frozen=True)
class Snapshot:
    """N windows with features [N, D]. `labels` is -1 where nobody said anything; unknown numbers are nan.

    decided_at  seconds since 1970; `viral`: engagement from 0 to 1
    prior       score of the documented prior of what is compelling; `viral_prior` of what is viral
    holdout     whether the window's film is frozen for tests only, None where the snapshot does not say
    """

    id: str
    schema: FeatureSchema
    window_ids: Names
    movies: Names
    start_s: Floats
    end_s: Floats
    labels: NDArray[np.int8]
    weights: NDArray[np.float32]
    sources: Names
    strategies: Names
    propensities: Floats
    features: NDArray[np.float32]
    genres: tuple[tuple[str, ...], ...]
    decided_at: Floats
    viral: Floats
    prior: Floats
    viral_prior: Floats
    holdout: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.window_ids)

    def take(self, rows: NDArray[Any]) -> "Snapshot":
        """The same with only these rows (indices or a mask), in their order; the id stays that of the whole."""
        kept = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        arrays = {name: getattr(self, name)[kept] for name in _ARRAYS}
        genres = tuple(self.genres[row] for row in kept)
        return replace(self, **arrays, genres=genres, holdout=None if self.holdout is None else self.holdout[kept])


_ARRAYS = (
    *("window_ids", "movies", "start_s", "end_s", "labels", "weights", "sources", "strategies", "propensities"),
    *("features", "decided_at", "viral", "prior", "viral_prior"),
)


def make_snapshot(
    schema: FeatureSchema, window_ids: Sequence[str], movies: Sequence[str], features: NDArray[Any], **columns: Any
) -> Snapshot:
    """A snapshot in memory, id "": columns as `Snapshot` names them; what is not given is unknown, weights are 1.

    Raises InputError where lengths differ.
    """
    count = len(window_ids)
    unknown = np.full(count, np.nan)
    texts = np.full(count, "", object)
    given = {
        "start_s": np.zeros(count), "end_s": np.zeros(count), "labels": np.full(count, UNLABELLED),
        "weights": np.ones(count), "sources": texts, "strategies": texts, "propensities": unknown,
        **dict.fromkeys(("decided_at", "viral", "prior", "viral_prior"), unknown), "genres": ((),) * count,
        "holdout": None,
        "movies": movies, "features": features, "window_ids": window_ids, **columns,
    }  # fmt: skip
    kinds: dict[str, Any] = {"labels": np.int8, "weights": np.float32, "features": np.float32}
    kinds |= dict.fromkeys(("window_ids", "movies", "sources", "strategies"), object)
    arrays = {name: np.asarray(given[name], kinds.get(name, np.float64)) for name in _ARRAYS}
    genres = tuple(tuple(names) for names in given["genres"])
    holdout = None if given["holdout"] is None else np.asarray(given["holdout"], np.bool_)
    for name, values in (*arrays.items(), ("genres", genres), ("holdout", holdout)):
        if values is not None and len(values) != count:
            raise InputError(f"A snapshot of {count} windows has {len(values)} values of {name!r}.")
    if arrays["features"].shape != (count, schema.dimension):
        raise InputError(f"The features have shape {arrays['features'].shape}, expected {(count, schema.dimension)}.")
    return Snapshot(id="", schema=schema, genres=genres, holdout=holdout, **arrays)


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in `folder`, also one that others made in this format; raises InputError in one sentence."""
    from trainer.material.reading import read

    return read(folder)


def write_snapshot(parent: Path, snapshot: Snapshot) -> Path:
    """Write it as `parent`/<its id>, whole or not at all; equal values give equal bytes. Raises OutputError."""
    data = _parquet(snapshot)
    sha256 = hashlib.sha256(data).hexdigest()
    folder = parent / identity(snapshot.schema, sha256)
    if (folder / MANIFEST).is_file():
        return folder
    with folder_atomically(folder) as part:
        (part / ROWS).write_bytes(data)
        (part / MANIFEST).write_bytes(manifest_text(snapshot.schema, len(snapshot), sha256))
    return folder


def _parquet(snapshot: Snapshot) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Numbers of a network hardly compress; of the other columns dictionaries are enough.
    pq.write_table(_table(snapshot), sink, compression="none", row_group_size=10_000)
    return bytes(sink.getvalue().to_pybytes())


def _table(snapshot: Snapshot) -> "pa.Table":
    import pyarrow as pa

    def known(values: Floats, kind: "pa.DataType") -> "pa.Array":
        return pa.array(values, type=kind, mask=np.isnan(values))

    flat = pa.array(np.ascontiguousarray(snapshot.features, np.float32).reshape(-1))
    columns = {
        "window_id": pa.array(snapshot.window_ids.tolist(), pa.string()),
        "movie_id": pa.array(snapshot.movies.tolist(), pa.string()),
        "start_s": pa.array(snapshot.start_s, pa.float64()),
        "end_s": pa.array(snapshot.end_s, pa.float64()),
        "label": pa.array(snapshot.labels, pa.int8(), mask=snapshot.labels == UNLABELLED),
        "weight": pa.array(snapshot.weights, pa.float32()),
        "source": pa.array(snapshot.sources.tolist(), pa.string()),
        "strategy": pa.array(snapshot.strategies.tolist(), pa.string()),
        "propensity": known(snapshot.propensities, pa.float64()),
        "features": pa.FixedSizeListArray.from_arrays(flat, snapshot.schema.dimension),
    }
    if any(snapshot.genres):
        columns["genres"] = pa.array([list(names) for names in snapshot.genres], pa.list_(pa.string()))
    if np.isfinite(snapshot.decided_at).any():
        whole = np.round(np.nan_to_num(snapshot.decided_at) * 1e6).astype(np.int64)
        columns["decided_at"] = pa.array(whole, mask=np.isnan(snapshot.decided_at)).cast(pa.timestamp("us", "UTC"))
    if snapshot.holdout is not None:
        columns["holdout"] = pa.array(snapshot.holdout)
    for name in ("viral", "prior", "viral_prior"):
        if np.isfinite(getattr(snapshot, name)).any():
            columns[name] = known(getattr(snapshot, name), pa.float32())
    return pa.table(columns)
