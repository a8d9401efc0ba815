"""The statements by which questions are given out. Made once: building one takes longer than running it."""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import col, exists

from backend.database import database_now
from backend.library.kept import listed
from backend.library.models import Candidate, Movie
from labeling.decisions.models import Decision
from labeling.queue.models import Question, Queue

LEASE_S = 600.0
SOON = 64

_PERSON: BindParameter[int] = bindparam("person")
_PROJECT: BindParameter[int] = bindparam("project")
_OTHER = aliased(Question)


def free() -> ColumnElement[bool]:
    """Questions that nobody has."""
    return col(Question.answered).is_(False) & or_(
        col(Question.person_id).is_(None), col(Question.until) < database_now()
    )


_ORDER = (col(Question.round), col(Question.place), col(Question.second))


def _questions(*where: ColumnElement[bool]) -> "Select[Any]":
    """Questions of a project about clips that can be looked at, in the order in which they are put."""
    columns: tuple[Any, ...] = (
        *(col(Question.id), col(Question.candidate_id), col(Question.round), col(Question.place)),
        *(col(Question.strategy), col(Question.propensity)),
    )
    wanted: Select[Any] = select(*columns).join(Candidate, col(Candidate.id) == col(Question.candidate_id))
    wanted = wanted.where(col(Question.project_id) == _PROJECT, col(Candidate.movie_id).is_not(None), listed(), *where)
    return wanted.order_by(*_ORDER)


QUEUE = select(col(Queue.round), col(Queue.drawn)).where(col(Queue.project_id) == _PROJECT).with_for_update()

MINE = _questions(col(Question.person_id) == _PERSON, col(Question.answered).is_(False))


def _hers() -> tuple[ColumnElement[bool], ...]:
    """Questions that are not about what the asker has, had or judged."""
    had = exists().where(col(_OTHER.candidate_id) == col(Question.candidate_id), col(_OTHER.person_id) == _PERSON)
    judged = exists().where(
        col(Decision.candidate_id) == col(Question.candidate_id), col(Decision.curator) == bindparam("curator")
    )
    # What somebody picked and judged unasked is no question any more; what two are to be asked is put all the same.
    open_still = col(Question.overlap) | col(Candidate.verdict).in_(("", "skip"))
    return ~had, ~judged, col(Question.second) | open_still


def _open(*, second: bool) -> "Select[Any]":
    """Questions that nobody has, for the asker."""
    return _questions(free(), col(Question.second).is_(second), *_hers()).limit(bindparam("count"))


FIRSTS, SECONDS = _open(second=False), _open(second=True)


def _soon() -> "Select[Any]":
    """The same of both kinds, of the first SOON of each: nearly always enough, and the others are not looked at.

    A database that does not know yet how many rows there are would join and sort all of them, with the queue locked.
    """
    near: list[Any] = []
    for name, second in (("firsts", False), ("seconds", True)):
        nobodys = (col(Question.project_id) == _PROJECT, free(), col(Question.second).is_(second))
        first = select(col(Question.id)).where(*nobodys).order_by(*_ORDER).limit(SOON)
        near.append(col(Question.id).in_(select(first.cte(name))))
    place = func.row_number().over(partition_by=col(Question.second), order_by=_ORDER).label("nth")
    found = _questions(or_(*near), *_hers()).add_columns(col(Question.second), place).order_by(None).subquery()
    return select(*found.c).where(found.c.nth <= bindparam("count")).order_by(found.c.nth)


BOTH_SOON = _soon()

LEASE = (
    update(Question)
    .where(col(Question.id).in_(bindparam("ids", expanding=True)))
    .values(person_id=_PERSON, until=database_now() + LEASE_S)
)

ASKED = (
    update(Candidate)
    .where(col(Candidate.id).in_(bindparam("ids", expanding=True)), col(Candidate.asked).is_(False))
    .values(asked=True)
)

ANSWER = update(Question).where(col(Question.id) == bindparam("question")).values(answered=True, until=None)
PASS_ON = update(Question).where(col(Question.id) == bindparam("question")).values(person_id=None, until=None)

CLIPS = (
    select(
        *(column for column in Candidate.__table__.columns),  # type: ignore[attr-defined]
        *(col(Movie.title), col(Movie.year), col(Movie.rate), col(Movie.frames)),
        *(col(Movie.width), col(Movie.height), col(Movie.start_timecode)),
    )
    .join(Movie, col(Movie.id) == col(Candidate.movie_id))
    .where(col(Candidate.id).in_(bindparam("ids", expanding=True)))
)
"""Candidates with what is shown of their films."""
