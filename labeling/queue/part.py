"""Of a large project a draw looks at a part: all that can be asked of some films, which are drawn by lot.

A draw reads every candidate that it chooses from, and features of their films; those of 10,000 films it could neither
hold nor read in time. Films are drawn as wholes, each as likely as any other, so that every candidate of the project
has the same chance to be looked at, which is a part of its propensity. For some rounds the films stay the same: their
features are read once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from backend.library.models import Candidate
from labeling.queue.models import Queue

MOST = 20_000
"""So many candidates are looked at whole: a draw of them takes about a second."""

STAY_ROUNDS = 50
NEWEST_LABELS = 1000
"""Of films elsewhere at least so many labels count, those of the newest candidates."""


@dataclass(frozen=True)
class Part:
    """Films of which candidates are looked at, None for all of them, and the chance of each to be among them."""

    films: tuple[int, ...] | None = None
    share: float = 1.0


def part_of(session: Session, queue: Queue, unasked: ColumnElement[bool], most: int) -> Part:
    """All films of a project where they have few candidates that are `unasked`, else some by lot."""
    counted = select(col(Candidate.movie_id), func.count()).where(
        col(Candidate.project_id) == queue.project_id, unasked
    )
    counts = {movie: count for movie, count in session.exec(counted.group_by(col(Candidate.movie_id))).all() if movie}
    total = sum(counts.values())
    if total <= most:
        return Part()
    wanted = max(1, most * len(counts) // total)
    lot = sorted(counts, key=lambda movie: _ticket(movie, queue.project_id, queue.round // STAY_ROUNDS))
    return Part(tuple(lot[:wanted]), wanted / len(counts))


def _ticket(movie_id: int, project_id: int, turn: int) -> bytes:
    """A number by lot for a film, the same in every process, another one in every turn."""
    return hashlib.sha256(f"{project_id}:{movie_id}:{turn}".encode()).digest()


def inside(part: Part, wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """Those of the part."""
    return wanted if part.films is None else wanted & col(Candidate.movie_id).in_(part.films)


def labelled(session: Session, queue: Queue, part: Part, verdicts: Sequence[str]) -> ColumnElement[bool]:
    """What is labelled: all of it, or that of the part and the newest of other films."""
    judged = col(Candidate.verdict).in_(verdicts)
    if part.films is None:
        return judged
    newest = select(Candidate.id).where(col(Candidate.project_id) == queue.project_id, judged)
    ids = session.exec(newest.order_by(col(Candidate.id).desc()).limit(NEWEST_LABELS)).all()
    return inside(part, judged) | col(Candidate.id).in_(ids)
