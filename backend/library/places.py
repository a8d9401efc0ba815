"""Which files may be taken into the library, and where the server keeps its own."""

import re
from collections.abc import Callable, Collection
from pathlib import Path

from filelock import FileLock

from backend.errors import FilmUnreadable, InputError
from backend.library.models import NAME_LENGTH
from backend.settings import Settings

SUFFIXES = frozenset((
    ".3gp", ".avi", ".dv", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf",
    ".nut", ".ogm", ".ogv", ".ts", ".vob", ".webm", ".wmv",
))  # fmt: skip
LONGEST_NAME_BYTES = 200
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f/\\]")


class PathNotAllowed(InputError):
    """This path is not under a folder that the server may read films from."""


class Misnamed(InputError):
    """This is not the name of a film file."""


def require_film_name(name: str) -> str:
    """The name, if it can be that of a film file; raises Misnamed."""
    return require_ending(name, SUFFIXES, "a film file")


def require_text(path: Path) -> None:
    """Raise FilmUnreadable where a path is bytes that are no text: rows and answers are text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise FilmUnreadable(path.name, "its path is not UTF-8; rename it") from None


Naming = Callable[[str], str]
"""Gives the name, or raises Misnamed."""


def allowed_path(settings: Settings, path: str, naming: Naming = require_film_name) -> Path:
    """The real path of a film that may be read in place; raises PathNotAllowed or Misnamed.

    A link that leads out of the allowed folders is refused like any other path outside, in the same words whether
    there is such a file or not.
    """
    roots = [root.expanduser().resolve() for root in settings.media.roots]
    if not roots:
        raise PathNotAllowed(
            "The server may not read films by path; name folders in SELECTS_MEDIA__ROOTS, or upload the film."
        )
    if "\0" in path:
        raise Misnamed("A path cannot hold a NUL character.")
    named = Path(path)
    try:
        real = named.resolve() if named.is_absolute() else (roots[0] / named).resolve()
    except (OSError, RuntimeError):  # a loop of links
        real = named
    if not any(real.is_relative_to(root) for root in roots):
        raise PathNotAllowed(
            f"{path!r} is not under a folder that the server may read films from; an admin can add one in "
            "SELECTS_MEDIA__ROOTS."
        )
    try:
        found = real.is_file()
    except OSError as problem:  # a name that is too long, a folder that may not be entered
        raise InputError(f"{path!r} cannot be opened: {(problem.strerror or str(problem)).lower()}.") from None
    if not found:
        raise InputError(f"There is no file {path!r}.")
    naming(real.name)
    return real


def require_ending(name: str, endings: Collection[str], what: str) -> str:
    """The name, if it is a plain one with one of these endings; raises Misnamed."""
    if not name or UNPRINTABLE.search(name) or name in (".", ".."):
        raise Misnamed(f"{name!r} cannot be a file's name; it must be a plain name without folders.")
    if len(name.encode(errors="replace")) > LONGEST_NAME_BYTES:
        raise Misnamed(f"The file's name is longer than {LONGEST_NAME_BYTES} bytes.")
    if Path(name).suffix.lower() not in endings:
        raise Misnamed(f"{name!r} does not end like {what}; known endings: {' '.join(sorted(endings))}.")
    return name


def uploads_folder(home: Path) -> Path:
    """Where uploaded films lie, each in a folder named by its checksum."""
    return home / "uploads"


def uploads_lock(home: Path) -> FileLock:
    """Held while a film moves into the folder of uploads and gets its row, or is removed there for want of one."""
    uploads_folder(home).mkdir(parents=True, exist_ok=True)
    return FileLock(uploads_folder(home) / ".lock")


def poster_path(home: Path, movie_id: int) -> Path:
    """Where the poster of a film lies, if it was given one."""
    return home / "posters" / str(movie_id)


def derived_folders(home: Path, sha256: str) -> tuple[Path, ...]:
    """Everything that was made from a film; `vectors` has one file in each space."""
    return home / "films" / sha256, home / "features" / sha256


def title_of(name: str) -> str:
    """A title from a file's name, for want of a better one: printable, and no longer than titles are."""
    words = " ".join(re.sub(r"[._\x00-\x1f\x7f-\x9f]+", " ", Path(name).stem).split())
    return (words[:1].upper() + words[1:] if words else name)[:NAME_LENGTH]


def films_in(folder: Path) -> list[Path]:
    """Film files in a folder and below it, in order; hidden ones are left out, and links that lead nowhere."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and _is_file(path))
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a link to a name that is too long, a folder that may be listed and not entered
        return False


def keyframe_address(movie_id: int, sha256: str | None, frame: int) -> str:
    """Where a browser finds a keyframe: an address that no other film ever has, since ids are given again (SQLite)."""
    return f"/api/movies/{movie_id}/frames/{frame}.jpg?of={of_film(sha256)}"


def of_film(sha256: str | None) -> str:
    """By what an address says which film it means."""
    return (sha256 or "")[:8]
