"""`selects framing frames`: stills of films at even times in a folder, and the table that says what each one is."""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.analysis.checksum import checksums_file, film_checksum
from backend.analysis.progress import Progress, silent
from backend.errors import FilmUnreadable, InputError, OutputError
from backend.files import one_at_a_time, write_atomically
from backend.media.probe import probe_film
from backend.media.stills import Still, stills

T = TypeVar("T")
INDEX = "frames.csv"
JPEG_QUALITY = 92
DIGITS = 8
"""Of the checksum, in names of folders."""

LEAST_EVERY_S = 0.001
"""No film has frames nearer to each other."""


@dataclass(frozen=True)
class StoredStill:
    """A row of the table: film (sha256), title, frame, second, timecode, every (s) and height asked for, and the file.

    `file` is the path within the folder of the table.
    """

    film: str
    title: str
    frame: int
    second: float
    timecode: str
    every_s: float
    height: int
    file: str


@dataclass(frozen=True)
class FramesRequest:
    """Which films, to where, a still every so many seconds, so high at most."""

    films: Sequence[Path]
    out: Path
    every_s: float = 8.0
    height: int = 360


@dataclass(frozen=True)
class Framed:
    """What came of it: stills of these films that are there now, and how many of them this run has written.

    unread  why films were left out, a sentence each
    """

    films: int
    stills: int
    written: int
    unread: Sequence[str] = ()


def write_stills(
    request: FramesRequest, home: Path, begin: Callable[[str, int, int], Progress] = lambda name, at, of: silent
) -> Framed:
    """Write the stills; what is there already is not written again, and a film that is done is not decoded.

    `begin` is told which film is next. One that cannot be read is left out, see `each_readable`. Raises InputError,
    FilmUnreadable, OutputError; films that are done stay done.
    """
    if not LEAST_EVERY_S <= request.every_s < math.inf:
        raise InputError(f"--every takes a number of seconds from {LEAST_EVERY_S} on.")
    films = list(dict.fromkeys(path.resolve() for path in request.films))
    places = {path: at for at, path in enumerate(films)}
    unread = list[str]()

    def write(path: Path) -> tuple[int, int]:
        return _film(request, path, home, begin(path.name, places[path], len(films)))

    made = list(each_readable(films, write, unread.append))
    return Framed(len(made), sum(there for there, _ in made), sum(new for _, new in made), unread)


def each_readable(films: Sequence[Path], do: Callable[[Path], T], say: Callable[[str], None]) -> Iterator[T]:
    """What comes of each film; one of several that cannot be read is left out, and `say` is told why.

    Raises FilmUnreadable where none can be read.
    """
    unread = 0
    for path in films:
        try:
            yield do(path)
        except FilmUnreadable as problem:
            unread += 1
            if unread == len(films):
                raise
            say(problem.detail)


def read_index(folder: Path) -> list[StoredStill]:
    """The table of a folder of stills, by film and frame; raises InputError where there is none."""
    path = folder / INDEX
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            f"There is no {INDEX} in {str(folder)!r}; `selects framing frames FILM --out DIR` makes one."
        ) from None
    try:
        return [_row(row) for row in csv.DictReader(io.StringIO(text))]
    except (csv.Error, KeyError, TypeError, ValueError) as broken:
        raise InputError(f"{str(path)!r} is no table of stills: {broken!r}.") from None


def read_picture(folder: Path, still: StoredStill) -> NDArray[np.uint8]:
    """Its picture, RGB uint8 [height, width, 3]; raises InputError where it is gone or broken."""
    path = folder / still.file
    data = np.frombuffer(path.read_bytes() if path.is_file() else b"", np.uint8)
    found = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if found is None:
        raise InputError(f"The still {str(path)!r} is gone or broken; run `selects framing frames` again.")
    return np.ascontiguousarray(found[:, :, ::-1], np.uint8)


def _film(request: FramesRequest, path: Path, home: Path, progress: Progress) -> tuple[int, int]:
    """How many stills of a film are there, and how many are new."""
    probe = probe_film(path)
    sha256 = film_checksum(path, checksums_file(home), lambda done, total: progress("checksum", done, total))
    before = [row for row in _known(request.out) if row.film == sha256]
    asked = (request.every_s, request.height)
    if before and all((row.every_s, row.height) == asked and (request.out / row.file).is_file() for row in before):
        return len(before), 0
    # Names say all that decides a picture: what a stopped run has written is found again.
    folder = f"{_plain(path.stem)}-{sha256[:DIGITS]}-{request.height}p"
    rows, new = [], 0
    length_s = probe.declared_duration_s
    for still in stills(probe, request.every_s, request.height, lambda s: progress("decode", s, max(s, length_s))):
        name = f"{folder}/{_name(still)}"
        new += _write(request.out / name, still)
        rows.append(StoredStill(sha256, path.stem, still.frame, round(still.second, 6), still.timecode, *asked, name))
    _replace(request.out, sha256, rows)
    return len(rows), new


def _known(folder: Path) -> list[StoredStill]:
    return read_index(folder) if (folder / INDEX).is_file() else []


def _replace(folder: Path, sha256: str, rows: Sequence[StoredStill]) -> None:
    """Put the rows of a film in place of those of before; another run may have written since this one began."""
    with one_at_a_time(folder):
        known = _known(folder)
        for old in {row.file for row in known if row.film == sha256} - {row.file for row in rows}:
            (folder / old).unlink(missing_ok=True)
        _write_index(folder, [*(row for row in known if row.film != sha256), *rows])


def _write(path: Path, still: Still) -> bool:
    """Whether it had to be written; a file that is there is whole."""
    if path.is_file():
        return False
    content = cv2.imencode(".jpg", still.picture()[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OutputError(f"Cannot write to {str(path.parent)!r}: {problem.strerror}.") from None
    write_atomically(path, content.tobytes())
    return True


def _write_index(folder: Path, rows: Sequence[StoredStill]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([each.name for each in fields(StoredStill)])
    table.writerows(astuple(row) for row in sorted(rows, key=lambda row: (row.title, row.film, row.frame)))
    write_atomically(folder / INDEX, text.getvalue().encode())


def _row(row: dict[str, str]) -> StoredStill:
    file = Path(row["file"])
    if file.is_absolute() or ".." in file.parts:  # stills that a table names are shown, and old ones removed
        raise ValueError(f"{row['file']!r} lies outside of the folder")
    return StoredStill(
        row["film"],
        row["title"],
        int(row["frame"]),
        float(row["second"]),
        row["timecode"],
        float(row["every_s"]),
        int(row["height"]),
        row["file"],
    )


def _name(still: Still) -> str:
    """Timecode and frame; colons are no part of a name everywhere."""
    return f"{re.sub('[^0-9]', '-', still.timecode)}_f{still.frame:07d}.jpg"


def _plain(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:60].strip("._") or "film"


def films_of(paths: Sequence[Path], listed: Callable[[Path], Sequence[Path]]) -> Iterator[Path]:
    """The films that paths name; `listed` gives those of a folder. Raises InputError for an empty folder."""
    for path in paths:
        if not path.is_dir():
            yield path
        elif found := listed(path):
            yield from found
        else:
            raise InputError(f"There are no films in {str(path)!r}.")
