"""Which titles there are and where their plot, poster, sound or film is: a folder or a table."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from backend.errors import InputError
from backend.features.catalogue.base import Modality
from backend.media.lines import SUBTITLES

TEXTS = (".txt", ".md")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
FILMS = (".mp4", ".mkv", ".webm", ".mov", ".m4v", ".avi", ".mpg", ".mpeg", ".ts", ".mxf", ".wmv", ".flv", ".ogv")
SOUNDS = (".wav", ".mp3", ".flac", ".m4a", ".aac", ".ogg", ".opus", ".aiff")
SUFFIXES: dict[Modality, tuple[str, ...]] = {
    "text": (*TEXTS, *SUBTITLES),
    "image": PICTURES,
    "audio": SOUNDS + FILMS,
    "video": FILMS,
}
COLUMNS: dict[Modality, tuple[str, ...]] = {
    "text": ("plot", "dialogue"),
    "image": ("poster",),
    "audio": ("trailer", "film"),
    "video": ("trailer", "film"),
}
"""Of a table the columns, of a title's own folder the names of files, the first that is there."""

TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")
LONGEST_NAME = 200
MISSING = "missing"


@dataclass(frozen=True)
class Title:
    """One title and what is read of it: a text, or a file; both None where the input names neither."""

    id: str
    text: str | None = None
    path: Path | None = None

    @property
    def stamp(self) -> str:
        """What changes when its input does: of a text its digest, of a file name, size and time of change."""
        if self.text is not None:
            return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        if self.path is None:
            return MISSING
        try:
            found = self.path.stat()
        except (OSError, ValueError):
            return MISSING
        return f"{self.path.name} {found.st_size} {found.st_mtime_ns}"

    @property
    def file_name(self) -> str:
        """Its id as a name of a file: what a file name cannot hold is written as %XX."""
        return file_name(self.id)


def file_name(title_id: str) -> str:
    """An id as a name of a file."""
    name = quote(title_id, safe=" !#$&'()+,;=@[]{}~^-_.")
    return name.replace(".", "%2E", 1) if name.startswith(".") else name


def read_titles(source: Path, modality: Modality) -> list[Title]:
    """The titles of a folder or a table, in order; raises InputError with the place that is wrong."""
    try:
        if source.is_dir():
            titles = list(_of_folder(source, modality))
        elif source.is_file():
            titles = list(_of_table(source, modality))
        else:
            raise InputError(f"There is no folder and no table {str(source)!r}.")
    except OSError as problem:
        raise InputError(f"Cannot read {str(source)!r}: {(problem.strerror or str(problem)).lower()}.") from None
    seen: set[str] = set()
    for title in titles:
        if title.id in seen:
            raise InputError(f"{str(source)!r} has two titles with the id {title.id!r}; every id may stand once.")
        if len(title.file_name.encode()) > LONGEST_NAME:
            raise InputError(f"The id {title.id[:40]!r}… is too long for the name of a file.")
        seen.add(title.id)
    if not titles and source.is_dir():
        wanted = f"{', '.join(SUFFIXES[modality])} named by id, or folders named by id with {COLUMNS[modality][0]}.*"
        raise InputError(f"There are no titles in the folder {str(source)!r}; it must hold files ({wanted}).")
    if not titles:
        raise InputError(f"There are no rows in {str(source)!r}.")
    return titles


def _of_folder(folder: Path, modality: Modality) -> Iterator[Title]:
    """Files named by id, and folders named by id with plot.txt, dialogue.srt, poster.jpg, trailer.mp4 or film.mkv."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found = _in_own_folder(path, modality)
            if found:
                yield _title(path.name, found, modality)
        elif path.suffix.lower() in SUFFIXES[modality]:
            yield _title(path.stem, path, modality)


def _in_own_folder(folder: Path, modality: Modality) -> Path | None:
    files = sorted(folder.iterdir())
    for name in COLUMNS[modality]:
        for path in files:
            if path.stem.lower() == name and path.suffix.lower() in SUFFIXES[modality]:
                return path
    return None


def _title(title_id: str, path: Path, modality: Modality) -> Title:
    # A plot is small: it is read at once, so that its stamp is its content's.
    if modality == "text" and path.suffix.lower() in TEXTS:
        return Title(title_id, text=path.read_text("utf-8", "replace"))
    return Title(title_id, path=path)


def _of_table(table: Path, modality: Modality) -> Iterator[Title]:
    kind, count = table.suffix.lower(), 0
    if kind not in TABLES:
        raise InputError(f"{table.name!r} is neither a folder nor a table ({', '.join(TABLES)}).")
    rows = {".csv": _csv, ".parquet": _parquet}.get(kind, _jsonl)(table)
    for count, row in enumerate(rows, start=1):
        _require_columns(table, row, modality)
        title_id = _plain(row.get("id"))
        if not title_id:
            raise InputError(f"Row {count} of {table.name!r} has no id.")
        filled = ((name, value) for name in COLUMNS[modality] if (value := _plain(row.get(name))))
        column, said = next(filled, (COLUMNS[modality][0], ""))
        if column == "plot":
            yield Title(title_id, text=said)
        else:
            yield Title(title_id, path=table.parent / said if said else None)


def _require_columns(table: Path, row: Mapping[str, Any], modality: Modality) -> None:
    # In JSON lines a value that is not there is left out, so only the id is asked for.
    wanted = () if table.suffix.lower() in (".jsonl", ".ndjson") else COLUMNS[modality]
    if "id" not in row or (wanted and not any(name in row for name in wanted)):
        needed = "id" + (f" and {' or '.join(wanted)}" if wanted else "")
        raise InputError(f"{table.name!r} needs the columns {needed}; it has {', '.join(map(str, row)) or 'none'}.")


def _plain(value: Any) -> str:
    """A value as text; a whole number that a table keeps as 123.0 is 123."""
    if value is None or value != value:  # the latter: not a number
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _csv(table: Path) -> Iterator[Mapping[str, Any]]:
    with table.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from csv.DictReader(file)
        except (csv.Error, UnicodeDecodeError) as broken:
            raise InputError(f"{table.name!r} is not a CSV table in UTF-8: {broken}.") from None


def _jsonl(table: Path) -> Iterator[Mapping[str, Any]]:
    with table.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise InputError(f"Line {number} of {table.name!r} is not a JSON object.")
            yield row


def _parquet(table: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(table) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except pa.ArrowException as broken:
        raise InputError(f"{table.name!r} is not a Parquet table: {str(broken).splitlines()[0]}.") from None
