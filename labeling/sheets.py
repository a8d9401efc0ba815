"""Tables that people send, as CSV, JSON or JSON lines: values in, values out. What is wrong is named by line."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backend.errors import InputError

LONGEST_SHOWN = 1000
DELIMITERS = ",;\t"
LONGEST_CELL = 1 << 20
Shape = TypeVar("Shape", bound=BaseModel)


class BadRow(BaseModel):
    """A row that was not kept: its line in the file (in JSON: its place, from 1), why, and its beginning as JSON."""

    line: int
    problem: str
    row: str


@dataclass(frozen=True)
class Row:
    """One row with its line: 1 is a CSV's header, and the first of JSON. `problem`: it cannot be read at all."""

    line: int
    values: dict[str, Any]
    problem: str = ""


def read_json(body: bytes) -> list[Row]:
    """One object or a list of them; raises InputError."""
    try:
        found = _parsed(body)
    except ValueError:
        raise InputError("The body cannot be read as JSON.") from None
    rows = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError("Send an object, or a list of objects.")
    return [Row(number, _flat(row)) for number, row in enumerate(rows, 1)]


def read_json_lines(body: bytes) -> list[Row]:
    """One object a line; empty lines are passed over. A line that is none is a row with a problem."""
    return [_line(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def read_csv(body: bytes, needed: Sequence[str]) -> list[Row]:
    """A table with names in its first line, by comma, semicolon or tab; empty cells are left out. Raises InputError."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The table is not UTF-8; save it as CSV UTF-8.") from None
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return list(_rows(lines, needed))
    except csv.Error as problem:
        raise InputError(f"Line {lines.line_num} cannot be read as CSV: {problem}.") from None


def unknown_names(rows: Sequence[Row], known: Sequence[str]) -> list[str]:
    """Names of columns that are not known."""
    return sorted({name for row in rows for name in row.values if name not in known})


def shaped(row: Row, shape: type[Shape], prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Shape | BadRow:
    """The row as the shape wants it, or what is wrong with it."""
    if row.problem:
        return bad(row, row.problem)
    try:
        return shape.model_validate(prepare(row.values))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return bad(row, f"{where}: {first['msg']}" if where else first["msg"].removeprefix("Value error, "))


def bad(row: Row, problem: str) -> BadRow:
    """A row that is not kept, with why."""
    return BadRow(line=row.line, problem=problem, row=json.dumps(row.values, ensure_ascii=False)[:LONGEST_SHOWN])


def _rows(lines: Any, needed: Sequence[str]) -> Iterator[Row]:
    names = [name.strip().lower() for name in next(lines, [])]
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(f"The first line names the columns; {', '.join(missing)} is missing.")
    begins = lines.line_num + 1
    for cells in lines:
        values = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
        more = len(cells) > len(names)
        if values or more:
            yield Row(begins, values, "it has more cells than the first line has names" if more else "")
        begins = lines.line_num + 1


def _line(number: int, line: bytes) -> Row:
    try:
        found = _parsed(line)
    except ValueError:
        return Row(number, {}, "it cannot be read as JSON")
    return Row(number, _flat(found)) if isinstance(found, dict) else Row(number, {}, "it is no object")


def _parsed(text: bytes) -> Any:
    """Raises ValueError; NaN and Infinity are no JSON, whatever the parser thinks."""
    try:
        return json.loads(text.removeprefix(b"\xef\xbb\xbf"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("too deep") from None


def _refuse(name: str) -> None:
    raise ValueError(name)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """Without what no value holds and no answer can repeat: half characters, and objects within objects."""
    return {_whole(name): _shallow(value) for name, value in row.items()}


def _shallow(value: Any) -> Any:
    if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        return [_whole(part) for part in value]
    return "…" if isinstance(value, dict | list) else _whole(value)


def _whole(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
