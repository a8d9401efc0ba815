"""Rows of engagement out of JSON and CSV: values in, values out."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from backend.errors import InputError
from labeling.engagement.shapes import FIELDS, BadRow, EngagementNew

MOST_ROWS = 20_000
LONGEST_SHOWN = 1000
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row with its line: 1 is a CSV's header, and the first of JSON."""

    line: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """What was sent: rows, and columns that are not known."""

    rows: list[Row]
    ignored: list[str]


def read_json(body: bytes) -> Sheet:
    """One object or a list of them; raises InputError."""
    try:
        # NaN and Infinity are no JSON, whatever the parser thinks.
        found = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InputError("The body cannot be read as JSON.") from None
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError("Send an object, or a list of objects.")
    return _sheet([Row(number, _flat(row)) for number, row in enumerate(rows, 1)])


def read_csv(body: bytes) -> Sheet:
    """A table with names in its first line, by comma, semicolon or tab; empty cells are left out. Raises InputError."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The table is not UTF-8; save it as CSV UTF-8.") from None
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _sheet(list(_rows(lines)))
    except csv.Error as problem:
        raise InputError(f"Line {lines.line_num} cannot be read as CSV: {problem}.") from None


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Without what no value holds and no answer can repeat: half characters, and lists within."""
    return {_whole(name): _whole(str(v) if isinstance(v, dict | list) else v) for name, v in row.items()}


def _whole(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _rows(lines: Any) -> Iterator[Row]:
    names = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in ("platform", "clip", "measured_at") if name not in names]
    if missing:
        raise InputError(f"The first line names the columns; {', '.join(missing)} is missing.")
    begins = lines.line_num + 1
    for cells in lines:
        values = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()}
        if len(cells) > len(names):
            values[""] = cells[len(names) :]
        if values:
            yield Row(begins, values)
        begins = lines.line_num + 1


def _sheet(rows: list[Row]) -> Sheet:
    if len(rows) > MOST_ROWS:
        raise InputError(f"{len(rows)} rows are too many at once; send at most {MOST_ROWS}.")
    return Sheet(rows, sorted({name for row in rows for name in row.values if name and name not in FIELDS}))


def parsed(row: Row) -> EngagementNew | BadRow:
    """The row as it should be, or what is wrong with it."""
    if "" in row.values:
        return bad(row, "it has more cells than the first line has names")
    try:
        return EngagementNew.model_validate(row.values)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return bad(row, f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, "))


def bad(row: Row, problem: str) -> BadRow:
    """A row that is not kept, with why."""
    return BadRow(line=row.line, problem=problem, row=json.dumps(row.values, ensure_ascii=False)[:LONGEST_SHOWN])


def _refuse(name: str) -> None:
    raise ValueError(name)
