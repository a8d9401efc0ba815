"""/api/jobs: what is being done, how far it is, stop it, try it again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import (
    LARGEST_ID,
    PageDep,
    PrincipalDep,
    ProjectQuery,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import Conflict, NotFound
from backend.events import follow
from backend.jobs import service
from backend.jobs.models import OPEN, JobPublic
from backend.library.models import Movie
from backend.members.service import Principal, require_role
from backend.paging import Paged, paged
from backend.resources import Resources

JobId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,64}$", examples=["0f8fad5bd9cb469fa16570867728950e"])]
State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]

router = APIRouter(prefix="/jobs", tags=["jobs"], responses=errors(NotFound))


@router.get("")
def list_jobs(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    project: ProjectQuery,
    state: Annotated[list[State] | None, Query(description="Only jobs in these states.")] = None,
    movie: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only jobs of this film.")] = None,
) -> Paged[JobPublic]:
    """Jobs of a project, the newest first."""
    require_role(session, who, project, "viewer")
    jobs, total = service.list_jobs(session, project, state or (), movie, page.limit, page.offset)
    return paged(jobs, total, page.offset)


@router.get("/{job_id}")
def get_job(job_id: JobId, session: ReadSession, who: PrincipalDep) -> JobPublic:
    """One job: stage, fraction, speed, time left; why it failed, in words."""
    return _shown(session, who, job_id)


@router.get(
    "/{job_id}/events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}, "description": "`data:` lines, each a job as JSON."}},
)
async def job_events(job_id: JobId, resources: ResourcesDep, who: PrincipalDep) -> StreamingResponse:
    """The same as server-sent events: one now, one at each change, the last when the job has ended."""
    return await follow(lambda: _look(resources, who, job_id), lambda job: job.state in OPEN)


@router.post("/{job_id}/cancel", responses=errors(Conflict))
def cancel_job(job_id: JobId, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> JobPublic:
    """Stop a job. One that runs stops within a second or two; what is finished of it is kept for a retry."""
    job = service.job_named(session, who, job_id)
    require_role(session, who, job.project_id, "curator")
    service.cancel(session, resources.queue, job)
    return _shown(session, who, job_id)


@router.post("/{job_id}/retry", responses=errors(Conflict))
def retry_job(job_id: JobId, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> JobPublic:
    """Try a failed or cancelled job again; stages that are done are not done twice."""
    job = service.job_named(session, who, job_id)
    require_role(session, who, job.project_id, "curator")
    service.retry(session, resources.queue, job)
    return _shown(session, who, job_id)


def _shown(session: Session, who: Principal, job_id: str) -> JobPublic:
    job = service.job_named(session, who, job_id)
    movie = session.get(Movie, job.movie_id) if job.movie_id else None
    return service.public(job, movie.title if movie else "")


def _look(resources: Resources, who: Principal, job_id: str) -> JobPublic:
    with Session(resources.reading) as session:
        return _shown(session, who, job_id)
