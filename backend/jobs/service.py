"""What can be asked of jobs, and what a worker says of the one it does."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, func, update
from sqlmodel import Session, col, select

from backend.database import insert_ignoring, rows_changed, utc_now
from backend.errors import Conflict, NotFound, SelectsError
from backend.jobs.models import OPEN, Job, JobPublic, JobStage, Worker
from backend.jobs.queue import FILMS, JobQueue
from backend.library.models import Movie
from backend.members.service import Principal, require_role

INGEST, REFERENCE, CLUSTERS, RENDER = "ingest", "reference", "clusters", "render"
QUEUE_OF_KIND = dict.fromkeys((INGEST, REFERENCE, CLUSTERS, RENDER), FILMS)
WITHOUT_FILM = (CLUSTERS, RENDER)


class Fenced(SelectsError):
    """This worker was given up for dead, or its job was given to another: nothing of what it does may count."""


class Cancelled(SelectsError):
    """The job was cancelled."""


@dataclass(frozen=True)
class Doing:
    """A job as the worker that does it knows it."""

    job_id: str
    workflow: str
    worker: str


@dataclass(frozen=True)
class Report:
    """How far a stage is; see JobBase."""

    stage: str
    fraction: float
    done: float = 0.0
    of: float = 0.0
    unit: str = ""
    speed: float | None = None
    eta_s: float | None = None


def new_job(
    session: Session, project_id: int, movie_id: int | None, kind: str, request: Mapping[str, Any], by: str
) -> Job:
    """A queued job on a film, or on a whole project; the caller commits, then calls `enqueue`."""
    identity = uuid.uuid4().hex
    job = Job(
        id=identity,
        workflow=identity,
        kind=kind,
        project_id=project_id,
        movie_id=movie_id,
        request=dict(request),
        created_by=by,
    )
    session.add(job)
    return job


def enqueue(queue: JobQueue, job: Job) -> None:
    """Hand a committed job to the workers. What is lost between the two, the workers' sweep finds."""
    queue.enqueue(QUEUE_OF_KIND[job.kind], job.kind, job.workflow, job.id, job.workflow)


def job_named(session: Session, who: Principal, job_id: str) -> Job:
    """A job that the asker may see; raises NotFound."""
    job = session.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id!r}.")
    require_role(session, who, job.project_id, "viewer")
    return job


def list_jobs(
    session: Session, project_id: int, states: Sequence[str], movie_id: int | None, limit: int, offset: int
) -> tuple[list[JobPublic], int]:
    """Jobs of a project, the newest first, and how many there are."""
    wanted = [col(Job.project_id) == project_id]
    if states:
        wanted.append(col(Job.state).in_(states))
    if movie_id is not None:
        wanted.append(col(Job.movie_id) == movie_id)
    total = session.exec(select(func.count()).select_from(Job).where(*wanted)).one()
    rows = session.exec(
        select(Job, Movie.title)
        .join(Movie, col(Movie.id) == col(Job.movie_id), isouter=True)
        .where(*wanted)
        .order_by(col(Job.created_at).desc(), col(Job.id))
        .limit(limit)
        .offset(offset)
    ).all()
    return [public(job, title or "") for job, title in rows], total


def public(job: Job, title: str = "") -> JobPublic:
    """A job as the API shows it."""
    return JobPublic.model_validate(job, update={"movie_title": title})


def cancel(session: Session, queue: JobQueue, job: Job) -> None:
    """Stop a job: at once where it waits, at its next report where it runs. Raises Conflict where it has ended."""
    if job.state not in OPEN:
        raise Conflict(f"The job is {job.state} already; there is nothing to cancel.")
    waiting = update(Job).where(col(Job.id) == job.id, col(Job.state) == "queued")
    if rows_changed(
        session, waiting.values(state="cancelled", finished_at=utc_now(), note="cancelled before it began")
    ):
        _tell_movie(session, job, "cancelled", "")
    else:
        session.execute(
            update(Job).where(col(Job.id) == job.id, col(Job.state) == "running").values(state="cancelling")
        )
    session.commit()
    session.refresh(job)
    if job.state == "cancelled":
        queue.cancel(job.workflow)


def retry(session: Session, queue: JobQueue, job: Job) -> None:
    """Do an ended job again, from the first stage that is not done. Raises Conflict where it has not failed."""
    if job.state not in ("failed", "cancelled"):
        raise Conflict(f"The job is {job.state}; only failed and cancelled ones can be tried again.")
    if job.movie_id is None and job.kind not in WITHOUT_FILM:
        raise Conflict("The film of this job is gone; add it again.")
    _next_workflow(job)
    _tell_movie(session, job, "waiting", "")
    session.add(job)
    session.commit()
    session.refresh(job)
    enqueue(queue, job)


