"""The size of the cache: what has been of no use for longest goes, if the store has it."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

GIB = 1 << 30
IN_USE_S = 3600.0
"""What was of use within this time stays: somebody may be reading it."""

DEEP = {"films", "features", "uploads"}
"""Folders that have one folder a film, and in it what may go by itself."""

log = structlog.get_logger("selects.store")


@dataclass(frozen=True)
class _Kept:
    path: Path
    size_bytes: int
    used_s: float


def make_room(
    home: Path,
    folders: Sequence[str],
    limit_bytes: int,
    is_stored: Callable[[Path], bool],
    in_use_s: float = IN_USE_S,
) -> list[Path]:
    """Remove what was of no use for longest until all is within the limit; gives what was removed.

    is_stored  whether the store has it: what it lacks stays, whatever its size
    """
    kept = [each for folder in folders for each in _entries(home / folder)]
    total, gone = sum(each.size_bytes for each in kept), list[Path]()
    for each in sorted(kept, key=lambda each: each.used_s):
        if total <= limit_bytes or time.time() - each.used_s < in_use_s:
            break
        if is_stored(each.path):
            shutil.rmtree(each.path, ignore_errors=True) if each.path.is_dir() else each.path.unlink(missing_ok=True)
            total -= each.size_bytes
            gone.append(each.path)
    if gone:
        log.info("made room", removed=len(gone), left_gib=round(total / GIB, 1))
    if total > limit_bytes:
        log.warning("the cache is larger than it may be", gib=round(total / GIB, 1), limit_gib=limit_bytes / GIB)
    return gone


def _entries(folder: Path) -> Iterator[_Kept]:
    for path in _visible(folder):
        for each in _visible(path) if folder.name in DEEP and path.is_dir() else (path,):
            with suppress(FileNotFoundError):
                found = each.stat()
                size = sum(part.stat().st_size for part in each.rglob("*")) if each.is_dir() else found.st_size
                yield _Kept(each, size, max(found.st_atime, found.st_mtime))


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if not path.name.startswith(".")]
