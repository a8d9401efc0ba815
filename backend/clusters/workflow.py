"""Clustering all of a project anew, durably: a kind is a step, so that another worker goes on where one was killed."""

import time
from collections.abc import Callable, Mapping

from dbos import DBOS
from sqlmodel import Session, col, exists, select

from backend.clusters.models import KINDS, ClusterItem, Kind
from backend.clusters.placing import refresh
from backend.jobs import service as jobs
from backend.jobs.liveness import Ticker
from backend.jobs.models import OPEN, Job
from backend.jobs.service import CLUSTERS, Doing, enqueue, new_job
from backend.jobs.work import Work
from backend.library.models import Movie, Project, Shot
from backend.resources import Resources

LOOK_EVERY_S = 20.0
BY = "selects"

STAGES: Mapping[str, Kind] = {f"clusters {kind}": kind for kind in KINDS}


def start(session: Session, project_id: int, kind: str | None, by: str) -> tuple[Job, bool]:
    """A queued job that clusters a project anew (one kind, or both), and whether it is new: an open one is given.

    Commits; the caller enqueues.
    """
    # The project's row is the lock: two who ask at the same moment get the same job.
    session.exec(select(Project.id).where(col(Project.id) == project_id).with_for_update()).one()
    open_ = select(Job).where(col(Job.project_id) == project_id, col(Job.kind) == CLUSTERS, col(Job.state).in_(OPEN))
    known = next((job for job in session.exec(open_).all() if job.request.get("kind") in (kind, None)), None)
    job = known or new_job(session, project_id, None, CLUSTERS, {"kind": kind}, by)
    session.commit()
    session.refresh(job)
    return job, known is None


def begin(resources: Resources, project_id: int, kind: str | None) -> bool:
    """Have a project clustered anew; False where a job is open that may have looked already: ask again later."""
    with Session(resources.engine) as session:
        job, new = start(session, project_id, kind, BY)
        if new:
            enqueue(resources.queue, job)
    return new


def register(resources: Resources, worker: str, give_up: Callable[[], None]) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""
    work = Refreshing(resources, worker, give_up)

    @DBOS.workflow(name=CLUSTERS, max_recovery_attempts=None)
    def clusters(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


def watcher(resources: Resources) -> Ticker:
    """Sees films that are ready and in no clustering, as of a version before there were any, and has them placed."""
    seen: set[int] = set()
    looked = 0.0

    def work() -> None:
        nonlocal looked
        if looked and time.monotonic() - looked < LOOK_EVERY_S:
            return
        with Session(resources.reading) as session:
            lacking = dict(without_items(session))
        for project_id in sorted({lacking[movie] for movie in lacking.keys() - seen}):
            if begin(resources, project_id, None):
                seen.update(movie for movie, project in lacking.items() if project == project_id)
        looked = time.monotonic()

    return Ticker("clusters", work)


def without_items(session: Session) -> list[tuple[int, int]]:
    """(film, project) of ready films with shots of which nothing is clustered."""
    shots = exists().where(col(Shot.movie_id) == col(Movie.id))
    items = exists().where(col(ClusterItem.movie_id) == col(Movie.id))
    found = select(Movie.id, Movie.project_id).where(col(Movie.state) == "ready", shots, ~items)
    return [(movie, project) for movie, project in session.exec(found).all() if movie is not None]


class Refreshing(Work):
    """The workflow, as one worker does it."""

    @property
    def shares(self) -> Mapping[str, float]:
        """See Work."""
        return dict.fromkeys(STAGES, 1 / len(STAGES))

    def do(self, doing: Doing, job: Job, stage: str) -> str | None:
        """Cluster a kind anew, where the job is for it."""
        if job.request.get("kind") not in (None, STAGES[stage]):
            return None
        refresh(self.resources, job.project_id, STAGES[stage], lambda session: jobs.fence(session, doing))
        return ""
