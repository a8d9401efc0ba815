"""CSV files that others wrote: read whole, checked by their columns, one sentence where that cannot be done."""

import ast
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.errors import InputError

LARGEST_BYTES = 256 << 20

Row = dict[str, str]


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file by column, values without white space around them; `bad` rows had too few or too many."""

    rows: tuple[Row, ...]
    bad: int = 0


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """The named columns of a CSV file in UTF-8 with a header; raises InputError."""
    line = 0
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError(f"{path.name} is larger than {LARGEST_BYTES >> 20} MB: it is not the published file.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            places, rows, bad = _places(path, header, columns), [], 0
            for values in reader:
                line = reader.line_num
                if len(values) == len(header):
                    rows.append({name: values[at].strip() for name, at in places.items()})
                else:
                    bad += bool(values)
    except OSError as problem:
        raise InputError(f"Cannot read {str(path)!r}: {(problem.strerror or str(problem)).lower()}.") from None
    except UnicodeDecodeError:
        raise InputError(f"Cannot read {path.name}: it is not text in UTF-8.") from None
    except csv.Error as problem:
        raise InputError(f"Cannot read {path.name} after line {line}: {problem}.") from None
    if not rows:
        raise InputError(f"{path.name} has no rows.")
    return Table(tuple(rows), bad)


def _places(path: Path, header: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    names = [name.strip() for name in header]
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"{path.name} has no column {', '.join(missing)}; wanted: {', '.join(columns)}.")
    return {name: names.index(name) for name in columns}


def whole(value: str, lowest: int, highest: int) -> int | None:
    """A number like "2012.0" as an integer, None where it is none or out of range."""
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if lowest <= number <= highest and number == int(number) else None


def literal(value: str) -> object:
    """A list or dictionary written the way Python does, None where it is none."""
    try:
        found: object = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return found
