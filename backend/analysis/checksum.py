"""The sha256 of a film, remembered by path, size and time of change."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from backend.errors import FilmUnreadable
from backend.files import write_atomically

CHUNK_BYTES = 4 << 20
REMEMBERED = 2000


def film_checksum(path: Path, memory: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> str:
    """The sha256 of the file's content, in hex; `memory` is the JSON file of those already known."""
    found = path.stat()
    key = f"{path.resolve()}\0{found.st_size}\0{found.st_mtime_ns}\0{found.st_ino}"
    known = _recall(memory)
    if key not in known:
        known[key] = _digest(path, found.st_size, progress)
        recent = dict(list(known.items())[-REMEMBERED:])
        write_atomically(memory, json.dumps(recent).encode())
    return known[key]


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
