"""Durable work on a film: what an ingest does stage by stage, and what is done with a film's references."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from dbos import DBOS
from sqlmodel import Session

from backend.analysis.reporting import Reporter
from backend.analysis.stages import STAGES, Context, Stages
from backend.jobs import service as jobs
from backend.jobs.models import Job
from backend.jobs.service import Cancelled, Doing
from backend.jobs.work import Work
from backend.library.models import Movie
from backend.library.places import derived_folders
from backend.library.service import remove_derived
from backend.resources import Resources
from backend.search.removal import remove_vectors
from backend.store.media import publish_all

log = structlog.get_logger("selects.work")


def register(resources: Resources, worker: str, give_up: Callable[[], None]) -> None:
    """Make the workflow known to DBOS; `give_up` ends the process when it finds that it was given up for dead."""
    work = FilmWork(resources, worker, give_up, STAGES)

    @DBOS.workflow(name="ingest", max_recovery_attempts=None)
    def ingest(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


@dataclass(frozen=True)
class FilmWork(Work):
    """Work on the film that the job names."""

    stages: Stages
    of_film: bool = True

    @property
    def shares(self) -> Mapping[str, float]:
        """See Work."""
        return {stage: share for stage, (_, share) in self.stages.items()}

    def film(self, job: Job) -> Movie:
        """What the stages are about; raises Cancelled where it was deleted meanwhile."""
        with Session(self.resources.reading) as session:
            movie = session.get(Movie, job.movie_id) if job.movie_id is not None else None
            if movie is None:
                raise Cancelled
            session.expunge_all()
        return movie

    def makes_in(self, movie: Movie, job: Job) -> Iterable[Path]:
        """The folders in which stages leave what other machines need."""
        sha256 = job.request.get("sha256") or movie.sha256
        return derived_folders(self.resources.home, sha256) if sha256 else ()

    def do(self, doing: Doing, job: Job, stage: str) -> str:
        """See Work."""
        movie = self.film(job)
        began, (work, share) = time.monotonic(), self.stages[stage]
        log.info("stage begins", file=movie.path)
        reporter = Reporter(self.resources, doing, stage, (self.share_before(stage), share), _frame_s(movie))
        note = work(Context(self.resources, doing, movie, reporter, job.request))
        for folder in self.makes_in(movie, job):
            publish_all(folder)
        log.info("stage done", seconds=round(time.monotonic() - began, 3))
        return note

    def end(self, doing: Doing, state: str, problem: str) -> str:
        """See Work; before it, remove what was made of a film that is another now, or is gone."""
        with Session(self.resources.reading) as session:
            left = jobs.left_behind(session, doing)
        for sha256 in left:
            remove_derived(self.resources, sha256)
            remove_vectors(self.resources, sha256)
        return super().end(doing, state, problem)


def _frame_s(movie: Movie) -> float:
    """Seconds that a frame plays; 0 where it is not known yet."""
    numerator, _, denominator = movie.rate.partition("/")
    return int(denominator or 1) / int(numerator) if numerator else 0.0
