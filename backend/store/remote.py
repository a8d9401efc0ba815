"""The store that machines share, through pyarrow: a folder that is mounted everywhere, or `s3://bucket/prefix`.

An object appears whole or not at all. In a folder it is written beside its place and renamed; S3 does so by itself.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from backend.errors import InputError, Unavailable

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

T = TypeVar("T")
SETTING = "SELECTS_MEDIA__STORE"
PIECE_BYTES = 8 << 20
PARTS = ".selects-"
WITHOUT_RENAMING = ("s3", "gcs")
"""Here an object is there when its last byte is, and a rename would be a copy."""


CREDENTIALS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role that may"
REASONS = {
    "NO_SUCH_BUCKET": f"has no such bucket; make it, or name another in {SETTING}.",
    "ACCESS_DENIED": f"lets nobody in with these credentials; {CREDENTIALS}.",
    "INVALID_ACCESS_KEY_ID": f"does not know this access key; {CREDENTIALS}.",
    "SIGNATURE_DOES_NOT_MATCH": f"does not take this secret; {CREDENTIALS}.",
    "NETWORK_CONNECTION": f"cannot be reached; {SETTING} says where it is (endpoint_override, scheme, region).",
}


class StoreUnavailable(Unavailable):
    """The media store does not answer."""


@dataclass(frozen=True)
class Stored:
    """What is known of an object without reading it: bytes, and when it was written, in seconds since 1970."""

    size_bytes: int
    written_s: float


class Remote:
    """Objects by name under one address. Every call raises StoreUnavailable where the store does not answer."""

    def __init__(self, address: str) -> None:
        self.address = address

    @property
    def shown(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.address)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else self.address

    def require(self) -> None:
        """Raise InputError where the address names nothing that can be used, StoreUnavailable where it is away."""
        files, base = self._opened
        first = base.partition("/")[0] if files.type_name in WITHOUT_RENAMING else base
        if not first:
            raise InputError(f"{SETTING} names no bucket: {self.shown}.")
        if self._is_folder(first):
            return
        what = "bucket" if files.type_name in WITHOUT_RENAMING else "folder"
        raise InputError(f"{SETTING} is {self.shown}, and there is no {what} {first!r}; make it, or name another.")

    def find(self, name: str) -> Stored | None:
        """An object, None where there is none."""
        files, base = self._opened
        found = self._asked(lambda: files.get_file_info(f"{base}/{name}"))
        return _stored(found) if found.is_file else None

    def names(self, folder: str) -> dict[str, Stored | None]:
        """What lies directly in a folder; None for a folder in it."""
        from pyarrow.fs import FileSelector

        files, base = self._opened
        wanted = FileSelector(f"{base}/{folder}", allow_not_found=True)
        found = self._asked(lambda: files.get_file_info(wanted))
        return {
            each.base_name: _stored(each) if each.is_file else None
            for each in found
            if each.base_name and not each.base_name.startswith(".")
        }

    def put(self, file: Path, name: str) -> None:
        """Keep a file under a name; raises OSError where the file cannot be read."""
        with file.open("rb") as source, self._written(name) as target:
            while piece := source.read(PIECE_BYTES):
                self._asked(lambda: target.write(piece))

    def get(self, name: str, file: Path) -> bool:
        """Read an object into a file; False where there is none. Raises OSError where the file cannot be written."""
        with self.reading(name) as source:
            if source is None:
                return False
            with file.open("wb") as target:
                while piece := self._asked(lambda: source.read(PIECE_BYTES)):
                    target.write(piece)
        return True

    @contextmanager
    def reading(self, name: str) -> Iterator[Any]:
        """An object, to be read from anywhere in it; None where there is none."""
        files, base = self._opened
        try:
            opened = self._asked(lambda: files.open_input_file(f"{base}/{name}"))
        except FileNotFoundError:
            yield None
            return
        with opened:
            yield opened

    def delete(self, name: str) -> None:
        """Remove an object, or a folder with all that is in it; it is no error where there is neither."""
        files, base = self._opened
        path = f"{base}/{name}"
        found = self._asked(lambda: files.get_file_info(path))
        with suppress(FileNotFoundError):
            if found.is_file:
                self._asked(lambda: files.delete_file(path))
            elif self._is_folder(path):
                self._asked(lambda: files.delete_dir(path))

    def _is_folder(self, path: str) -> bool:
        from pyarrow.fs import FileType

        files, _ = self._opened
        return bool(self._asked(lambda: files.get_file_info(path)).type == FileType.Directory)

    @contextmanager
    def _written(self, name: str) -> Iterator[Any]:
        """A stream that becomes the object if the block ends well."""
        files, base = self._opened
        path = f"{base}/{name}"
        if files.type_name in WITHOUT_RENAMING:
            stream = self._asked(lambda: files.open_output_stream(path))
            try:
                yield stream
            except BaseException:
                with suppress(OSError):  # closing keeps what came so far
                    stream.close()
                    files.delete_file(path)
                raise
            self._asked(stream.close)
            return
        folder = path.rpartition("/")[0]
        part = f"{folder}/{PARTS}{secrets.token_hex(8)}.part"
        self._asked(lambda: files.create_dir(folder, recursive=True))
        try:
            with self._asked(lambda: files.open_output_stream(part)) as stream:
                yield stream
            self._asked(lambda: files.move(part, path))
        except BaseException:
            with suppress(OSError):
                files.delete_file(part)
            raise

    @cached_property
    def _opened(self) -> tuple["FileSystem", str]:
        import pyarrow as pa
        from pyarrow.fs import FileSystem

        try:
            files, base = FileSystem.from_uri(self.address)
        except (pa.ArrowException, OSError, ValueError) as problem:
            said = str(problem).split("\n")[0].rstrip(".")
            raise InputError(f"{SETTING} is {self.shown}, which is no folder and no s3:// address: {said}.") from None
        return files, base.rstrip("/")

    def _asked(self, call: Callable[[], T]) -> T:
        """What a call gives; FileNotFoundError passes, whatever else is wrong is said with what to look at."""
        try:
            return call()
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise StoreUnavailable(f"The media store {self.shown} {_why(str(problem))}") from None


def _stored(found: Any) -> Stored:
    return Stored(found.size, found.mtime_ns / 1e9 if found.mtime_ns else 0.0)


def _why(said: str) -> str:
    for mark, why in REASONS.items():
        if mark in said:
            return why
    return f"does not answer: {said.splitlines()[0].rstrip('.')[:300]}."
