"""A published data set by its address: fetched once, kept, and read from there afterwards."""

import hashlib
import urllib.request
from collections.abc import Iterable, Iterator
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from backend.analysis.progress import Progress, silent
from backend.errors import InputError, Unavailable
from backend.files import file_atomically
from trainer.datasets.tables import LARGEST_BYTES

TIMEOUT_S = 30.0
BLOCK_BYTES = 1 << 16


def is_address(place: str) -> bool:
    """Whether it is something to fetch, not a folder."""
    return "://" in place


def fetched(address: str, names: Iterable[str], kept: Path, progress: Progress = silent) -> Path:
    """The folder below `kept` with these files of an address; what is there already is not fetched again.

    Raises Unavailable where the address does not answer, InputError where it has no such file, OutputError.
    """
    scheme = urlsplit(address).scheme
    if scheme.lower() not in ("http", "https"):
        raise InputError(f"Addresses begin with http:// or https://; this one begins with {scheme}://.")
    folder = kept / hashlib.sha256(address.rstrip("/").encode()).hexdigest()[:16]
    for name in names:
        if not (folder / name).is_file():
            _fetch(address.rstrip("/"), name, folder / name, progress)
    return folder


def _fetch(address: str, name: str, path: Path, progress: Progress) -> None:
    host = urlsplit(address).hostname or address  # an address may hold a password
    try:
        with urllib.request.urlopen(f"{address}/{name}", timeout=TIMEOUT_S) as answer:
            size = int(answer.headers["Content-Length"] or 0)
            with file_atomically(path) as part, part.open("wb") as file:
                file.writelines(_blocks(answer, name, size, progress))
    except urllib.error.HTTPError as refused:
        raise InputError(f"{host} has no {name} there: it answered {refused.code}.") from None
    except (OSError, HTTPException, ValueError) as failed:
        raise Unavailable(f"Cannot have {name} from {host} ({_reason(failed)}); try again, or give a folder.") from None


def _reason(failed: Exception) -> str:
    cause = getattr(failed, "reason", failed)
    return (getattr(cause, "strerror", None) or type(cause).__name__).lower()


def _blocks(answer: IO[bytes], name: str, size: int, progress: Progress) -> Iterator[bytes]:
    """What is read; raises IncompleteRead where that ends early, InputError where it does not end."""
    given = 0
    while block := _read(answer, size - given):
        given += len(block)
        if given > LARGEST_BYTES:
            raise InputError(f"{name} is larger than {LARGEST_BYTES >> 20} MB: it is not the published file.")
        progress(f"Fetching {name}", given, size)
        yield block
    if given < size:
        raise IncompleteRead(b"", size - given)


def _read(answer: IO[bytes], left: int) -> bytes:
    """An OSError of the network is none of the disk."""
    try:
        return answer.read(BLOCK_BYTES)
    except OSError as failed:
        raise IncompleteRead(b"", max(left, 0)) from failed
