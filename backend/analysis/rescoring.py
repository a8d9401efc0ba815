"""After a swap: candidates that nobody has judged are scored with what is live now, durably, a film at a time.

Every worker sees what is live; the first that sees a change enqueues the work. Its id says which change it is for, so
that it is done once, and a later change of the same slot ends it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from dbos import DBOS
from dbos import error as dbos_errors
from sqlmodel import Session, col, select

from backend.analysis import rows
from backend.analysis.stages import candidates_wanted
from backend.clusters.head import is_metric
from backend.errors import SelectsError, Unavailable
from backend.jobs.liveness import Ticker
from backend.jobs.queue import FILMS
from backend.jobs.steps import options
from backend.library.models import Candidate, Movie
from backend.resources import Resources
from backend.scoring.live import fitting, is_current
from backend.scoring.models import Live
from backend.scoring.rank import Ranking, rank_given

RESCORE = "rescore"
DONE, SKIPPED, SUPERSEDED = "done", "skipped", "superseded"

log = structlog.get_logger("selects.work")

Span = tuple[int, int]


def register(resources: Resources) -> None:
    """Make the workflow known to DBOS."""

    @DBOS.workflow(name=RESCORE, max_recovery_attempts=None)
    def rescore(project_id: str, slot: str, generation: str) -> str:
        return Rescoring(resources, int(project_id), slot, int(generation)).run()


def watcher(resources: Resources) -> Ticker:
    """Sees changes of what is live, and enqueues the work for each; those of before this process too."""
    seen: set[tuple[int, str, int]] = set()

    def work() -> None:
        with Session(resources.reading) as session:
            changes = session.exec(select(Live.project_id, Live.slot, Live.generation)).all()
        for project_id, slot, generation in {each for each in changes if not is_metric(each[1])} - seen:
            workflow = f"{RESCORE}-{project_id}-{slot}-{generation}"
            resources.queue.enqueue(FILMS, RESCORE, workflow, str(project_id), slot, str(generation))
            seen.add((project_id, slot, generation))

    return Ticker("rescoring", work)


@dataclass(frozen=True)
class Rescoring:
    """What one change of a slot asks for; a step a film, so that another worker goes on where one was killed."""

    resources: Resources
    project_id: int
    slot: str
    generation: int

    def run(self) -> str:
        """Do all films; gives "done" or "superseded"."""
        films: list[int] = DBOS.run_step(options("films"), self.films)
        for movie_id in films:
            if self._film(movie_id) == SUPERSEDED:
                return SUPERSEDED
        return DONE

    def films(self) -> list[int]:
        """The films of the project that have candidates."""
        with Session(self.resources.reading) as session:
            wanted = select(Movie.id).where(col(Movie.project_id) == self.project_id, col(Movie.state) == "ready")
            return [movie_id for movie_id in session.exec(wanted.order_by(col(Movie.id))).all() if movie_id is not None]

    def film(self, movie_id: int) -> str:
        """Score the open candidates of a film; one that is not as it should be keeps its scores."""
        try:
            while True:
                if said := self._scored(movie_id):
                    return said
        except Unavailable:
            raise
        except SelectsError as problem:
            log.info("a film is not scored again", movie=movie_id, problem=problem.detail)
            return SKIPPED

    def _film(self, movie_id: int) -> str:
        try:
            return DBOS.run_step(options(f"film {movie_id}"), self.film, movie_id)
        except dbos_errors.DBOSMaxStepRetriesExceeded:
            log.exception("a film is not scored again", movie=movie_id)
            return SKIPPED

    def _scored(self, movie_id: int) -> str:
        """Try once; "" where what is live was changed meanwhile."""
        live = self.resources.live
        with Session(self.resources.reading) as session:
            now = session.get(Live, (self.project_id, self.slot))
            if now is None or now.generation != self.generation:
                return SUPERSEDED
            movie = session.get(Movie, movie_id)
            if movie is None or movie.state != "ready":
                return SKIPPED
            spans = [(row.start_frame, row.end_frame) for row in _open(session, movie_id)]
            session.expunge_all()
        if not spans:
            return DONE
        live.look()
        pinned, film = live.pin(self.project_id), self.resources.shelf.get(movie).film
        models, _ = fitting(pinned.chosen(movie.genres), film)
        ranking = rank_given(film, candidates_wanted(self.resources.settings), spans, *models)
        with Session(self.resources.engine) as session:
            if not is_current(session, self.project_id, pinned):
                return ""
            _save(_open(session, movie_id, lock=True), ranking)
            session.commit()
        return DONE


def _open(session: Session, movie_id: int, *, lock: bool = False) -> Sequence[Candidate]:
    """The scored candidates of a film that nobody has decided about."""
    wanted = select(Candidate).where(
        col(Candidate.movie_id) == movie_id, col(Candidate.decided) == 0, col(Candidate.score).is_not(None)
    )
    wanted = wanted.order_by(col(Candidate.id))
    return session.exec(wanted.with_for_update() if lock else wanted).all()


def _save(found: Sequence[Candidate], ranking: Ranking) -> None:
    """Scores and reasons in place; the places in the list that these rows hold are dealt out anew among them."""
    clips: dict[Span, Any] = {(clip.start_frame, clip.end_frame): clip for clip in ranking.clips}
    places = {row.id: row.rank for row in found}
    for row in found:
        if (clip := clips.get((row.start_frame, row.end_frame))) is not None:
            rows.scored(row, clip, ranking.model)
    listed = [row for row in found if places[row.id] is not None]
    for row in found:
        row.rank = None
    order = sorted(listed, key=lambda row: (-(row.score or 0.0), places[row.id] or 0))
    for place, row in zip(sorted(place for place in places.values() if place is not None), order, strict=True):
        row.rank = place