def claim(session: Session, doing: Doing, stage: str, fraction: float) -> Job:
    """Take a job for this worker before a stage; raises Fenced, or Cancelled where it was asked to stop or has ended.

    Whoever is handed the workflow takes the job from whoever has it: DBOS hands it out again only when the first is
    given up for dead, or by the order of a reaper that was paused; the one before then finds itself fenced.
    """
    job = session.get(Job, doing.job_id, with_for_update=True)
    if job is None:
        raise Cancelled
    if job.workflow != doing.workflow or not is_alive(session, doing.worker):
        raise Fenced
    job.worker = doing.worker
    session.add(job)
    if job.state not in ("queued", "running"):
        session.commit()
        raise Cancelled
    job.state, job.stage, job.fraction = "running", stage, fraction
    job.done, job.of, job.unit, job.speed, job.eta_s = 0.0, 0.0, "", None, None
    job.started_at = job.started_at or utc_now()
    _tell_movie(session, job, "working", "")
    session.commit()
    return job


def report(session: Session, doing: Doing, said: Report) -> None:
    """Say how far the job is; raises Fenced or Cancelled, so that long stages stop soon."""
    changed = rows_changed(session, update(Job).where(*_mine(doing), col(Job.state) == "running").values(**vars(said)))
    session.commit()
    if not changed:
        _why_not(session, doing)


def stage_done(session: Session, doing: Doing, stage: str, seconds: float, note: str = "") -> None:
    """Remember how long a stage took, and what there is to say of it."""
    row = {"job_id": doing.job_id, "workflow": doing.workflow, "stage": stage, "seconds": seconds}
    session.connection().execute(insert_ignoring(session, JobStage, ("job_id", "workflow", "stage")).values(**row))
    if note:
        session.execute(update(Job).where(*_mine(doing)).values(note=note))
    session.commit()


def left_behind(session: Session, doing: Doing) -> list[str]:
    """Checksums whose derived files must go: of what the job's film was before, of a film deleted meanwhile."""
    job = session.get(Job, doing.job_id)
    if job is None:
        return []
    last = [job.request["sha256"]] if job.movie_id is None and "sha256" in job.request else []
    return [*job.request.get("replaced", ()), *last]


def fence(session: Session, doing: Doing) -> None:
    """Raise Fenced or Cancelled unless the job is this worker's, within the transaction that has effects."""
    job = session.get(Job, doing.job_id, with_for_update=True, populate_existing=True)
    if job is None or not _is_mine(job, doing) or job.state != "running":
        _why_not(session, doing)
    if not is_alive(session, doing.worker):
        raise Fenced


def finish(session: Session, doing: Doing, state: str, *, problem: str = "") -> None:
    """End a job as done, failed or cancelled, unless it has ended or is another's by now; raises Fenced for the dead.

    One that was asked to stop ends as cancelled, whatever came of that.
    """
    if not is_alive(session, doing.worker):
        raise Fenced
    job = session.get(Job, doing.job_id, with_for_update=True, populate_existing=True)
    if job is None or not _is_mine(job, doing) or job.state not in OPEN:
        session.commit()
        return
    if job.state == "cancelling" and state != "done":
        state, problem = "cancelled", ""
    job.state, job.problem, job.finished_at, job.eta_s = state, problem, utc_now(), None
    if state == "done":
        job.fraction = 1.0
    else:
        _tell_movie(session, job, state, problem)
    session.add(job)
    session.commit()


def put_back(session: Session, job: Job) -> bool:
    """Queue an open job anew whose workflow has ended without it, as a new workflow; False where it is not so any more.

    One that was asked to stop ends instead. The caller enqueues.
    """
    found = session.get(Job, job.id, with_for_update=True, populate_existing=True)
    if found is None or found.workflow != job.workflow or found.state not in OPEN:
        session.commit()
        return False
    if found.state == "cancelling":
        found.state, found.finished_at = "cancelled", utc_now()
        _tell_movie(session, found, "cancelled", "")
    else:
        _next_workflow(found)
    session.add(found)
    session.commit()
    session.refresh(found)
    return found.state == "queued"


def is_alive(session: Session, worker: str) -> bool:
    """Whether a worker has not been given up for dead."""
    return session.exec(select(Worker.state).where(col(Worker.name) == worker)).one_or_none() == "alive"


def _next_workflow(job: Job) -> None:
    job.attempts += 1
    job.workflow = f"{job.id}-{job.attempts}"
    job.state, job.problem, job.note, job.worker = "queued", "", "", ""
    job.finished_at = None


def _is_mine(job: Job, doing: Doing) -> bool:
    return job.workflow == doing.workflow and job.worker == doing.worker


def _mine(doing: Doing) -> tuple[Any, ...]:
    alive = exists().where(col(Worker.name) == doing.worker, col(Worker.state) == "alive")
    return col(Job.id) == doing.job_id, col(Job.workflow) == doing.workflow, col(Job.worker) == doing.worker, alive


def _why_not(session: Session, doing: Doing) -> None:
    job = session.get(Job, doing.job_id, populate_existing=True)
    if job is None or (_is_mine(job, doing) and job.state in ("cancelling", "cancelled")):
        raise Cancelled
    raise Fenced


def _tell_movie(session: Session, job: Job, state: str, problem: str) -> None:
    """A film's state follows its ingest's, unless it is ready: then a new analysis that fails takes nothing away."""
    if job.movie_id is not None and job.kind == INGEST:
        session.execute(
            update(Movie)
            .where(col(Movie.id) == job.movie_id, col(Movie.state) != "ready")
            .values(state=state, problem=problem)
        )
