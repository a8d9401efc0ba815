"""The pages under their addresses, behind the same gate as everything else.

NiceGUI draws the shell; what it frames is a static element (`static/app.js`) that follows the address by itself and
speaks to the API, so that an upload goes on while somebody looks at a film. Nothing is kept in NiceGUI's storage, so it
needs no secret: what a browser remembers (project, order, volume) it remembers itself.
"""

from fastapi import FastAPI
from nicegui import ui
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from backend.resources import Resources
from labeling.web.boot import boot_of
from labeling.web.frame import frame
from labeling.web.served import FOLDER, Unchanging, version

RECONNECT_S = 90.0
BUILD_S = 30.0
ADDRESSES = (
    *("/", "/movies/{movie_id:int}", "/review", "/agreement", "/board", "/search", "/models", "/models/{version}"),
    *("/lists", "/lists/{list_id:int}", "/people"),
)


def mount_pages(app: FastAPI, resources: Resources) -> None:
    """Add the pages to an application, after its other routes. NiceGUI allows that once a process."""
    static = f"/static/{version()}"

    async def page(request: Request) -> None:
        frame(await run_in_threadpool(boot_of, request, resources, static))

    async def lost(request: Request) -> None:
        ui.context.client.status_code = 404
        await page(request)

    for address in ADDRESSES:
        ui.page(address, response_timeout=BUILD_S)(page)
    app.mount(static, Unchanging(directory=FOLDER), name="static")
    ui.run_with(
        app,
        root=lost,
        title="Selects",
        favicon=FOLDER / "favicon.svg",
        dark=None,
        reconnect_timeout=RECONNECT_S,
        tailwind=False,
        show_welcome_message=False,
    )
    app.router.routes[-1] = _Pages(app.router.routes[-1])


class _Pages(BaseRoute):
    """NiceGUI, but for addresses that the API answers for itself: their 404 and 405 stay JSON."""

    def __init__(self, mounted: BaseRoute) -> None:
        self._mounted = mounted

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether this is for a person with a browser; what is found is handled by what is mounted."""
        path = scope["path"]
        looks = scope["type"] == "websocket" or scope.get("method") in ("GET", "HEAD")
        if path.startswith("/_nicegui") or (looks and path != "/api" and not path.startswith("/api/")):
            return self._mounted.matches(scope)
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        try:
            await self._mounted.handle(scope, receive, send)
        except RuntimeError as problem:
            # What NiceGUI's middleware makes of a browser that went on before its page was there.
            if str(problem) != "No response returned.":
                raise
