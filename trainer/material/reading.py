"""windows.parquet as arrays: lenient with types that others write, strict with what would mean something else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.schema import FeatureSchema
from trainer.material.manifest import ROWS, identity, read_manifest, rows_said
from trainer.snapshot import UNLABELLED, Floats, Names, Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("window_id", "movie_id", "label", "features")
OPTIONAL = (
    *("start_s", "end_s", "weight", "source", "strategy", "propensity"),
    *("genres", "decided_at", "holdout", "viral", "prior", "viral_prior"),
)


def read(folder: Path) -> Snapshot:
    """The snapshot in `folder`; raises InputError in one sentence for whatever is wrong with it."""
    schema, sha256 = read_manifest(folder)
    table = _table(folder)
    said = rows_said(folder)
    if said is not None and said != table.num_rows:
        raise InputError(f"{ROWS} in {str(folder)!r} has {table.num_rows} rows, its manifest says {said}.")
    columns = _Columns(table, folder)
    holdout = columns.numbers("holdout", 0.0)
    weights = columns.numbers("weight", 1.0)
    if np.any(weights < 0) or np.any(weights > np.finfo(np.float32).max):
        raise InputError(
            f"The column 'weight' in {str(folder)!r} holds values that are negative or larger than any weight can be."
        )
    propensities = columns.numbers("propensity")
    # A chance of nothing cannot have been drawn: such a value says that the chance is not known.
    propensities[~((propensities > 0) & (propensities <= 1))] = np.nan
    return Snapshot(
        id=identity(schema, sha256),
        schema=schema,
        window_ids=columns.texts("window_id"),
        movies=columns.texts("movie_id"),
        start_s=columns.numbers("start_s", 0.0),
        end_s=columns.numbers("end_s", 0.0),
        labels=columns.labels(),
        weights=np.nan_to_num(weights, nan=1.0).astype(np.float32),
        sources=columns.texts("source"),
        strategies=columns.texts("strategy"),
        propensities=propensities,
        features=columns.features(schema),
        genres=columns.genres(),
        decided_at=columns.seconds("decided_at"),
        viral=columns.share("viral"),
        prior=columns.numbers("prior"),
        viral_prior=columns.numbers("viral_prior"),
        holdout=holdout > 0.5 if "holdout" in table.column_names else None,
    )


def _table(folder: Path) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(folder / ROWS)
        there = set(file.schema_arrow.names)
        missing = [name for name in NEEDED if name not in there]
        if missing:
            raise InputError(f"{ROWS} in {str(folder)!r} lacks the column {missing[0]!r}.")
        return file.read([name for name in (*NEEDED, *OPTIONAL) if name in there])
    except (pa.ArrowException, OSError, ValueError) as broken:
        said = str(broken).partition("\n")[0].rstrip(".")
        raise InputError(f"{ROWS} in {str(folder)!r} cannot be read: {said}.") from broken


class _Columns:
    """The columns of one table as arrays."""

    def __init__(self, table: "pa.Table", folder: Path) -> None:
        self._table = table
        self._folder = folder

    def texts(self, name: str) -> Names:
        """Strings [N]; numbers as their digits, "" for null or a missing column."""
        if name not in self._table.column_names:
            return np.full(self._table.num_rows, "", object)
        values = self._table.column(name).to_pylist()
        if name in ("window_id", "movie_id") and any(value is None for value in values):
            raise self._wrong(name, "has rows without a value")
        return np.array(["" if value is None else _text(value) for value in values] or [""], object)[: len(values)]

    def numbers(self, name: str, default: float = np.nan) -> Floats:
        """float64 [N]; `default` for null or a missing column."""
        import pyarrow as pa

        if name not in self._table.column_names:
            return np.full(self._table.num_rows, default)
        column = self._table.column(name)
        if pa.types.is_null(column.type):
            return np.full(len(column), default)
        try:
            found = column.cast(pa.float64()).fill_null(default).to_numpy()
        except pa.ArrowException as broken:
            raise self._wrong(name, f"holds {column.type}, not numbers") from broken
        return np.array(found, np.float64)

    def seconds(self, name: str) -> Floats:
        """Points of time as seconds since 1970, float64 [N]; numbers are taken for such seconds."""
        import pyarrow as pa

        column = self._table.column(name) if name in self._table.column_names else None
        if column is None:
            return np.full(self._table.num_rows, np.nan)
        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("us"))
        if _is_text(column.type):
            return self._written_seconds(name, column.to_pylist())
        if not pa.types.is_timestamp(column.type):
            return self.numbers(name)
        micros = column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.int64()).cast(pa.float64())
        return np.array(micros.fill_null(np.nan).to_numpy(), np.float64) / 1e6

    def _written_seconds(self, name: str, values: list[Any]) -> Floats:
        """Points of time as ISO 8601 writes them; without a zone they are UTC."""
        try:
            return np.array([_written_s(value) for value in values], np.float64)
        except (TypeError, ValueError) as broken:
            raise self._wrong(name, "holds what is no point of time") from broken

    def share(self, name: str) -> Floats:
        """Numbers from 0 to 1, float64 [N], nan where unknown."""
        found = self.numbers(name)
        if np.any((found < 0) | (found > 1)):
            raise self._wrong(name, "holds values outside 0 to 1")
        return found

    def labels(self) -> NDArray[np.int8]:
        """1 approved, 0 rejected, -1 unlabelled."""
        found = self.numbers("label", float(UNLABELLED))
        found[np.isnan(found)] = UNLABELLED
        if not np.isin(found, (UNLABELLED, 0, 1)).all():
            raise self._wrong("label", "holds other values than 1, 0 and null")
        return found.astype(np.int8)

    def genres(self) -> tuple[tuple[str, ...], ...]:
        """The genres of each row, in small letters."""
        if "genres" not in self._table.column_names:
            return ((),) * int(self._table.num_rows)
        listed: list[Any] = self._table.column("genres").to_pylist()
        return tuple(_genres(value) for value in listed)

    def features(self, schema: FeatureSchema) -> NDArray[np.float32]:
        """float32 [N, D]; rows without features are nan."""
        import pyarrow as pa

        rows, wide = self._table.num_rows, schema.dimension
        found = np.full((rows, wide), np.nan, np.float32)
        at = 0
        for chunk in self._table.column("features").chunks:
            kind = chunk.type
            if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
                raise self._wrong("features", f"holds {kind}, not lists of numbers")
            there = np.asarray(chunk.is_valid())
            valid = chunk.filter(pa.array(there))
            lengths = np.asarray(valid.value_lengths()) if len(valid) else np.zeros(0, int)
            if np.any(lengths != wide):
                other = int(lengths[lengths != wide][0])
                raise self._wrong(
                    "features", f"has {other} numbers in a row, the blocks of the schema add up to {wide}"
                )
            try:
                flat = valid.flatten().cast(pa.float32(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
            except pa.ArrowException as broken:
                raise self._wrong("features", f"holds {kind}, not lists of numbers") from broken
            found[at + np.flatnonzero(there)] = flat.reshape(-1, wide)
            at += len(chunk)
        return found

    def _wrong(self, name: str, what: str) -> InputError:
        return InputError(f"The column {name!r} of {ROWS} in {str(self._folder)!r} {what}.")


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(of(kind) for of in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _text(value: Any) -> str:
    # A table that went through pandas has whole numbers as 12.0 where others were missing.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _written_s(value: str | None) -> float:
    if not value or not value.strip():
        return np.nan
    at = datetime.fromisoformat(value.strip())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _genres(value: Any) -> tuple[str, ...]:
    parts = value.replace(",", ";").split(";") if isinstance(value, str) else value or ()
    return tuple(dict.fromkeys(str(part).strip().lower() for part in parts if part and str(part).strip()))
