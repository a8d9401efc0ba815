"""A draw: what nobody was asked yet goes through the project's strategy and becomes questions."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, exists, select

from backend.database import database_now, insert_ignoring
from backend.library.kept import listed
from backend.library.models import Candidate
from labeling.queue.embeddings import DIMENSIONS, Embeddings, by_film
from labeling.queue.leases import locked
from labeling.queue.models import Question, Queue
from labeling.queue.part import MOST, Part, inside, labelled, part_of
from labeling.queue.rivals import Rivals, live_version
from labeling.strategies import Pool, strategy_named
from labeling.strategies.interleave import CHAMPION, RIVAL
from labeling.strategies.mix import draw as draw_mix

PER_CURATOR = 16
LARGEST_DRAW = 400
LABELS = ("approve", "reject", "trimmed")


@dataclass(frozen=True)
class Drawn:
    """Candidates to ask about, with the slice of the draw by which each came and the chance that the draw had it.

    seen      the last round that there was
    overlap   whether two are asked
    teams     the model whose list each came from, where two share the draw, else ""
    """

    seen: int
    candidates: list[int]
    slices: list[str]
    propensities: list[float]
    overlap: list[bool]
    teams: list[str]


@dataclass(frozen=True, eq=False)
class _Choice:
    """What can be drawn, [N]: ids, names of the clips for the overlap, and the same as strategies see it."""

    ids: NDArray[np.int64]
    names: list[str]
    pool: Pool


def unasked() -> ColumnElement[bool]:
    """Candidates that a draw may take: nobody was asked or said anything yet, and there is a film to look at."""
    question = exists().where(col(Question.candidate_id) == col(Candidate.id))
    # A trimmed window whose decision was undone is nobody's question.
    fresh = (col(Candidate.source) == "ranking") | (col(Candidate.decided) == 0)
    return col(Candidate.movie_id).is_not(None) & listed() & (col(Candidate.verdict) == "") & fresh & ~question


def left(session: Session, project_id: int) -> int:
    """How many candidates a draw could take."""
    counted = select(func.count()).select_from(Candidate).where(col(Candidate.project_id) == project_id, unasked())
    return session.exec(counted).one()


def draw(
    session: Session,
    queue: Queue,
    embeddings: Embeddings,
    rng: np.random.Generator,
    rivals: Rivals | None = None,
    most: int = MOST,
) -> Drawn:
    """As many as the curators at work will soon need, by the project's strategy. Only reads.

    Where more than `most` can be drawn, only those of some films are looked at.
    """
    part = part_of(session, queue, unasked(), most)
    choice = _choice(session, queue, part, embeddings, rivals)
    k = min(LARGEST_DRAW, PER_CURATOR * max(1, _curators(session, queue.project_id)))
    if queue.strategy == "mix":
        mixed = draw_mix(choice.pool, k, rng)
        indices, propensities, slices = mixed.indices, mixed.propensities, mixed.slices
        names = {CHAMPION: live_version(session, queue.project_id), RIVAL: queue.rival or ""}
        teams = tuple(names.get(team, "") for team in mixed.teams)
    else:
        indices, propensities = strategy_named(queue.strategy)(choice.pool, k, rng)
        slices, teams = (queue.strategy,) * len(indices), ("",) * len(indices)
    overlap = [is_overlap(choice.names[index], queue.overlap) for index in indices.tolist()]
    candidates = choice.ids[indices].tolist()
    # A film that is not in this part could not come: its share of the films is a part of every chance.
    chances = (propensities * part.share).tolist()
    return Drawn(queue.round, candidates, list(slices), chances, overlap, list(teams))


def store(session: Session, project_id: int, drawn: Drawn) -> bool:
    """Make questions of a draw; False where another was faster. Commits."""
    rows = list(_rows(project_id, drawn))
    current = locked(session, project_id)
    if current.round != drawn.seen:
        session.rollback()
        return False
    # In the order in which those who decide lock several.
    ids = select(Candidate.id).where(col(Candidate.id).in_(drawn.candidates)).order_by(col(Candidate.id))
    there = set(session.exec(ids.with_for_update(read=True, key_share=True)).all())
    rows = [row for row in rows if row["candidate_id"] in there]
    if rows:
        insert = insert_ignoring(session, Question, ["candidate_id", "second"])
        session.connection().execute(insert, rows)
    current.round, current.drawn = current.round + 1, len(drawn.candidates)
    session.add(current)
    session.commit()
    return True


def _rows(project_id: int, drawn: Drawn) -> Iterator[dict[str, Any]]:
    """A question for each candidate drawn, two where two are asked."""
    for place, (candidate_id, overlap) in enumerate(zip(drawn.candidates, drawn.overlap, strict=True)):
        question = {
            "project_id": project_id,
            "candidate_id": candidate_id,
            "second": False,
            "overlap": overlap,
            "round": drawn.seen + 1,
            "place": place,
            "strategy": drawn.slices[place],
            "propensity": drawn.propensities[place],
            "team": drawn.teams[place],
            "answered": False,
        }
        yield question
        if overlap:
            yield {**question, "second": True}


def is_overlap(name: str, share: float) -> bool:
    """Whether two are asked of the clip of this name: the same share of all, and the same answer always."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) < share * 2**64


