"""What is asked of the queue, but for giving questions out, which the desk does."""

from datetime import timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.database import database_now, utc_now
from backend.errors import UnknownName
from backend.library.models import Candidate
from backend.library.shapes import CandidatePublic
from backend.members.service import Principal
from labeling.decisions.models import VERDICTS, Decision, Verdict
from labeling.queue import leases, statements
from labeling.queue.drawing import left
from labeling.queue.leases import Claimed
from labeling.queue.models import Question, Queue
from labeling.queue.rivals import may_be_rival
from labeling.queue.shapes import AskedMovie, QueueChange, QueueItem, QueueNext, QueuePublic
from labeling.queue.statements import LEASE_S
from labeling.strategies.registry import strategy_named

DAY = timedelta(days=1)


def shown(session: Session, claimed: Claimed) -> QueueNext:
    """Questions with their candidates and films, in order."""
    ids = [question.candidate_id for question in claimed.questions]
    rows = session.connection().execute(statements.CLIPS, {"ids": ids}).all() if ids else []
    found = {row.id: row for row in rows}
    items = [
        QueueItem(
            candidate=CandidatePublic.model_validate(found[question.candidate_id]),
            movie=AskedMovie.model_validate(found[question.candidate_id]),
            strategy=question.strategy,
            propensity=question.propensity,
            round=question.round,
        )
        for question in claimed.questions
        if question.candidate_id in found
    ]
    return QueueNext(items=items, until=utc_now() + timedelta(seconds=LEASE_S) if items else None)


def release(session: Session, who: Principal, project_id: int, candidates: list[int]) -> int:
    """Give questions back; how many. Commits."""
    count = leases.release(session, project_id, who, candidates)
    session.commit()
    return count


def facts(session: Session, who: Principal, project_id: int) -> QueuePublic:
    """How a project is asked, and how much there is."""
    queue = session.get(Queue, project_id) or Queue(project_id=project_id)
    unanswered = select(func.count()).where(col(Question.project_id) == project_id, col(Question.answered).is_(False))
    leased = col(Question.until) > database_now()
    total = session.exec(unanswered.select_from(Question)).one()
    asked = session.exec(unanswered.select_from(Question).where(leased)).one()
    judged = col(Candidate.verdict).not_in(("", "skip"))
    today = _today(session, who, project_id)
    return QueuePublic(
        project=project_id,
        strategy=queue.strategy,
        overlap=queue.overlap,
        rival=queue.rival,
        round=queue.round,
        left=left(session, project_id),
        waiting=total - asked,
        asked=asked,
        judged=session.exec(
            select(func.count()).select_from(Candidate).where(col(Candidate.project_id) == project_id, judged)
        ).one(),
        decided=sum(today.values()),
        today=today,
    )


def _today(session: Session, who: Principal, project_id: int) -> dict[Verdict, int]:
    """How often somebody said what in the last 24 hours, without what was taken back and without trims."""
    gone = select(Decision.undoes_id).where(
        col(Decision.project_id) == project_id, col(Decision.curator) == who.name, col(Decision.undoes_id).is_not(None)
    )
    mine = select(Decision.verdict, func.count()).where(
        col(Decision.project_id) == project_id,
        col(Decision.curator) == who.name,
        col(Decision.trim_of_id).is_(None),
        col(Decision.decided_at) > utc_now() - DAY,
        col(Decision.id).not_in(gone),
    )
    counts = dict(session.exec(mine.group_by(col(Decision.verdict))).all())
    return {verdict: counts.get(verdict, 0) for verdict in VERDICTS}


def change(session: Session, project_id: int, wanted: QueueChange) -> None:
    """Set how a project is asked; raises UnknownName. Commits."""
    queue = leases.locked(session, project_id)
    if wanted.strategy is not None:
        strategy_named(wanted.strategy)
        queue.strategy = wanted.strategy
    if wanted.overlap is not None:
        queue.overlap = wanted.overlap
    if "rival" in wanted.model_fields_set:
        known = may_be_rival(session, project_id)
        if wanted.rival is not None and wanted.rival not in known:
            raise UnknownName("model", wanted.rival, known)
        queue.rival = wanted.rival
    session.add(queue)
    session.commit()
