"""A job as a durable workflow: stages are checkpointed steps, so that another worker goes on where one was killed."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from dbos import DBOS
from sqlmodel import Session
from structlog.contextvars import bind_contextvars, bound_contextvars, unbind_contextvars

from backend.errors import SelectsError, Unavailable
from backend.jobs import service as jobs
from backend.jobs.models import Job
from backend.jobs.service import Cancelled, Doing, Fenced
from backend.jobs.steps import PASSING, fenced, options, sentence
from backend.resources import Resources

log = structlog.get_logger("selects.work")


@dataclass(frozen=True)
class Work(ABC):
    """The workflow of one kind of job, as one worker does it; `give_up` ends a process that was given up for dead."""

    resources: Resources
    worker: str
    give_up: Callable[[], None]

    @property
    @abstractmethod
    def shares(self) -> Mapping[str, float]:
        """The stages in order, and how much of the whole job each is."""

    @abstractmethod
    def do(self, doing: Doing, job: Job, stage: str) -> str | None:
        """Do a stage; gives a note for people or "", None where there was nothing to do. What passes is raised."""

    def end(self, doing: Doing, state: str, problem: str) -> str:
        """End the job; gives the state."""
        with Session(self.resources.engine) as session:
            jobs.finish(session, doing, state, problem=problem)
        return state

    def run(self, job_id: str, workflow: str) -> str:
        """Do all stages; gives the state in which the job has ended, "superseded" where it goes on elsewhere."""
        doing = Doing(job_id, workflow, self.worker)
        with bound_contextvars(job=job_id, worker=self.worker):  # in every line that is logged meanwhile
            try:
                for stage in self.shares:
                    if ended := self._staged(doing, stage):
                        return ended
                return self._ended(doing, "done", "")
            except Fenced:
                log.warning("this job is done elsewhere", workflow=workflow)
                return "superseded"
            finally:
                unbind_contextvars("movie", "stage")

    def share_before(self, stage: str) -> float:
        """How much of the whole job lies before a stage."""
        names = list(self.shares)
        return sum(self.shares[name] for name in names[: names.index(stage)])

    def _staged(self, doing: Doing, stage: str) -> str:
        """A stage as a step; gives how the job has ended with it, "" where it goes on."""
        bind_contextvars(stage=stage)
        try:
            return DBOS.run_step(options(stage), self._fenced, doing, lambda: self._stage(doing, stage))
        except Fenced:
            raise
        except Exception as problem:  # a defect of ours, or a part that stayed away for minutes
            log.exception("stage failed")
            said = f"The stage {stage} failed: {sentence(problem)} The log has more; try it again."
            return self._ended(doing, "failed", said)

    def _ended(self, doing: Doing, state: str, problem: str) -> str:
        return DBOS.run_step(options(state), self._fenced, doing, lambda: self.end(doing, state, problem))

    def _fenced(self, doing: Doing, work: Callable[[], str]) -> str:
        """Do a step's work; a worker that finds itself given up for dead ends before the step is recorded."""
        return fenced(self.resources, self.worker, self.give_up, work, log)

    def _stage(self, doing: Doing, stage: str) -> str:
        """Do a stage; what passes by itself is raised."""
        began = time.monotonic()
        try:
            with Session(self.resources.engine, expire_on_commit=False) as session:
                job = jobs.claim(session, doing, stage, self.share_before(stage))
                session.expunge_all()
            if job.movie_id is not None:
                bind_contextvars(movie=job.movie_id)
            note = self.do(doing, job, stage)
            if note is not None:
                with Session(self.resources.alone) as session:
                    jobs.stage_done(session, doing, stage, time.monotonic() - began, note)
            return ""
        except Cancelled:
            return self.end(doing, "cancelled", "")
        except (Fenced, Unavailable, *PASSING):
            raise
        except SelectsError as problem:
            log.info("stage ends the job", problem=problem.detail)
            return self.end(doing, "failed", problem.detail)
