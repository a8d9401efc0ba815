"""Files and folders that appear whole or not at all: whatever Selects keeps or hands over is written by way of here.

What is being written lies beside its place as `.selects-….part`, locked by the process that writes it, and takes its
name by one rename. An interrupt removes it. What a killed process left is no longer locked, and goes when the next
thing is written into the same folder.
"""

import errno
import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.errors import OutputError

PREFIX, SUFFIX = ".selects-", ".part"
TRIES = 100
STALE_S = 24 * 3600.0
"""Where nothing can be locked (some network file systems), leftovers are known by this age."""


def write_atomically(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file; `durable` as in `file_atomically`. Raises OutputError."""
    with file_atomically(path, durable=durable) as part:
        part.write_bytes(content)


@contextmanager
def file_atomically(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A file to write that becomes `path` if the block ends well, and goes otherwise. Raises OutputError.

    durable  whole even after a power failure; what is made again when it cannot be read does without
    """
    with _beside(path, os.O_RDWR | os.O_CREAT | os.O_EXCL) as (part, held):
        yield part
        if durable:
            os.fsync(held)
        part.replace(path)


def write_many(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, each whole or not at all; much faster than one by one. Raises OutputError."""
    with _beside(folder / PREFIX, os.O_RDONLY | os.O_DIRECTORY) as (part, _):
        for name, content in contents.items():
            made = part / name
            made.write_bytes(content)
            made.replace(folder / name)


@contextmanager
def scratch_beside(path: Path) -> Iterator[Path]:
    """A file for what is needed on the way to `path`, on the same disk; gone after the block. Raises OutputError."""
    with _beside(path, os.O_RDWR | os.O_CREAT | os.O_EXCL) as (part, _):
        yield part


@contextmanager
def folder_atomically(path: Path) -> Iterator[Path]:
    """A folder to fill that becomes `path` if the block ends well, and goes otherwise. Raises OutputError.

    Where another process was faster, its folder stays.
    """
    with _beside(path, os.O_RDONLY | os.O_DIRECTORY) as (part, _):
        yield part
        try:
            part.rename(path)
        except OSError:
            if not path.is_dir():
                raise


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """A block that one process at a time runs for a folder, which is made if need be: to read, change and write a file.

    Nothing is left in the folder. Raises OutputError. Where nothing can be locked (some network file systems), it runs
    all the same.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def require_writable(path: Path, film: Path) -> None:
    """Raise OutputError unless a file other than `film` can be made at `path`: asked before any work is done for it."""
    try:
        if path.exists() and film.exists() and path.samefile(film):
            raise OutputError(f"Cannot write {str(path)!r}: it is the film itself.")
        if path.exists() and not path.is_file():
            raise OutputError(f"Cannot write {str(path)!r}: it is not a regular file.")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as problem:
        raise cannot_write(path, problem) from None


def cannot_write(path: Path, problem: OSError) -> OutputError:
    """The error for a place that cannot be written, with the reason in words."""
    return OutputError(f"Cannot write {str(path)!r}: {(problem.strerror or str(problem)).lower()}.")


@contextmanager
def _beside(path: Path, how: int) -> Iterator[tuple[Path, int]]:
    """A hidden file or folder (`how` to open it) beside `path` and its locked descriptor; gone after the block."""
    part = path.parent / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
    held = -1
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        held = _claim(part, how)
        yield part, held
    except OSError as problem:
        raise cannot_write(path, problem) from problem
    finally:
        _remove(part)
        if held >= 0:
            os.close(held)


def _claim(part: Path, how: int) -> int:
    """Make and lock it; again if a sweep has taken it in the instant between the two. Raises OSError."""
    for _ in range(TRIES):
        if how & os.O_DIRECTORY:
            part.mkdir()
        with suppress(FileNotFoundError):
            held = os.open(part, how | os.O_CLOEXEC, 0o666)
            with suppress(OSError):
                fcntl.flock(held, fcntl.LOCK_EX)
            if part.exists():
                return held
            os.close(held)
    # No sweep is so quick so often: the folder is gone, or is one in which nothing can be made (/proc).
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(part))


def _sweep(folder: Path) -> None:
    """Remove what processes that are gone have left in `folder`."""
    for part in folder.glob(f"{PREFIX}*{SUFFIX}"):
        # A network file system locks only what is open for writing.
        with suppress(OSError):
            held = os.open(part, os.O_RDONLY if part.is_dir() else os.O_RDWR)
            try:
                if _is_left(held):
                    _remove(part)
            finally:
                os.close(held)


def _is_left(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return time.time() - os.fstat(held).st_mtime > STALE_S
    return True


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink()
