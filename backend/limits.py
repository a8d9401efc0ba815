"""How large the body of a request may be, before its route sees it.

A route that is added takes as much as JSON needs and no more: the framework reads a body whole before it looks at it.
Those that take files, tables or many windows have a limit of their own.
"""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.answers import error_answer
from backend.errors import TooLarge

LARGEST_BYTES = 1 << 20
UNREAD = frozenset({"GET", "HEAD", "OPTIONS"})
_NUMBER = re.compile(r"/\d+(?=/|$)")


class BodyLimits:
    """The middleware. `app` is what lies behind it.

    own  limits in bytes by address (`*` stands for a number) that are others than LARGEST_BYTES; None where the route
         counts itself, since it reads the body as it comes
    """

    def __init__(self, app: ASGIApp, own: Mapping[str, int | None]) -> None:
        self._app = app
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        limit = None
        if scope["type"] == "http" and scope["method"] not in UNREAD and scope["path"].startswith("/api/"):
            limit = self._own.get(_NUMBER.sub("/*", scope["path"]), LARGEST_BYTES)
        if limit is None:
            await self._app(scope, receive, send)
        elif _said_bytes(scope) > limit:
            await error_answer(TooLarge(f"This address takes {limit >> 10:,} KiB at most."))(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, limit), send)


def _said_bytes(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said[:18]) if said.isascii() and said.isdigit() else 0


def _counted(receive: Receive, limit: int) -> Receive:
    """The same for a body that does not say how long it is."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            # Of what is raised while it reads, FastAPI lets this through.
            raise HTTPException(TooLarge.status)
        return message

    return counting
