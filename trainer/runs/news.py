"""What is new since the last training, and which models there are labels enough for."""

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, column, func, inspect, table
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, exists, select

from backend.clusters.head import slot_of
from backend.clusters.links import stands
from backend.clusters.models import KINDS, Correction, FeedbackPair
from backend.database import database_now
from backend.jobs.models import Lease
from backend.library.models import Candidate, Movie
from backend.scoring.presets import plain
from backend.settings import Training
from labeling.decisions.models import UNDO, Decision
from labeling.engagement.models import Engagement
from labeling.references.models import Reference, ReferenceInterval
from trainer.heads.gate import METRIC_LIMITS
from trainer.material.slots import kind_of
from trainer.runs.models import OPEN, TrainingRun

COMPELLING, VIRAL = "compelling", "viral"
CRON, LABELS = "cron", "labels"
LEASE, TABLE = "scheduler", "training_schedule"
"""What the one scheduler holds, and where it keeps when it is due."""
JUDGED = ("approve", "reject", "trimmed")
FILMS = 2
"""Films are never split: one of them is to train on, one to prove it."""


def newest_decision(session: Session, project_id: int) -> int:
    """The number of the newest decision, 0 where there is none."""
    return session.exec(select(func.max(Decision.id)).where(col(Decision.project_id) == project_id)).one() or 0


def last_run(session: Session, project_id: int, slot: str = COMPELLING) -> TrainingRun | None:
    """The newest run of a slot."""
    own = col(TrainingRun.project_id) == project_id, col(TrainingRun.slot) == slot
    return session.exec(select(TrainingRun).where(*own).order_by(col(TrainingRun.created_at).desc()).limit(1)).first()


def labels_since(session: Session, project_id: int, last: TrainingRun | None) -> int:
    """How many labels came or went since a run: approvals, rejections, what was taken back, intervals of references."""
    counted = col(Decision.verdict).in_(("approve", "reject", UNDO))
    after = last.request.get("last_decision", 0) if last else 0
    decisions = select(func.count()).where(col(Decision.project_id) == project_id, col(Decision.id) > after, counted)
    intervals = (
        select(func.count())
        .select_from(ReferenceInterval)
        .join(Reference, col(Reference.id) == col(ReferenceInterval.reference_id))
        .where(col(Reference.project_id) == project_id, col(ReferenceInterval.withdrawn).is_(False))
        .where(col(Reference.aligned_at).is_not(None))
    )
    if last is not None:
        intervals = intervals.where(col(Reference.aligned_at) > last.created_at)
    return session.exec(decisions.select_from(Decision)).one() + session.exec(intervals).one()


def gathered(session: Session, project_id: int) -> tuple[int, int, int]:
    """How many clips are approved, how many rejected, and of how many films they are. References are not counted."""
    judged = col(Candidate.project_id) == project_id, col(Candidate.verdict).in_(JUDGED)
    counted = select(Candidate.verdict, func.count()).where(*judged).group_by(col(Candidate.verdict))
    by_verdict = dict(session.exec(counted).all())
    films = session.exec(select(func.count(func.distinct(col(Candidate.movie_sha256)))).where(*judged)).one()
    rejected = by_verdict.pop("reject", 0)
    return sum(by_verdict.values()), rejected, films


def newest_engagement(session: Session, project_id: int) -> int:
    """The number of the newest measurement, 0 where there is none."""
    return session.exec(select(func.max(Engagement.id)).where(col(Engagement.project_id) == project_id)).one() or 0


def is_due(session: Session, project_id: int, trigger: str, settings: Training, slot: str = COMPELLING) -> bool:
    """Whether a slot is to be trained: anything new since its last run for the clock, else with enough new labels."""
    last = last_run(session, project_id, slot)
    if last is not None and last.state in OPEN:
        return False
    labels = labels_since(session, project_id, last)
    if trigger == LABELS:
        return 0 < settings.new_labels <= labels
    measured = newest_engagement(session, project_id) > (last.request.get("last_engagement", 0) if last else 0)
    return labels > 0 or measured or (last is not None and last.state == "failed")


def newest_correction(session: Session, project_id: int) -> int:
    """The number of the newest correction, 0 where there is none."""
    return session.exec(select(func.max(Correction.id)).where(col(Correction.project_id) == project_id)).one() or 0


