"""A ZIP archive in pieces: files are stored as they are, so that its length is known before it is written.

Sizes and checksums stand before each file (not after it, as archives written into a pipe have them), which readers
that do not seek want.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

PIECE_BYTES = 1 << 20
LARGE = 0xFFFFFFFF
MANY = 0xFFFF
UTF8 = 0x0800
PLAIN_VERSION, LARGE_VERSION, MADE_ON_UNIX = 20, 45, 3 << 8
READABLE = 0o100644 << 16
FIRST_YEAR, LAST_YEAR = 1980, 2107


@dataclass(frozen=True)
class Packed:
    """A file of the archive: its name there, and what is in it, as bytes or as a file that stays as it is meanwhile."""

    name: str
    content: bytes | Path

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def pieces(self) -> Iterator[bytes]:
        """What is in it."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        with self.content.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece


def zipped(files: Sequence[Packed], at: datetime, large: int = LARGE) -> Iterator[bytes]:
    """The archive of `files`, all of them dated `at`; raises OSError where one cannot be read.

    `large` is the size from which numbers are written with 64 bits.
    """
    moment, offset, entries = _moment(at), 0, []
    for file in files:
        header, entry = _headers(file, moment, offset, large)
        entries.append(entry)
        yield header
        yield from file.pieces()
        offset += len(header) + file.size
    directory = b"".join(entries)
    yield directory + _end(len(entries), len(directory), offset, large)


def zipped_size(files: Sequence[Packed], large: int = LARGE) -> int:
    """Length in bytes of the archive of `files`."""
    offset, directory = 0, 0
    for file in files:
        name = len(file.name.encode())
        big, far = file.size >= large, offset >= large
        directory += 46 + name + (4 if big or far else 0) + 16 * big + 8 * far
        offset += 30 + name + 20 * big + file.size
    return offset + directory + len(_end(len(files), directory, offset, large))


def _headers(file: Packed, moment: tuple[int, int], offset: int, large: int) -> tuple[bytes, bytes]:
    """What stands before the file, and its entry in the directory."""
    name, size, crc = file.name.encode(), file.size, 0
    for piece in file.pieces():
        crc = zlib.crc32(piece, crc)
    big, far = size >= large, offset >= large
    sizes = struct.pack("<QQ", size, size) if big else b""
    version = LARGE_VERSION if big or far else PLAIN_VERSION
    shown = LARGE if big else size
    common = struct.pack("<HHHHHLLL", version, UTF8, 0, *moment, crc, shown, shown)
    before = _extra(sizes)
    header = b"PK\3\4" + common + struct.pack("<HH", len(name), len(before)) + name + before
    after = _extra(sizes + (struct.pack("<Q", offset) if far else b""))
    place = struct.pack("<HHHHHLL", len(name), len(after), 0, 0, 0, READABLE, LARGE if far else offset)
    entry = b"PK\1\2" + struct.pack("<H", MADE_ON_UNIX | version) + common + place + name + after
    return header, entry


def _extra(numbers: bytes) -> bytes:
    return struct.pack("<HH", 1, len(numbers)) + numbers if numbers else b""


def _end(count: int, size: int, offset: int, large: int) -> bytes:
    """What stands after the directory of `count` entries and `size` bytes, which begins at `offset`."""
    end = b""
    if count >= MANY or size >= large or offset >= large:
        numbers = struct.pack(
            "<QHHLLQQQQ", 44, MADE_ON_UNIX | LARGE_VERSION, LARGE_VERSION, 0, 0, count, count, size, offset
        )
        end = b"PK\6\6" + numbers + b"PK\6\7" + struct.pack("<LQL", 0, offset + size, 1)
    shown = (min(count, MANY), min(count, MANY), size if size < large else LARGE, offset if offset < large else LARGE)
    return end + b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, *shown, 0)


def _moment(at: datetime) -> tuple[int, int]:
    """Time and date as MS-DOS wrote them."""
    year = min(max(at.year, FIRST_YEAR), LAST_YEAR) - FIRST_YEAR
    return at.hour << 11 | at.minute << 5 | at.second // 2, year << 9 | at.month << 5 | at.day
