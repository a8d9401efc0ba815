"""Tables that people send, as CSV, JSON or JSON lines: values in, values out. What is wrong is named by line."""

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backend.errors import InputError

LONGEST_SHOWN = 1000
DELIMITERS = ",;\t"
Shape = TypeVar("Shape", bound=BaseModel)


class BadRow(BaseModel):
    """A row that was not kept: its line in the file (in JSON: its place, from 1), why, and its beginning as JSON."""

    line: int
    problem: str
    row: str


@dataclass(frozen=True)
class Row:
    """One row with its line: 1 is a CSV's header, and the first of JSON.

    problem   it cannot be read at all
    unknown   names in it that nobody here knows; they are left out
    """

    line: int
    values: dict[str, Any]
    problem: str = ""
    unknown: tuple[str, ...] = ()


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


def read_json_lines(body: bytes, known: Collection[str]) -> list[Row]:
    """One object a line; empty lines are passed over. A line that is none is a row with a problem."""
    return [_line(number, line, known) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def read_csv(body: bytes, known: Collection[str], needed: Sequence[str]) -> list[Row]:
    """A table with names in its first line, by comma, semicolon or tab; empty cells are left out.

    What cannot be read is a row with a problem. Raises InputError where the table as a whole cannot.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The table is not UTF-8; save it as CSV UTF-8.") from None
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    return list(_rows(lines, _names(lines, needed), known))


def unknown_names(rows: Iterable[Row]) -> list[str]:
    """Names that nobody here knows."""
    return sorted({name for row in rows for name in row.unknown})


def shaped(row: Row, shape: type[Shape], prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict) -> Shape | BadRow:
    """The row as the shape wants it, or what is wrong with it."""
    if row.problem:
        return bad(row, row.problem)
    try:
        return shape.model_validate(prepare(row.values))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = "there is no such field" if first["type"] == "extra_forbidden" else first["msg"]
        return bad(row, f"{where}: {said}" if where else said.removeprefix("Value error, "))


def bad(row: Row, problem: str) -> BadRow:
    """A row that is not kept, with why."""
    return BadRow(line=row.line, problem=problem, row=json.dumps(row.values, ensure_ascii=False)[:LONGEST_SHOWN])


def _names(lines: Any, needed: Sequence[str]) -> list[str]:
    try:
        names = [name.strip().lower() for name in next(lines, [])]
    except csv.Error as problem:
        raise InputError(f"The first line cannot be read as CSV: {problem}.") from None
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(f"The first line names the columns; {', '.join(missing)} is missing.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The first line names {twice} twice; leave one of the columns out.")
    return names


def _rows(lines: Any, names: Sequence[str], known: Collection[str]) -> Iterator[Row]:
    unknown = tuple(name for name in names if name not in known)
    while True:
        begins = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error as problem:
            yield Row(begins, {}, f"it cannot be read as CSV: {problem}", unknown)
            continue
        if not any(cell.strip() for cell in cells) and len(cells) <= len(names):
            continue
        values = {name: cell for name, cell in zip(names, cells, strict=False) if name in known and cell.strip()}
        more = "it has more cells than the first line has names" if len(cells) > len(names) else ""
        yield Row(begins, values, more, unknown)


def _line(number: int, line: bytes, known: Collection[str]) -> Row:
    try:
        found = _parsed(line)
    except ValueError:
        return Row(number, {}, "it cannot be read as JSON")
    if not isinstance(found, dict):
        return Row(number, {}, "it is no object")
    values = _flat(found)
    unknown = tuple(name for name in values if name not in known)
    return Row(number, {name: value for name, value in values.items() if name in known}, "", unknown)


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
