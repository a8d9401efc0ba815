"""/api/queue: what to judge next."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Query
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.answers import errors
from backend.dependencies import (
    Id,
    MaybeProjectQuery,
    PrincipalDep,
    ProjectQuery,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import NotAllowed, NotFound, UnknownName
from backend.library.service import project_for
from backend.members.service import Principal, require_role
from backend.resources import Resources
from labeling.dependencies import DeskDep
from labeling.queue import context, service
from labeling.queue.desk import Desk
from labeling.queue.shapes import MOST_QUESTIONS, Beside, QueueChange, QueueNext, QueuePublic, Release, Released

router = APIRouter(tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.get("/queue/next")
async def next_questions(
    who: PrincipalDep,
    resources: ResourcesDep,
    desk: DeskDep,
    later: BackgroundTasks,
    project: MaybeProjectQuery = None,
    k: Annotated[int, Query(ge=1, le=MOST_QUESTIONS, description="How many to have in hand.")] = 4,
) -> QueueNext:
    """The next candidates to judge: first those that you have already, then new ones, k in all.

    Nobody else is given them until `until`, but for a set share that two are asked about on purpose. Who asks again,
    or judges, keeps the others for as long anew.
    """
    # One change of thread and back: a route that is no coroutine has its answer checked on yet another one.
    return await run_in_threadpool(_next, resources, desk, later, who, project, k)


def _next(
    resources: Resources, desk: Desk, later: BackgroundTasks, who: Principal, project: int | None, k: int
) -> QueueNext:
    # One session after the other: who holds a connection while waiting for another can wait for ever.
    with Session(resources.reading) as session:
        project_id = project_for(session, who, project, "curator")
    claimed = desk.ask(project_id, who, k)
    if claimed.low:
        later.add_task(desk.draw_ahead, project_id, claimed.round)
    with Session(resources.reading) as session:
        return service.shown(session, claimed)


@router.post("/queue/release")
def release(wanted: Release, session: WriteSession, who: PrincipalDep) -> Released:
    """Give candidates back that you are not going to judge."""
    require_role(session, who, wanted.project, "curator")
    return Released(released=service.release(session, who, wanted.project, wanted.candidates))


@router.get("/queue")
def get_queue(session: ReadSession, who: PrincipalDep, project: MaybeProjectQuery = None) -> QueuePublic:
    """How a project's curators are asked, and how much there is."""
    return service.facts(session, who, project_for(session, who, project, "viewer"))


@router.patch("/queue", responses=errors(UnknownName))
def change_queue(
    wanted: QueueChange,
    session: WriteSession,
    who: PrincipalDep,
    project: ProjectQuery,
) -> QueuePublic:
    """Choose another strategy, how many are asked of two, or a version that shares the queue with the live one."""
    require_role(session, who, project, "admin")
    service.change(session, project, wanted)
    return service.facts(session, who, project)


@router.get("/candidates/{candidate_id}/context")
def candidate_context(candidate_id: Id, session: ReadSession, who: PrincipalDep, desk: DeskDep) -> Beside:
    """What helps to judge a clip: the shots around it, what is said, and the judged clips that look most like it."""
    return context.beside(session, who, desk.precedents, candidate_id)
