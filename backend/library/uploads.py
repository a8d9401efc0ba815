"""An upload as it streams in: written to disk and summed as it comes, never whole in memory."""

import hashlib
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from backend.errors import InputError, OutputError, TooLarge
from backend.files import scratch_beside
from backend.library.places import Naming, require_film_name, uploads_folder
from backend.store.media import listed, publish, size_of

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

WRITE_BYTES = 1 << 20
MOST_BESIDES_BYTES = 200_000
PART_BYTES = 100
FILE_FIELD = "file"


@dataclass(frozen=True)
class Uploaded:
    """A film that came in whole: where it lies for now, its checksum and size, and the fields sent beside it."""

    partial: Path
    name: str
    sha256: str
    size_bytes: int
    fields: Mapping[str, list[str]]


@dataclass
class _Incoming:
    """The state of one upload that is written to `partial`."""

    partial: Path
    limit_bytes: int
    named: Naming = require_film_name
    fields: dict[str, list[str]] = field(default_factory=dict)
    name: str = ""
    size: int = 0
    sum: Any = field(default_factory=hashlib.sha256)
    file: BinaryIO | None = None
    header: bytes = b""
    value: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    part: str = ""
    part_is_file: bool = False
    ended: bool = False
    besides: int = 0

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self.on_part_begin,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_headers_finished": self.on_headers_finished,
            "on_part_data": self.on_part_data,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        self.headers, self.part, self.part_is_file = {}, "", False
        self._count(PART_BYTES)

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self.header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._count(end - start)
        self.value += data[start:end]

    def on_header_end(self) -> None:
        self.headers[self.header.decode("latin-1").lower()] = self.value.decode("utf-8", "replace")
        self.header = self.value = b""

    def on_headers_finished(self) -> None:
        said = Message()
        said["content-disposition"] = self.headers.get("content-disposition", "")
        named = said.get_param("name", header="content-disposition")
        self.part = str(named) if isinstance(named, str) else ""
        filename = said.get_filename()
        self.part_is_file = self.part == FILE_FIELD
        if not self.part_is_file:
            self.fields.setdefault(self.part, []).append("")
            return
        if self.file is not None:
            raise InputError("Send one film at a time: this upload holds two.")
        self.name = self.named(filename or "")
        self.file = self.partial.open("wb")

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if not self.part_is_file:
            self._count(len(piece))
            self.fields[self.part][-1] += piece.decode("utf-8", "replace")
            return
        assert self.file is not None
        self.size += len(piece)
        require_size(self.size, self.limit_bytes)
        self.sum.update(piece)
        self.file.write(piece)

    def on_end(self) -> None:
        self.ended = True

    def _count(self, size: int) -> None:
        """All that comes beside the film is kept in memory: raise TooLarge for much of it."""
        self.besides += size
        if self.besides > MOST_BESIDES_BYTES:
            limit = f"more than {MOST_BESIDES_BYTES} bytes"
            raise TooLarge(f"What is sent beside the film is {limit}; the film itself is the part {FILE_FIELD!r}.")


def require_size(size_bytes: int, limit_bytes: int) -> None:
    """Raise TooLarge for more than the limit."""
    if size_bytes > limit_bytes:
        raise TooLarge(f"The film is larger than the limit of {limit_bytes / (1 << 30):g} GiB for uploads.")


@asynccontextmanager
async def receive(
    chunks: AsyncIterator[bytes],
    headers: Mapping[str, str],
    home: Path,
    limit_bytes: int,
    named: Naming = require_film_name,
) -> AsyncIterator[Uploaded]:
    """Take a multipart upload with one part called `file`; `keep` it within the block, after which the rest is gone.

    Raises TooLarge, InputError for a form that cannot be read, Misnamed, OutputError where the disk is full. What ends
    early or is refused leaves nothing behind; what a killed server leaves goes with the next upload.
    """
    declared = headers.get("content-length", "")
    if declared.isdigit():
        require_size(int(declared) - MOST_BESIDES_BYTES, limit_bytes)
    with scratch_beside(uploads_folder(home) / "film") as partial:
        incoming = _Incoming(partial, limit_bytes, named)
        try:
            await _read(chunks, MultipartParser(_boundary(headers), incoming.callbacks()))
            yield await run_in_threadpool(_whole, incoming)
        except FormParserError as broken:
            raise InputError(f"The upload cannot be read as a form: {broken}.") from None
        except ClientDisconnect:
            raise InputError("The upload ended early; send it again.") from None
        except OSError as problem:
            raise OutputError(f"The upload cannot be kept: {(problem.strerror or str(problem)).lower()}.") from None
        finally:
            if incoming.file is not None:
                with suppress(OSError):  # what is still in its buffer has no place
                    incoming.file.close()


def keep(uploaded: Uploaded, home: Path) -> Path:
    """Where an upload stays: in the folder of its checksum, where the same film may lie already. Hold the lock."""
    folder = uploads_folder(home) / uploaded.sha256
    folder.mkdir(parents=True, exist_ok=True)
    known = (folder / name for name in sorted(listed(folder)))
    stored = next((path for path in known if size_of(path) == uploaded.size_bytes), None)
    if stored is None:
        stored = folder / uploaded.name
        uploaded.partial.replace(stored)
    publish(stored)
    return stored


async def _read(chunks: AsyncIterator[bytes], parser: MultipartParser) -> None:
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= WRITE_BYTES:
            await run_in_threadpool(parser.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(parser.write, bytes(waiting))


def _whole(incoming: _Incoming) -> Uploaded:
    if incoming.file is None:
        raise InputError(f"The upload holds no film; send it as the part {FILE_FIELD!r} of a form.")
    if not incoming.ended:
        raise InputError("The upload ended early; send it again.")
    if incoming.size == 0:
        raise InputError(f"{incoming.name!r} is empty.")
    incoming.file.flush()
    os.fsync(incoming.file.fileno())
    return Uploaded(incoming.partial, incoming.name, incoming.sum.hexdigest(), incoming.size, incoming.fields)


def _boundary(headers: Mapping[str, str]) -> bytes:
    said = Message()
    said["content-type"] = headers.get("content-type", "")
    boundary = said.get_boundary()
    if said.get_content_type() != "multipart/form-data" or not boundary:
        raise InputError("Send a file as multipart/form-data, or the path of one as JSON.")
    return boundary.encode("latin-1", "replace")
