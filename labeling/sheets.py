"""Tables that people send, as CSV, JSON or JSON lines: values in, values out. What is wrong is named by line."""

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backend.errors import InputError

LONGEST_SHOWN = 1000
DELIMITERS = ",;\t"
Shape = TypeVar("Shape", bound=BaseModel)
Cells = tuple[int, list[str] | str]
"""The number of a row's first line, and its cells; of a row that cannot be read, what is wrong with it."""


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

    What cannot be read is a row with a problem; after a quote that is not closed, reading goes on with the line after
    the one in which it opens. Raises InputError where the table as a whole cannot be read.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("The table is not UTF-8; save it as CSV UTF-8.") from None
    header = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header.count)
    table = _cells(text, delimiter)
    return list(_rows(table, _names(table, needed), known))


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


class _Lines:
    """The lines of a table, one after the other from `at` up to `end`; `over` when more was asked for."""

    def __init__(self, text: str) -> None:
        self.all = list(io.StringIO(text, newline=""))
        self.at, self.end, self.over = 0, len(self.all), False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.at == self.end:
            self.over = True
            raise StopIteration
        self.at += 1
        return self.all[self.at - 1]


def _cells(text: str, delimiter: str) -> Iterator[Cells]:
    """The rows of a table. No line is read more than twice, whatever the quotes in it do."""
    lines, swallowed = _Lines(text), 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    cell = re.compile(rf'(?:"(?:[^"]|"")*+"|[^"{delimiter}\r\n][^{delimiter}\r\n]*+)?{delimiter}')
    while (begins := lines.at) < len(lines.all):
        # Lines before `swallowed` were read as the text of one cell, up to where that broke: a quote that is open at
        # the end of one of them breaks there too, which need not be seen again.
        lines.end, lines.over = begins + 1 if begins < swallowed else len(lines.all), False
        try:
            yield begins + 1, next(reader)
        except csv.Error as problem:
            opens = begins + _broken_line(lines.all[begins : lines.at], cell)
            quote = lines.over or lines.at > opens + 1
            said = f"the quote that opens in line {opens + 1} is not closed" if quote else problem
            swallowed, lines.at = max(swallowed, lines.at - 1), opens + 1
            yield begins + 1, f"it cannot be read as CSV: {said}"


def _broken_line(lines: Sequence[str], cell: re.Pattern[str]) -> int:
    """In which of the lines of a row the first cell begins that is not whole, or is the last."""
    text, at = "".join(lines), 0
    while found := cell.match(text, at):
        at = found.end()
    ends = itertools.accumulate(map(len, lines))
    return next((number for number, end in enumerate(ends) if at < end), len(lines) - 1)


def _names(table: Iterator[Cells], needed: Sequence[str]) -> list[str]:
    _, cells = next(table, (1, []))
    if isinstance(cells, str):
        raise InputError(f"The first line {cells.removeprefix('it ')}.")
    names = [name.strip().lower() for name in cells]
    missing = [name for name in needed if name not in names]
    if missing:
        raise InputError(f"The first line names the columns; {', '.join(missing)} is missing.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"The first line names {twice} twice; leave one of the columns out.")
    return names


def _rows(table: Iterator[Cells], names: Sequence[str], known: Collection[str]) -> Iterator[Row]:
    unknown = tuple(name for name in names if name not in known)
    for begins, cells in table:
        if isinstance(cells, str):
            yield Row(begins, {}, cells, unknown)
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