def corrections_since(session: Session, project_id: int, kind: str, last: TrainingRun | None) -> int:
    """How many corrections that teach something came since a run, or were taken back that it knew."""
    after = last.request.get("last_correction", 0) if last else 0
    of_kind = col(Correction.project_id) == project_id, col(Correction.kind) == kind, col(Correction.id) > after
    counted = select(func.count()).select_from(Correction)
    came = counted.where(*of_kind, _teaches(col(Correction.id)), stands(col(Correction.id)))
    undone = col(Correction.undoes_id)
    went = counted.where(*of_kind, undone <= after, _teaches(undone))
    return session.exec(came).one() + session.exec(went).one()


def corrections_standing(session: Session, project_id: int, kind: str) -> int:
    """How many corrections there are to learn from."""
    of_kind = col(Correction.project_id) == project_id, col(Correction.kind) == kind
    counted = select(func.count()).select_from(Correction).where(*of_kind)
    return session.exec(counted.where(_teaches(col(Correction.id)), stands(col(Correction.id)))).one()


def metric_slots(session: Session, project_id: int) -> list[str]:
    """The metric slots for which there are corrections enough that the gate may let a head pass."""
    enough = METRIC_LIMITS.corrections
    return [slot_of(kind) for kind in KINDS if corrections_standing(session, project_id, kind) >= enough]


def metric_slots_due(session: Session, project_id: int, trigger: str, settings: Training) -> list[str]:
    """Those of them that are to be trained now: for the clock if anything is new, else with enough new corrections."""
    return [
        slot for slot in metric_slots(session, project_id) if _metric_due(session, project_id, slot, trigger, settings)
    ]


def _metric_due(session: Session, project_id: int, slot: str, trigger: str, settings: Training) -> bool:
    last = last_run(session, project_id, slot)
    if last is not None and last.state in OPEN:
        return False
    new = corrections_since(session, project_id, kind_of(slot), last)
    if trigger == LABELS:
        return 0 < settings.new_corrections <= new
    return new > 0 or (last is not None and last.state == "failed")


def _teaches(correction: Any) -> ColumnElement[bool]:
    return exists().where(col(FeedbackPair.correction_id) == correction)


def next_by_clock(session: Session) -> datetime | None:
    """When the scheduler starts runs by the clock next; None where it never does."""
    if not inspect(session.connection()).has_table(TABLE):
        return None
    stored = table(TABLE, column("id"), column("next_run_time"))
    found = session.connection().execute(sql_select(stored.c.next_run_time).where(stored.c.id == CRON)).scalar()
    return datetime.fromtimestamp(found, UTC) if found else None


def score_slots_due(session: Session, project_id: int, trigger: str, settings: Training) -> list[str]:
    """Those of `score_slots` that are to be trained now."""
    slots = score_slots(session, project_id, settings)
    return [slot for slot in slots if is_due(session, project_id, trigger, settings, slot)]


def score_slots(session: Session, project_id: int, settings: Training) -> list[str]:
    """What can be trained: the general model, each genre with enough labels, viral with enough published clips."""
    per_film = session.exec(
        select(Candidate.movie_id, func.count())
        .where(col(Candidate.project_id) == project_id, col(Candidate.verdict).in_(JUDGED))
        .where(col(Candidate.movie_id).is_not(None))
        .group_by(col(Candidate.movie_id))
    ).all()
    genres_of = dict(session.exec(select(Movie.id, Movie.genres).where(col(Movie.project_id) == project_id)).all())
    labels, films = Counter[str](), defaultdict[str, int](int)
    for movie_id, count in per_film:
        for genre in {plain(name) for name in genres_of.get(movie_id, ())}:
            labels[genre] += count
            films[genre] += 1
    genres = sorted(name for name in labels if labels[name] >= settings.genre_labels and films[name] >= FILMS)
    clips = select(Engagement.platform, Engagement.clip).where(col(Engagement.project_id) == project_id).distinct()
    published = session.exec(select(func.count()).select_from(clips.subquery())).one()
    viral = [VIRAL] if published >= settings.viral_clips else []
    return [COMPELLING, *(f"{COMPELLING}/{name}" for name in genres), *viral]


def is_held(session: Session, lease: str) -> bool:
    """Whether somebody holds a lease now."""
    held = select(Lease.name).where(col(Lease.name) == lease, col(Lease.until) > database_now())
    return session.exec(held).first() is not None
