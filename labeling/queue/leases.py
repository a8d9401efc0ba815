"""Who has which question. Nothing here commits; questions are given out under the lock of the project's queue row."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.database import database_now, insert_ignoring
from backend.members.service import Principal
from labeling.queue import statements
from labeling.queue.models import Question, Queue
from labeling.queue.statements import LEASE_S, free

SECONDS_SHARE = 0.25
"""Of what waits for a second judgement only so much comes in a row: who joins late is asked new things besides."""


@dataclass(frozen=True)
class Claimed:
    """What somebody has to answer, in the order to ask: rows with id, candidate_id, round, place, strategy, propensity.

    round   how many draws there were
    low     a new draw is due soon; `short`: it is due now
    """

    questions: tuple[Any, ...]
    round: int
    low: bool
    short: bool


def locked(session: Session, project_id: int) -> Queue:
    """The row of a project's queue, locked; made where it is not there yet."""
    wanted = select(Queue).where(col(Queue.project_id) == project_id).with_for_update()
    found = session.exec(wanted).one_or_none()
    if found is None:
        fresh = Queue(project_id=project_id).model_dump()
        session.execute(insert_ignoring(session, Queue, ["project_id"]).values(fresh))
        found = session.exec(wanted).one()
    return found


@dataclass(frozen=True)
class Found:
    """What somebody could be given: the rows that they have, and `fresh` ones; whether there were `enough` of these."""

    kept: tuple[Any, ...]
    fresh: tuple[Any, ...]
    enough: bool


def look(session: Session, project_id: int, who: Principal, k: int) -> Found:
    """What would make k questions for somebody. Locks nothing: another may be given the fresh ones meanwhile."""
    connection = session.connection()
    asked = {"project": project_id, "person": who.person_id, "curator": who.name}
    kept = connection.execute(statements.MINE, asked).all()
    missing = max(0, k - len(kept))
    firsts, seconds = list[Any](), list[Any]()
    if missing:
        asked["count"] = missing
        for row in connection.execute(statements.BOTH_SOON, asked):
            (seconds if row.second else firsts).append(row)
        if len(firsts) < missing:
            firsts = list(connection.execute(statements.FIRSTS, asked))
            seconds = list(connection.execute(statements.SECONDS, asked))
    enough = len(firsts) >= missing
    return Found(tuple(kept), tuple(_mixed(firsts, seconds, missing)), enough)


def claim(session: Session, project_id: int, who: Principal, k: int, found: Found | None = None) -> Claimed:
    """k questions: those that the asker has, then new ones. All their leases begin anew.

    `found` is what was seen before the queue was locked; without it, or where another was faster, it is looked at here.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        # A lease may be lost when the machine is: nobody needs to wait for the disk, with the queue locked.
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
    queue = connection.execute(statements.QUEUE, {"project": project_id}).one_or_none() or locked(session, project_id)
    if found is None or not _lease(session, who, found):
        found = look(session, project_id, who, k)
        _lease(session, who, found)
    if found.fresh:
        connection.execute(statements.ASKED, {"ids": [row.candidate_id for row in found.fresh]})
    low = any(row.round == queue.round and 2 * row.place >= queue.drawn for row in found.fresh)
    return Claimed((*found.kept, *found.fresh), queue.round, low, not found.enough)


def _lease(session: Session, who: Principal, found: Found) -> bool:
    """Give out what was found; whether all of it could be had still."""
    ids = [row.id for row in (*found.kept, *found.fresh)]
    asked = {"person": who.person_id, "ids": ids}
    return not ids or session.connection().execute(statements.LEASE, asked).rowcount == len(ids)


def release(session: Session, project_id: int, who: Principal, candidates: Sequence[int]) -> int:
    """Give questions back that are not going to be answered; how many there were."""
    locked(session, project_id)
    mine = select(Question).where(
        col(Question.project_id) == project_id,
        col(Question.person_id) == who.person_id,
        col(Question.answered).is_(False),
        col(Question.candidate_id).in_(candidates),
    )
    found = session.exec(mine).all()
    for question in found:
        question.person_id, question.until = None, None
        session.add(question)
    return len(found)


def _mixed(first: list[Any], second: list[Any], count: int) -> list[Any]:
    """By lot from the two kinds; where one is used up, from the other. No candidate twice. In the order to ask."""
    taken = dict[int, Any]()
    while len(taken) < count and (first or second):
        pile = second if second and (not first or random.random() < SECONDS_SHARE) else first
        question = pile.pop(0)
        taken.setdefault(question.candidate_id, question)
    return sorted(taken.values(), key=lambda question: (question.round, question.place))


def question_of(session: Session, who: Principal, candidate_id: int | None) -> Question | None:
    """The question that somebody has or had about a candidate."""
    mine = select(Question).where(col(Question.candidate_id) == candidate_id, col(Question.person_id) == who.person_id)
    return session.exec(mine).one_or_none()


def answer(session: Session, question_id: int, *, skipped: bool) -> None:
    """A question was answered; one that was skipped is put to somebody else."""
    session.connection().execute(statements.PASS_ON if skipped else statements.ANSWER, {"question": question_id})


def ask_again(session: Session, who: Principal, candidate_id: int) -> None:
    """Put a question back to who has taken the answer back; one that was skipped only where nobody else has it now."""
    question = question_of(session, who, candidate_id)
    if question is None:
        open_ = select(Question).where(col(Question.candidate_id) == candidate_id, free())
        question = session.exec(open_.order_by(col(Question.second)).limit(1).with_for_update()).first()
    if question is not None:
        asked = update(Question).where(col(Question.id) == question.id)
        session.execute(asked.values(person_id=who.person_id, answered=False, until=database_now() + LEASE_S))
