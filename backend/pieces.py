"""A file of which parts may be asked for; and the same in pieces, for players: each request ends, and its connection
is free, whether the player wants more or not.

Who asks for a file from a place to its end gets an answer that lasts for as long as the player takes to want it all. A
browser has six connections to a server (HTTP/1.1), and a page that keeps clips ready holds one for each
(docs/decisions/0021-queue.md).
"""

import re
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from backend.answers import answer

PIECE = 1 << 20
"""Bytes. So much browsers take in though nobody reads it yet; of more, some would stay in the connection."""

_TO_THE_END = re.compile(rb"\s*bytes\s*=\s*(\d{1,18})\s*-\s*")
_PART = re.compile(rb"\s*(?:(\d{1,30})\s*-\s*(\d{0,30})|-\s*\d{1,30})\s*")


class PartsResponse(FileResponse):
    """The file, or what `Range` asks of it; one that cannot be read is passed over (RFC 9110, 14.2)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        refused = False

        async def said(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and message["status"] == 416:
                refused = True
                size = dict(message["headers"])[b"content-range"].decode()
                words = "The file ends before what `Range` asks for; `Content-Range` says how long it is."
                await answer(416, "NoSuchPart", words, {"Content-Range": size})(scope, receive, send)
            elif not refused:
                await send(message)

        headers = [(name, value) for name, value in scope["headers"] if name != b"range" or _is_range(value)]
        await super().__call__({**scope, "headers": headers}, receive, said)


class PieceResponse(PartsResponse):
    """The file; of a range to its end only the first piece, as RFC 9110 (14.2, 15.3.7) lets a server choose.

    Nothing of it is to be stored: a browser that has parts asks for what lies between them, by ranges with two ends,
    of which it wants no less, and has those who ask for the same file wait for each other.
    """

    chunk_size = PIECE

    def __init__(self, path: Path, media_type: str) -> None:
        super().__init__(path, media_type=media_type, headers={"Cache-Control": "no-store"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        headers = [(name, _first(value) if name == b"range" else value) for name, value in scope["headers"]]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _first(asked: bytes) -> bytes:
    found = _TO_THE_END.fullmatch(asked)
    return b"bytes=%d-%d" % (int(found[1]), int(found[1]) + PIECE - 1) if found else asked


def _is_range(asked: bytes) -> bool:
    unit, _, parts = asked.partition(b"=")
    if unit.strip().lower() != b"bytes":
        return False
    found = [_PART.fullmatch(part) for part in parts.split(b",")]
    return all(part and not (part[2] and int(part[2]) < int(part[1])) for part in found)
