"""The sha256 of a film, remembered by path, size and time of change."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from backend.errors import FilmUnreadable
from backend.files import one_at_a_time, write_atomically

CHUNK_BYTES = 4 << 20
REMEMBERED = 2000


def checksums_file(home: Path) -> Path:
    """Where checksums are remembered."""
    return home / "checksums.json"


def film_checksum(path: Path, memory: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> str:
    """The sha256 of the file's content, in hex; `memory` is the JSON file of those already known.

    Raises FilmUnreadable where it is gone or cannot be read.
    """
    try:
        found = path.stat()
    except OSError as problem:
        raise FilmUnreadable(path.name, (problem.strerror or "it cannot be read").lower()) from None
    key, known = _key(path, found), _recall(memory)
    if key not in known:
        known[key] = _digest(path, found.st_size, progress)
        with one_at_a_time(memory.parent):  # another worker has summed another film meanwhile
            recent = list((_recall(memory) | {key: known[key]}).items())[-REMEMBERED:]
            write_atomically(memory, json.dumps(dict(recent)).encode())
    return known[key]


def remembered_checksum(path: Path, memory: Path) -> str | None:
    """The sha256 of a file that has not changed since it was last summed, else None."""
    return _recall(memory).get(_key(path, path.stat()))


def _key(path: Path, found: os.stat_result) -> str:
    return f"{path.resolve()}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}"


def _recall(memory: Path) -> dict[str, str]:
    try:
        known = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in known.items()} if isinstance(known, dict) else {}


def _digest(path: Path, size: int, progress: Callable[[int, int], None]) -> str:
    seen, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                seen.update(chunk)
                done += len(chunk)
                progress(done, size)
    except OSError as problem:
        raise FilmUnreadable(path.name, (problem.strerror or "it cannot be read").lower()) from None
    return seen.hexdigest()
