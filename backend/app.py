"""The roof of the service: routers, error handler, lifespan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from backend.answers import answer, error_answer, errors, said_of
from backend.checkpoints import written_back
from backend.clusters.metrics import cluster_figures
from backend.clusters.routes import router as clusters_router
from backend.errors import DatabaseUnready, InputError, NotAllowed, NotSignedIn, SelectsError, TooLarge, TooManyAttempts
from backend.health import router as health_router
from backend.jobs.routes import router as jobs_router
from backend.library.playing import router as playing_router
from backend.library.routes import router as library_router
from backend.library.sample import router as sample_router
from backend.limits import BodyLimits
from backend.members.gate import Gate
from backend.members.pages import router as doors_router
from backend.members.routes import router as members_router
from backend.resources import Resources
from backend.scoring.routes import router as scoring_router
from backend.scoring.shapes import LARGEST_BYTES as SCORE_BYTES
from backend.search.routes import router as search_router
from backend.settings import Settings
from labeling.agreement.routes import router as agreement_router
from labeling.decisions.routes import router as decisions_router
from labeling.engagement.routes import router as engagement_router
from labeling.lists.export_routes import router as exports_router
from labeling.lists.hook_routes import router as webhooks_router
from labeling.lists.import_routes import LARGEST_BYTES as EDIT_BYTES
from labeling.lists.import_routes import router as import_router
from labeling.lists.routes import router as lists_router
from labeling.queue.desk import Desk
from labeling.queue.drawer import Maker
from labeling.queue.routes import router as queue_router
from labeling.references.routes import router as references_router
from trainer.proof.routes import router as proof_router
from trainer.runs.metrics import training_figures
from trainer.runs.routes import router as training_router
from trainer.versions.routes import router as models_router

log = structlog.get_logger("selects.server")

DESCRIPTION = "Finds the clips of a film that are worth keeping, asks curators, and learns from every answer."

# What the gate, the validation of parameters and a database that is away may answer to any request.
EVERYWHERE = errors(InputError, NotSignedIn, NotAllowed, TooLarge, TooManyAttempts, DatabaseUnready)

BODIES: dict[str, int | None] = {
    "/api/session": 1 << 16,  # strangers may send it
    "/api/score": SCORE_BYTES,
    "/api/lists/import": EDIT_BYTES,
    # These read what is sent as it comes, and stop by themselves.
    "/api/movies": None,
    "/api/movies/*/poster": None,
    "/api/similar": None,
    "/api/references": None,
    "/api/engagement": None,
    "/api/decisions/import": None,
}
"""How much some addresses take; see backend/limits.py."""

_FILMS = (library_router, sample_router, playing_router)
_CURATING = (queue_router, decisions_router, agreement_router, references_router, engagement_router)
_LEAVING = (import_router, lists_router, exports_router, webhooks_router)
_LEARNING = (training_router, proof_router, models_router)
ROUTERS = (
    *(search_router, *_CURATING, scoring_router, *_FILMS),
    *(clusters_router, jobs_router, *_LEAVING, members_router, *_LEARNING),
)
"""A request is offered to one after the other: first what people wait for most often."""


def create_app(
    settings: Settings, resources: Resources | None = None, *, pages: bool = False, maker: Maker | None = None
) -> FastAPI:
    """The application; `resources` may be shared with whoever made them. `pages`: for people too, once a process.

    `maker` computes the draws of the curators' queue, in this process unless another is given.
    """
    held = resources or Resources(settings)
    desk = Desk(held, maker)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        held.live.start()
        with written_back(held.engine):
            yield
        desk.close()
        held.close()

    app = FastAPI(title="Selects", version="0.1.0", description=DESCRIPTION, lifespan=lifespan)
    app.state.resources = held
    app.state.desk = desk
    app.state.figures = (cluster_figures, training_figures)
    _handle_errors(app)
    for router in ROUTERS:
        app.include_router(router, prefix="/api", responses=EVERYWHERE)
    app.include_router(doors_router)
    app.include_router(health_router)
    if pages:
        from labeling.web.pages import mount_pages

        mount_pages(app, held)
    app.add_middleware(BodyLimits, own=BODIES)
    app.add_middleware(Gate, resources=held)
    return app


def _handle_errors(app: FastAPI) -> None:
    app.add_exception_handler(SelectsError, _selects_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(OperationalError, _database_error)
    app.add_exception_handler(DataError, _unstorable)


def _selects_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SelectsError)
    return error_answer(error)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [each | {"loc": each["loc"][1:]} for each in error.errors()]  # what is left out says body, query or path
    return answer(422, "InvalidRequest", said_of(found, within=str(error.errors()[0]["loc"][0])))


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    names = {404: "NotFound", 405: "MethodNotAllowed", 413: "TooLarge"}
    detail = {
        404: "There is nothing at this address.",
        405: "This address does not take that method.",
        413: "This is larger than what this address takes.",
    }
    status = error.status_code
    said = detail.get(status, str(error.detail))
    return answer(status, names.get(status, "HTTPError"), said, dict(error.headers or {}))


def _database_error(_request: Request, error: Exception) -> JSONResponse:
    log.error("database", problem=str(error).split("\n")[0])
    return answer(503, "DatabaseUnready", "The database does not answer; try again in a moment.")


def _unstorable(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DataError)
    return answer(422, "InvalidRequest", f"A value cannot be stored: {str(error.orig).splitlines()[0].rstrip('.')}.")
