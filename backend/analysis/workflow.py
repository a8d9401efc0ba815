"""The durable ingest: stages as checkpointed steps, so that another worker goes on where one was killed."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import structlog
from dbos import DBOS, StepOptions
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.analysis.stages import STAGES, Context
from backend.errors import SelectsError, Unavailable
from backend.jobs import service as jobs
from backend.jobs.service import Cancelled, Doing, Fenced, Report
from backend.library.models import Movie
from backend.library.service import remove_derived
from backend.resources import Resources

REPORT_EVERY_S = 0.5
SPEED_OVER_S = 5.0
RETRIES, FIRST_WAIT_S, WAIT_GROWS = 8, 1.0, 1.8
UNITS = {"checksum": "bytes", "decode": "frames", "sound": "seconds", "speech": "seconds", "features": "shots"}

log = structlog.get_logger("selects.ingest")


def register(resources: Resources, worker: str, give_up: Any) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""
    work = Ingest(resources, worker, give_up)

    @DBOS.workflow(name="ingest", max_recovery_attempts=None)
    def ingest(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


@dataclass(frozen=True)
class Ingest:
    """The workflow of one worker."""

    resources: Resources
    worker: str
    give_up: Any

    def run(self, job_id: str, workflow: str) -> str:
        """Do all stages; gives the state in which the job has ended."""
        doing = Doing(job_id, workflow, self.worker)
        for stage in STAGES:
            try:
                ended: str = DBOS.run_step(_options(stage), self._stage, doing, stage)
            except Exception as problem:  # a defect of ours, or a part that stayed away for minutes
                log.exception("stage failed", job=job_id, stage=stage)
                said = f"The stage {stage} failed: {_sentence(problem)} The log has more; try it again."
                ended = DBOS.run_step({"name": "failed"}, self._end, doing, "failed", said)
            if ended:
                return ended
        return DBOS.run_step({"name": "done"}, self._end, doing, "done", "")

    def _stage(self, doing: Doing, stage: str) -> str:
        """Do a stage; gives how the job has ended with it, "" where it goes on. What passes by itself is raised."""
        began = time.monotonic()
        try:
            with Session(self.resources.engine, expire_on_commit=False) as session:
                job = jobs.claim(session, doing, stage, share_before(stage))
                movie = session.get(Movie, job.movie_id)
                if movie is None:
                    raise Cancelled("The film was deleted while it was being analysed.")
                session.expunge_all()
            bound = log.bind(job=doing.job_id, movie=movie.id, stage=stage)
            bound.info("stage begins", file=movie.path)
            note = STAGES[stage][0](
                Context(self.resources, doing, movie, _Reporter(self.resources, doing, stage, movie))
            )
            seconds = time.monotonic() - began
            with Session(self.resources.engine) as session:
                jobs.stage_done(session, doing, stage, seconds, note)
            bound.info("stage done", seconds=round(seconds, 3))
            return ""
        except Fenced:
            log.error("this worker was given up for dead", job=doing.job_id, worker=self.worker)
            self.give_up()
            raise
        except Cancelled:
            return self._end(doing, "cancelled", "")
        except (Unavailable, OperationalError):
            raise
        except SelectsError as problem:
            log.info("stage ends the job", job=doing.job_id, stage=stage, problem=problem.detail)
            return self._end(doing, "failed", problem.detail)

    def _end(self, doing: Doing, state: str, problem: str) -> str:
        with Session(self.resources.engine) as session:
            jobs.finish(session, doing, state, problem=problem)
            for sha256 in jobs.left_behind(session, doing):
                remove_derived(session, self.resources.home, sha256)
        return state


def _options(stage: str) -> StepOptions:
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
    return isinstance(problem, Unavailable | OperationalError)


def _sentence(problem: Exception) -> str:
    said = problem.detail if isinstance(problem, SelectsError) else f"{type(problem).__name__}."
    return said if said.endswith(".") else f"{said}."


class _Reporter:
    """Progress of a stage as the job's row tells it: at most twice a second, with speed and time left.

    It is called from several threads; a report that finds the job cancelled or fenced raises in the caller's.
    """

    def __init__(self, resources: Resources, doing: Doing, stage: str, movie: Movie) -> None:
        self._resources, self._doing, self._stage, self._movie = resources, doing, stage, movie
        self._before = share_before(stage)
        self._lock = threading.Lock()
        self._next = 0.0
        self._ended: SelectsError | None = None
        self._seen: dict[str, list[tuple[float, float]]] = {}

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Take what a part of the stage says of itself."""
        part = stage
        with self._lock:
            if self._ended is not None:
                raise self._ended
            now = time.monotonic()
            if now < self._next or (self._stage == "scan" and part == "sound" and "decode" in self._seen):
                return
            self._next = now + REPORT_EVERY_S
            try:
                with Session(self._resources.engine) as session:
                    jobs.report(session, self._doing, self._report(part, done, total, now))
            except SelectsError as ended:
                self._ended = ended
                raise

    def _report(self, part: str, done: float, total: float, now: float) -> Report:
        seen = self._seen.setdefault(part, [])
        seen.append((now, done))
        while len(seen) > 2 and now - seen[1][0] > SPEED_OVER_S:
            seen.pop(0)
        began, earlier = seen[0]
        elapsed = now - began
        speed = (done - earlier) / elapsed if elapsed > 0 and done > earlier else None
        share = min(1.0, done / total) if total else 0.0
        eta_s = (total - done) / speed if speed and total else None
        played = _seconds_each(part, self._movie)
        return Report(
            stage=self._stage,
            fraction=min(1.0, self._before + share * STAGES[self._stage][1]),
            done=done,
            of=total,
            unit=UNITS.get(part, ""),
            speed=speed * played if speed and played else speed,
            eta_s=eta_s,
        )


def share_before(stage: str) -> float:
    """How much of the whole job lies before a stage."""
    names = list(STAGES)
    return sum(STAGES[name][1] for name in names[: names.index(stage)])


def _seconds_each(part: str, movie: Movie) -> float:
    """Seconds of film that a unit of this part plays; 0 where it plays none."""
    if part != "decode" or not movie.rate:
        return 0.0
    numerator, _, denominator = movie.rate.partition("/")
    return int(denominator or 1) / int(numerator)
