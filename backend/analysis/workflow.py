"""Durable work on a film: stages as checkpointed steps, so that another worker goes on where one was killed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from dbos import DBOS, StepOptions
from dbos import error as dbos_errors
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from backend.analysis.reporting import Reporter
from backend.analysis.stages import STAGES, Context, Stages, share_before
from backend.errors import SelectsError, Unavailable
from backend.jobs import service as jobs
from backend.jobs.service import Cancelled, Doing, Fenced
from backend.library.models import Movie
from backend.library.service import remove_derived
from backend.resources import Resources
from backend.search.removal import remove_vectors

RETRIES, FIRST_WAIT_S, WAIT_GROWS = 8, 1.0, 1.8
# Two workers that enter the same film at the same moment violate a constraint; the second then finds the first's row.
PASSING = (OperationalError, IntegrityError)

log = structlog.get_logger("selects.work")


def register(resources: Resources, worker: str, give_up: Any) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""
    work = Work(resources, worker, give_up, STAGES)

    @DBOS.workflow(name="ingest", max_recovery_attempts=None)
    def ingest(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


@dataclass(frozen=True)
class Work:
    """The workflow of one kind of job, as one worker does it."""

    resources: Resources
    worker: str
    give_up: Any
    stages: Stages

    def run(self, job_id: str, workflow: str) -> str:
        """Do all stages; gives the state in which the job has ended, "superseded" where it goes on elsewhere."""
        doing = Doing(job_id, workflow, self.worker)
        try:
            for stage in self.stages:
                if ended := self._staged(doing, stage):
                    return ended
            return self._ended(doing, "done", "")
        except Fenced:
            log.warning("this job is done elsewhere", job=job_id, workflow=workflow)
            return "superseded"

    def _staged(self, doing: Doing, stage: str) -> str:
        """A stage as a step; gives how the job has ended with it, "" where it goes on."""
        try:
            return DBOS.run_step(options(stage), self._fenced, doing, lambda: self._stage(doing, stage))
        except Fenced:
            raise
        except Exception as problem:  # a defect of ours, or a part that stayed away for minutes
            log.exception("stage failed", job=doing.job_id, stage=stage)
            said = f"The stage {stage} failed: {_sentence(problem)} The log has more; try it again."
            return self._ended(doing, "failed", said)

    def _ended(self, doing: Doing, state: str, problem: str) -> str:
        return DBOS.run_step(options(state), self._fenced, doing, lambda: self._end(doing, state, problem))

    def _fenced(self, doing: Doing, work: Callable[[], str]) -> str:
        """Do a step's work; a worker that finds itself given up for dead ends before the step is recorded."""
        try:
            return work()
        except Fenced:
            with Session(self.resources.reading) as session:
                if not jobs.is_alive(session, self.worker):
                    log.error("this worker was given up for dead", job=doing.job_id, worker=self.worker)
                    self.give_up()
            raise

    def _stage(self, doing: Doing, stage: str) -> str:
        """Do a stage; what passes by itself is raised."""
        began = time.monotonic()
        work, share = self.stages[stage]
        before = share_before(self.stages, stage)
        try:
            with Session(self.resources.engine, expire_on_commit=False) as session:
                job = jobs.claim(session, doing, stage, before)
                movie = session.get(Movie, job.movie_id)
                if movie is None:
                    raise Cancelled
                session.expunge_all()
            bound = log.bind(job=doing.job_id, movie=movie.id, stage=stage)
            bound.info("stage begins", file=movie.path)
            reporter = Reporter(self.resources, doing, stage, (before, share), _frame_s(movie))
            note = work(Context(self.resources, doing, movie, reporter, job.request))
            seconds = time.monotonic() - began
            with Session(self.resources.engine) as session:
                jobs.stage_done(session, doing, stage, seconds, note)
            bound.info("stage done", seconds=round(seconds, 3))
            return ""
        except Cancelled:
            return self._end(doing, "cancelled", "")
        except (Fenced, Unavailable, *PASSING):
            raise
        except SelectsError as problem:
            log.info("stage ends the job", job=doing.job_id, stage=stage, problem=problem.detail)
            return self._end(doing, "failed", problem.detail)

    def _end(self, doing: Doing, state: str, problem: str) -> str:
        with Session(self.resources.reading) as session:
            left = jobs.left_behind(session, doing)
        for sha256 in left:
            remove_derived(self.resources, sha256)
            remove_vectors(self.resources, sha256)
        with Session(self.resources.engine) as session:
            jobs.finish(session, doing, state, problem=problem)
        return state


def options(stage: str) -> StepOptions:
    """Of a step: what passes by itself is tried again."""
    return {
        "name": stage,
        "retries_allowed": True,
        "interval_seconds": FIRST_WAIT_S,
        "max_attempts": RETRIES,
        "backoff_rate": WAIT_GROWS,
        "should_retry": _passes,
    }


def _passes(problem: BaseException) -> bool:
    """Whether it is worth waiting for what is wrong to pass: a server that is away, not a film that is broken."""
    return isinstance(problem, (Unavailable, *PASSING))


def _sentence(problem: Exception) -> str:
    if isinstance(problem, dbos_errors.DBOSMaxStepRetriesExceeded) and problem.errors:
        return _sentence(problem.errors[-1])
    said = problem.detail if isinstance(problem, SelectsError) else type(problem).__name__
    return said if said.endswith(".") else f"{said}."


def _frame_s(movie: Movie) -> float:
    """Seconds that a frame plays; 0 where it is not known yet."""
    numerator, _, denominator = movie.rate.partition("/")
    return int(denominator or 1) / int(numerator) if numerator else 0.0
