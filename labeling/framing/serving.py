"""The labelling page on this machine: a small application of its own, without the service, under an address that cannot
be guessed.
"""

import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from backend.errors import InputError, SelectsError
from backend.features.framing.scale import NOBODY, SCALES, Framing
from labeling.framing.desk import Desk
from labeling.web.served import FOLDER, Unchanging, version

HOST = "127.0.0.1"
Scale = Literal["extreme close-up", "close-up", "medium", "full", "long", "none"]


class Said(BaseModel):
    """How a still is framed."""

    model_config = ConfigDict(extra="forbid")

    medium_close_up: bool
    scale: Scale = Field(description="Shot scale, from near to far; `none` where nobody is seen.")

    @classmethod
    def of(cls, framing: Framing) -> "Said":
        """A framing as the API shows it."""
        return cls.model_validate({"medium_close_up": framing.medium_close_up, "scale": framing.scale})


class StillPublic(BaseModel):
    """A still to be labelled; `faces` is the scale by the size of faces, `probability` the model's, null without one.

    `picture` is its address.
    """

    number: int
    title: str
    timecode: str
    second: float
    picture: str
    faces: Scale
    guess: Said
    probability: float | None
    label: Said | None


class Stills(BaseModel):
    """All stills in the order in which they are asked, and the scales in the order of their keys."""

    items: list[StillPublic]
    scales: list[str]
    file: str


def create_app(desk: Desk, secret: str) -> FastAPI:
    """The application; everything lies under `/secret/`."""
    app = FastAPI(title="Selects: labels of stills", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_exception_handler(SelectsError, _problem)
    app.include_router(_routes(desk, secret), prefix=f"/{secret}")
    app.mount(f"/{secret}/static/{version()}", Unchanging(directory=FOLDER), name="static")
    return app


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A socket that listens on loopback, at any port for 0; raises InputError where the port is taken."""
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((HOST, port))
            place.listen()
        except OSError as problem:
            raise InputError(f"Cannot listen on {HOST}:{port}: {problem.strerror}; choose another --port.") from None
        yield place


def serve(desk: Desk, place: socket.socket, tell: Callable[[str], None]) -> None:
    """Answer where `listening` listens until Ctrl-C; `tell` is given the link as soon as it can be opened."""
    import uvicorn

    secret = secrets.token_urlsafe(16)
    tell(f"http://{HOST}:{place.getsockname()[1]}/{secret}/")
    config = uvicorn.Config(create_app(desk, secret), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[place])


def _routes(desk: Desk, secret: str) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    def page() -> HTMLResponse:
        """The page."""
        return HTMLResponse(_page(secret))

    @router.get("/api/framing/stills")
    def list_stills() -> Stills:
        """What is to be labelled, what is guessed, what was said."""
        items = [
            StillPublic(
                number=number,
                title=asked.still.title,
                timecode=asked.still.timecode,
                second=asked.still.second,
                picture=f"/{secret}/api/framing/stills/{number}.jpg",
                faces=Said.of(asked.rule).scale,
                guess=Said.of(asked.guess),
                probability=asked.probability,
                label=Said.of(said) if (said := desk.label_of(number)) else None,
            )
            for number, asked in enumerate(desk.asked)
        ]
        return Stills(items=items, scales=[*SCALES, NOBODY], file=str(desk.path))

    @router.get("/api/framing/stills/{number}.jpg")
    def picture(number: Annotated[int, Field(ge=0)]) -> FileResponse:
        """The picture of a still."""
        return FileResponse(desk.picture(number), media_type="image/jpeg")

    @router.put("/api/framing/stills/{number}/label")
    def say(number: int, said: Said) -> Said:
        """Label a still."""
        desk.say(number, Framing(said.medium_close_up, said.scale))
        return said

    @router.delete("/api/framing/stills/{number}/label", status_code=204)
    def take_back(number: int) -> None:
        """Take a label back."""
        desk.say(number, None)

    return router


def _problem(_request: Request, problem: Exception) -> JSONResponse:
    status = problem.status if isinstance(problem, SelectsError) else 500
    return JSONResponse({"error": type(problem).__name__, "detail": str(problem)}, status)


def _page(secret: str) -> str:
    static = f"/{secret}/static/{version()}"
    boot = json.dumps({"static": static, "base": f"/{secret}", "projects": [], "project": None})
    styles = "".join(f'<link rel="stylesheet" href="{static}/{name}.css">' for name in ("tokens", "shell", "framing"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Label stills · Selects</title>'
        f'<link rel="icon" href="{static}/favicon.svg">{styles}'
        f'<script type="application/json" id="boot">{boot}</script>'
        f'<script type="module" src="{static}/framing.js"></script></head>'
        '<body><selects-framing role="main"></selects-framing></body></html>'
    )
