"""Files and folders that appear whole or not at all."""

import glob
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.errors import OutputError

STALE_S = 24 * 3600.0


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file by way of a temporary one beside it; raises OutputError."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
            if _is_stale(left):
                left.unlink(missing_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as problem:
        raise cannot_write(path, problem) from None


def require_writable(path: Path) -> None:
    """Raise OutputError unless a file can be made at `path`: asked before any work is done for it."""
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"Cannot write {str(path)!r}: it is not a regular file.")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as problem:
        raise cannot_write(path, problem) from None


@contextmanager
def folder_atomically(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` if the block ends well and is removed if not.

    Where another process was faster, its folder stays. Leftovers of processes that were killed are swept first.
    """
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        _sweep(path)
        partial.mkdir(parents=True)
        yield partial
        try:
            partial.rename(path)
        except OSError:
            if not path.is_dir():
                raise
    except OSError as problem:
        raise cannot_write(path, problem) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sweep(path: Path) -> None:
    for left in path.parent.glob(f"{path.name}.partial-*"):
        owner = left.name.rpartition(".partial-")[2].partition("-")[0]
        dead = owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc").is_dir()
        # In a container the same number soon belongs to another process.
        if dead or _is_stale(left):
            shutil.rmtree(left, ignore_errors=True)


def _is_stale(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > STALE_S
    except OSError:
        return False


def cannot_write(path: Path, problem: OSError) -> OutputError:
    """The error for a place that cannot be written, with the reason in words."""
    return OutputError(f"Cannot write {str(path)!r}: {(problem.strerror or str(problem)).lower()}.")
