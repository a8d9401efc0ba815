"""What people say of stills: a CSV file that can be committed, one row a frame, in the order of films and frames."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.errors import InputError
from backend.features.framing.scale import NOBODY, SCALES, Framing
from backend.files import write_atomically

Frame = tuple[str, int]
"""A film's checksum and a frame of it."""

HEADER = ("film", "title", "frame", "medium_close_up", "scale")
WORDS = {"yes": True, "no": False}


@dataclass(frozen=True)
class Label:
    """What somebody saw in a frame, and what the film is called, for those who read the file."""

    framing: Framing
    title: str = ""


def read_labels(path: Path) -> dict[Frame, Label]:
    """The labels of a file; raises InputError, naming the line, for what is no label."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise InputError(f"The labels {str(path)!r} cannot be read: {why}.") from None
    table = csv.DictReader(io.StringIO(text))
    try:
        return _labels(table, path)
    except csv.Error as broken:
        raise InputError(f"{str(path)!r}, line {table.line_num + 1}: no CSV ({broken}).") from None


def write_labels(path: Path, labels: Mapping[Frame, Label]) -> None:
    """Write all labels, in an order of their own: equal labels are equal bytes. Raises OutputError."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEADER)
    words = {value: word for word, value in WORDS.items()}
    for (film, frame), label in sorted(labels.items(), key=lambda each: (each[1].title, each[0])):
        framing = label.framing
        table.writerow([film, label.title, frame, words[framing.medium_close_up], framing.scale])
    write_atomically(path, text.getvalue().encode(), durable=True)


def _labels(table: "csv.DictReader[str]", path: Path) -> dict[Frame, Label]:
    if lacking := set(HEADER) - {"title"} - set(table.fieldnames or ()):
        raise InputError(f"The labels {str(path)!r} lack the column {min(lacking)!r}; wanted: {', '.join(HEADER)}.")
    found: dict[Frame, Label] = {}
    for row in table:
        frame, label = _label(row, f"{str(path)!r}, line {table.line_num}")
        if frame in found:
            raise InputError(f"{str(path)!r}, line {table.line_num}: this frame has a label already.")
        found[frame] = label
    return found


def _label(row: Mapping[str, str | None], where: str) -> tuple[Frame, Label]:
    said, scale = (row["medium_close_up"] or "").strip().lower(), (row["scale"] or "").strip().lower()
    if said not in WORDS:
        raise InputError(f"{where}: medium_close_up is yes or no, not {said!r}.")
    if scale not in (*SCALES, NOBODY):
        raise InputError(f"{where}: the scale is one of {', '.join(SCALES)} or {NOBODY}, not {scale!r}.")
    if not (row["frame"] or "").strip().isdecimal() or not row["film"]:
        raise InputError(f"{where}: a label names a film by checksum and a frame by number.")
    framing = Framing(WORDS[said], scale)
    if framing.contradicts:
        raise InputError(f"{where}: a medium close-up shows somebody; say no, or a scale other than {NOBODY}.")
    return (row["film"], int(row["frame"] or 0)), Label(framing, row.get("title") or "")
