"""/api/training: runs that are started, watched and cancelled, and when the next one is due."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import MaybeProjectQuery, PageDep, PrincipalDep, ReadSession, ResourcesDep, WriteSession
from backend.errors import Conflict, NotAllowed, NotFound
from backend.events import follow
from backend.library.service import project_for
from backend.members.service import Principal, require_role
from backend.paging import Paged, paged
from backend.resources import Resources
from trainer.runs import service
from trainer.runs.models import OPEN
from trainer.runs.shapes import SLOT, Gathered, RunAsked, RunNew, RunPublic, RunState, Schedule

RunId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,64}$", examples=["0f8fad5bd9cb469fa16570867728950e"])]

router = APIRouter(prefix="/training", tags=["training"], responses=errors(NotFound, NotAllowed))


@router.post(
    "/runs",
    status_code=202,
    responses={200: {"model": RunPublic, "description": "A run of this slot is open already: it is this one."}},
)
def start_run(
    wanted: RunAsked, session: WriteSession, who: PrincipalDep, resources: ResourcesDep, response: Response
) -> RunPublic:
    """Train on everything that is labelled now. Answers at once; an open run of the same slot is given instead."""
    require_role(session, who, wanted.project, "admin")
    new = RunNew(**wanted.model_dump(exclude={"project"}))
    run, made = service.start(session, wanted.project, new, who.name)
    shown = RunPublic.model_validate(run)
    session.commit()
    if made:
        service.enqueue(resources.queue, run)
    else:
        response.status_code = 200
    return shown


@router.get("/runs")
def list_runs(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    project: MaybeProjectQuery = None,
    state: Annotated[list[RunState] | None, Query(description="Only runs in these states.")] = None,
    slot: Annotated[str, Query(pattern=f"^$|{SLOT}", max_length=70, description="Only runs of this slot.")] = "",
) -> Paged[RunPublic]:
    """Training runs of a project, the newest first."""
    project_id = project_for(session, who, project, "viewer")
    found, total = service.list_runs(session, project_id, state or (), slot, page.limit, page.offset)
    return paged([RunPublic.model_validate(run) for run in found], total, page.offset)


@router.get("/schedule")
def get_schedule(
    session: ReadSession, who: PrincipalDep, resources: ResourcesDep, project: MaybeProjectQuery = None
) -> Schedule:
    """When a project is trained next, and what there is to learn from since the last time."""
    project_id = project_for(session, who, project, "viewer")
    return service.schedule(session, project_id, resources.settings.training)


@router.get("/labels")
def get_labels(session: ReadSession, who: PrincipalDep, project: MaybeProjectQuery = None) -> Gathered:
    """How many clips of how many films are judged, and how many the gate asks for before a model may go live."""
    return service.labels(session, project_for(session, who, project, "viewer"))


@router.get("/runs/{run_id}")
def get_run(run_id: RunId, session: ReadSession, who: PrincipalDep) -> RunPublic:
    """One run: stage, epoch, loss, time left; why it was refused or failed, in words."""
    return RunPublic.model_validate(service.run_named(session, who, run_id))


@router.get(
    "/runs/{run_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "`data:` lines, each a run as JSON."}},
)
async def run_events(run_id: RunId, resources: ResourcesDep, who: PrincipalDep) -> StreamingResponse:
    """The same as server-sent events: one now, one at each change, the last when the run has ended."""
    return await follow(lambda: _look(resources, who, run_id), lambda run: run.state in OPEN)


@router.post("/runs/{run_id}/cancel", responses=errors(Conflict))
def cancel_run(run_id: RunId, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> RunPublic:
    """End a run; what trains stops within seconds, and nothing of it is kept."""
    run = service.run_named(session, who, run_id)
    service.cancel(session, resources.queue, who, run)
    return RunPublic.model_validate(run)


def _look(resources: Resources, who: Principal, run_id: str) -> RunPublic:
    with Session(resources.reading) as session:
        return RunPublic.model_validate(service.run_named(session, who, run_id))
