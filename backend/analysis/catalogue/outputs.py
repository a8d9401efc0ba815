"""The files that people asked for: one JSON file a title, or one table of all; and a list of what was skipped."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path

import numpy as np

from backend.analysis.catalogue.state import State
from backend.analysis.catalogue.titles import file_name
from backend.features.base import Vectors
from backend.files import file_atomically, write_atomically, write_many

TABLE, SKIPPED = "features", "skipped.csv"
ROWS = 1024
KEPT = "; the vector of its earlier input is kept"


class Format(StrEnum):
    """How vectors are written."""

    json = "json"
    parquet = "parquet"
    h5 = "h5"


def write_json(folder: Path, vectors: Iterable[tuple[str, Vectors]]) -> None:
    """`ID.json` with {id: [numbers]} for each; every file whole or not at all. Raises OutputError."""
    import orjson

    option = orjson.OPT_SERIALIZE_NUMPY
    write_many(
        folder, {f"{file_name(id_)}.json": orjson.dumps({id_: vector}, option=option) for id_, vector in vectors}
    )


def write_missing_json(folder: Path, state: State) -> None:
    """Write the files that a stopped run has not come to, or that somebody removed. Raises OutputError."""
    here = {path.name for path in folder.iterdir()}
    lacking = (id_ for id_ in state.ids() if f"{file_name(id_)}.json" not in here)
    while part := list(islice(lacking, ROWS)):
        write_json(folder, ((id_, state.vector(id_)) for id_ in part))


def write_table(folder: Path, state: State, kind: Format, dimension: int, about: Mapping[str, object]) -> Path:
    """One table of all vectors, by id, unless it is there and nothing has changed. Raises OutputError."""
    path = folder / f"{TABLE}.{kind}"
    if path.is_file() and state.written(kind) == state.revision:
        return path
    writers: dict[Format, Callable[[Path, State, int, Mapping[str, object]], None]]
    writers = {Format.parquet: _write_parquet, Format.h5: _write_h5}
    with file_atomically(path) as part:
        writers[kind](part, state, dimension, about)
    state.set_written(kind)
    return path


def write_skipped(folder: Path, state: State) -> int:
    """`skipped.csv`: id and reason of every title without a vector of its own; how many. Raises OutputError."""
    skipped, path = state.skipped(), folder / SKIPPED
    if not skipped:
        path.unlink(missing_ok=True)
        return 0
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("id", "reason"))
    rows.writerows((title_id, reason + (KEPT if kept else "")) for title_id, reason, kept in skipped)
    content = text.getvalue().encode("utf-8", "backslashreplace")
    if not path.is_file() or path.read_bytes() != content:
        write_atomically(path, content)
    return len(skipped)


def _write_parquet(path: Path, state: State, dimension: int, about: Mapping[str, object]) -> None:
    """Columns `id` and `vector` (fixed-size list of float32); the model stands in the schema's metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    fields = [pa.field("id", pa.string()), pa.field("vector", pa.list_(pa.float32(), dimension))]
    schema = pa.schema(fields, metadata={f"selects.{name}": str(value) for name, value in about.items()})
    with parquet.ParquetWriter(path, schema, compression="zstd") as file:
        rows = state.vectors()
        while part := list(islice(rows, ROWS)):
            flat = pa.array(np.concatenate([vector for _, vector in part]))
            columns = [pa.array([id_ for id_, _ in part]), pa.FixedSizeListArray.from_arrays(flat, dimension)]
            file.write_table(pa.table(columns, schema=schema))


def _write_h5(path: Path, state: State, dimension: int, about: Mapping[str, object]) -> None:
    """Datasets `id` (UTF-8) and `vector`, float32 [titles, dimension]; the model stands in the attributes."""
    import h5py

    ids = state.ids()
    # What is being written is locked already (files.py).
    with h5py.File(path, "w", locking=False) as file:
        file.attrs.update({name: str(value) for name, value in about.items()})
        file.create_dataset("id", data=ids, dtype=h5py.string_dtype())
        made = file.create_dataset("vector", (len(ids), dimension), np.float32)
        rows, at = state.vectors(), 0
        while part := [vector for _, vector in islice(rows, ROWS)]:
            made[at : at + len(part)] = np.stack(part)
            at += len(part)