def _curators(session: Session, project_id: int) -> int:
    at_work = select(func.count(func.distinct(col(Question.person_id)))).where(
        col(Question.project_id) == project_id,
        col(Question.answered).is_(False),
        col(Question.until) > database_now(),
    )
    return session.exec(at_work).one()


def _choice(session: Session, queue: Queue, part: Part, embeddings: Embeddings, rivals: Rivals | None) -> _Choice:
    """What can be drawn of a part of the project, beside what is labelled."""
    columns = (
        *(col(Candidate.id), col(Candidate.movie_id), col(Candidate.movie_sha256), col(Candidate.scene)),
        *(col(Candidate.start_frame), col(Candidate.end_frame), col(Candidate.compelling), col(Candidate.score)),
        col(Candidate.verdict),
    )
    wanted = select(*columns).where(  # type: ignore[call-overload]
        col(Candidate.project_id) == queue.project_id, labelled(session, queue, part, LABELS) | inside(part, unasked())
    )
    rows = session.connection().execute(wanted.order_by(col(Candidate.id))).all()
    parts = zip(*rows, strict=True) if rows else [()] * len(columns)
    ids, movies, films, scenes, starts, ends, compelling, scores, verdicts = parts
    windows = np.array([starts, ends], np.int64).T.reshape(-1, 2)
    vectors = np.full((len(rows), DIMENSIONS), np.nan, np.float32)
    of_film = by_film(movies)
    judged = np.array([verdict in LABELS for verdict in verdicts], bool)
    for movie, means in embeddings.of(session, {movie: windows[at] for movie, at in of_film.items()}).items():
        vectors[of_film[movie]] = means
    probabilities = np.array([s if c is None else c for c, s in zip(compelling, scores, strict=True)], np.float64)
    groups = np.unique(np.array(films, str), return_inverse=True)[1].astype(np.int64)
    places = np.array(scenes, np.int64) + groups * (max(scenes, default=0) + 1)
    open_of = {movie: at[~judged[at]] for movie, at in of_film.items() if not judged[at].all()}
    said = rivals.of(session, queue, {movie: windows[at] for movie, at in open_of.items()}) if rivals else None
    pool = Pool(
        embeddings=vectors[~judged],
        probabilities=probabilities[~judged],
        groups=groups[~judged],
        labelled_embeddings=vectors[judged],
        labelled_groups=groups[judged],
        round=queue.round,
        scenes=places[~judged],
        rivals=None if said is None else _spread(said, open_of, len(rows))[~judged],
    )
    names = [f"{films[at]}:{starts[at]}:{ends[at]}" for at in np.flatnonzero(~judged).tolist()]
    return _Choice(np.array(ids, np.int64)[~judged], names, pool)


def _spread(said: dict[int, NDArray[np.float64]], places: dict[int, NDArray[np.int64]], count: int) -> NDArray[Any]:
    """Values by film as one array [count]; NaN where there is none."""
    values = np.full(count, np.nan)
    for movie, own in said.items():
        values[places[movie]] = own
    return values
