"""What can be asked of training runs, and what a worker says of the one it does."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NoReturn

from sqlalchemy import exists, func, update
from sqlmodel import Session, col, select

from backend.clusters.head import slot_of
from backend.clusters.models import KINDS, Kind
from backend.database import rows_changed, utc_now
from backend.errors import Conflict, NotFound
from backend.jobs.models import Worker
from backend.jobs.queue import ENDED, TRAININGS, JobQueue
from backend.jobs.service import Cancelled, Doing, Fenced, is_alive
from backend.library.models import Project
from backend.members.service import Principal, require_part, require_role
from backend.settings import Training
from trainer.gate import LIMITS
from trainer.heads.gate import METRIC_LIMITS
from trainer.runs.fitting import Progress
from trainer.runs.models import OPEN, TrainingRun
from trainer.runs.news import (
    LEASE,
    corrections_since,
    corrections_standing,
    gathered,
    is_held,
    labels_since,
    last_run,
    metric_slots,
    newest_correction,
    newest_decision,
    newest_engagement,
    next_by_clock,
    score_slots,
)
from trainer.runs.shapes import CorrectionsNew, Gathered, RunNew, Schedule

WORKFLOW, QUEUE = "training", TRAININGS
ASKED = "asked"
LOST_AFTER_S = 5.0


def start(
    session: Session, project_id: int, wanted: RunNew, by: str, trigger: str = ASKED, identity: str = ""
) -> tuple[TrainingRun, bool]:
    """A queued run of a slot, and whether it is new: one that is open already is given instead. Commits.

    The caller enqueues. A run whose `identity` is known already is that run, whatever became of it. Raises NotFound.
    """
    # The project's row is the lock: two who ask at the same moment get the same run.
    if session.exec(select(Project.id).where(col(Project.id) == project_id).with_for_update()).first() is None:
        raise NotFound(f"There is no project {project_id}.")
    same = (col(TrainingRun.project_id) == project_id, col(TrainingRun.slot) == wanted.slot)
    open_ = select(TrainingRun).where(*same, col(TrainingRun.state).in_(OPEN)).order_by(col(TrainingRun.created_at))
    known = session.get(TrainingRun, identity) if identity else session.exec(open_).first()
    known = known or session.exec(open_).first()
    if known is not None:
        session.commit()
        return known, False
    identity = identity or uuid.uuid4().hex
    run = TrainingRun(
        id=identity,
        workflow=identity,
        project_id=project_id,
        slot=wanted.slot,
        seed=wanted.seed,
        trigger=trigger,
        asked_by=by,
        request={
            "propose": wanted.propose,
            "last_decision": newest_decision(session, project_id),
            "last_engagement": newest_engagement(session, project_id),
            "last_correction": newest_correction(session, project_id),
        },
    )
    session.add(run)
    session.commit()
    session.refresh(run)
    return run, True


def enqueue(queue: JobQueue, run: TrainingRun) -> None:
    """Hand a committed run to the workers. What is lost between the two, `find_lost` finds."""
    queue.enqueue(QUEUE, WORKFLOW, run.workflow, run.id, run.workflow)


def run_named(session: Session, who: Principal, run_id: str) -> TrainingRun:
    """A run that the asker may see; raises NotFound."""
    return require_part(session, who, session.get(TrainingRun, run_id), f"training run {run_id!r}")


def list_runs(
    session: Session, project_id: int, states: Sequence[str], slot: str, limit: int, offset: int
) -> tuple[list[TrainingRun], int]:
    """Runs of a project, the newest first, and how many there are."""
    where = [col(TrainingRun.project_id) == project_id]
    if states:
        where.append(col(TrainingRun.state).in_(states))
    if slot:
        where.append(col(TrainingRun.slot) == slot)
    total = session.exec(select(func.count()).select_from(TrainingRun).where(*where)).one()
    newest = select(TrainingRun).where(*where).order_by(col(TrainingRun.created_at).desc(), col(TrainingRun.id))
    return list(session.exec(newest.limit(limit).offset(offset)).all()), total


def schedule(session: Session, project_id: int, settings: Training) -> Schedule:
    """When a project is trained next, and what there is to learn from."""
    return Schedule(
        project=project_id,
        cron=settings.cron,
        next_at=next_by_clock(session) if settings.cron else None,
        running=is_held(session, LEASE),
        labels=labels_since(session, project_id, last_run(session, project_id)),
        labels_wanted=settings.new_labels,
        promotes=settings.promote,
        slots=[*score_slots(session, project_id, settings), *metric_slots(session, project_id)],
        corrections=[_corrections(session, project_id, kind, settings) for kind in KINDS],
    )


def _corrections(session: Session, project_id: int, kind: Kind, settings: Training) -> CorrectionsNew:
    last = last_run(session, project_id, slot_of(kind))
    return CorrectionsNew(
        kind=kind,
        new=corrections_since(session, project_id, kind, last),
        wanted=settings.new_corrections,
        standing=corrections_standing(session, project_id, kind),
        least=METRIC_LIMITS.corrections,
    )


def labels(session: Session, project_id: int) -> Gathered:
    """What there is to learn from, and what the gate asks for."""
    approved, rejected, films = gathered(session, project_id)
    return Gathered(
        project=project_id,
        approved=approved,
        rejected=rejected,
        films=films,
        labels_wanted=LIMITS.labels,
        each_wanted=LIMITS.each_answer,
        films_wanted=LIMITS.films,
    )


def cancel(session: Session, queue: JobQueue, who: Principal, run: TrainingRun) -> None:
    """End a run; what trains stops within seconds. Commits. Raises NotAllowed, Conflict where it has ended."""
    require_role(session, who, run.project_id, "admin")
    ended = {"state": "cancelled", "finished_at": utc_now(), "left_s": None, "note": f"cancelled by {who.name}"}
    of_run = col(TrainingRun.id) == run.id, col(TrainingRun.state).in_(OPEN)
    changed = rows_changed(session, update(TrainingRun).where(*of_run).values(**ended))
    session.commit()
    session.refresh(run)
    if not changed:
        raise Conflict(f"The run is {run.state} already; there is nothing to cancel.")
    queue.cancel(run.workflow)


def claim(session: Session, doing: Doing, stage: str, fraction: float) -> TrainingRun:
    """Take a run for this worker before a stage; raises Fenced, or Cancelled where it has ended. Commits."""
    run = session.get(TrainingRun, doing.job_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise Cancelled
    if run.workflow != doing.workflow or not is_alive(session, doing.worker):
        raise Fenced
    if run.state not in OPEN:
        session.commit()
        raise Cancelled
    run.worker, run.state, run.stage, run.fraction = doing.worker, "running", stage, fraction
    run.epoch, run.epochs, run.loss, run.left_s = 0, 0, None, None
    run.started_at = run.started_at or utc_now()
    session.add(run)
    session.commit()
    session.refresh(run)
    return run


def report(session: Session, doing: Doing, said: Progress) -> None:
    """Say how far the run is; raises Fenced or Cancelled, so that what trains stops soon. Commits."""
    changed = rows_changed(session, update(TrainingRun).where(*_mine(doing)).values(**vars(said)))
    session.commit()
    if not changed:
        _why_not(session, doing)


def fence(session: Session, doing: Doing) -> TrainingRun:
    """The run, locked; raises Fenced or Cancelled unless it is this worker's, within the transaction of its effects."""
    run = session.get(TrainingRun, doing.job_id, with_for_update=True, populate_existing=True)
    if run is None or not _is_mine(run, doing) or run.state != "running":
        _why_not(session, doing)
    if not is_alive(session, doing.worker):
        raise Fenced
    return run


def finish(session: Session, doing: Doing, state: str, *, problem: str = "", note: str = "") -> None:
    """End a run as done, refused or failed, unless it has ended or is another's by now. Commits.

    Raises Fenced for the dead.
    """
    if not is_alive(session, doing.worker):
        raise Fenced
    run = session.get(TrainingRun, doing.job_id, with_for_update=True, populate_existing=True)
    if run is None or not _is_mine(run, doing) or run.state not in OPEN:
        session.commit()
        return
    run.state, run.problem, run.finished_at, run.left_s = state, problem, utc_now(), None
    run.note = "; ".join(filter(None, [run.note, note]))
    if state in ("done", "refused"):
        run.fraction = 1.0
    session.add(run)
    session.commit()


def find_lost(session: Session, queue: JobQueue) -> None:
    """Enqueue open runs that the job store does not know, or whose workflow has ended without them.

    Only one process at a time may do this.
    """
    long_ago = utc_now() - timedelta(seconds=LOST_AFTER_S)
    wanted = col(TrainingRun.state).in_(OPEN), col(TrainingRun.created_at) < long_ago
    old = session.exec(select(TrainingRun).where(*wanted)).all()
    session.commit()
    states = queue.states([run.workflow for run in old]) if old else {}
    for run in old:
        session.refresh(run)
        state = states.get(run.workflow)
        if state in ENDED:
            _again(session, run)
        if run.state in OPEN and (state is None or state in ENDED):
            enqueue(queue, run)


def _again(session: Session, run: TrainingRun) -> None:
    """The same run as another workflow."""
    found = session.get(TrainingRun, run.id, with_for_update=True, populate_existing=True)
    if found is not None and found.state in OPEN:
        attempt = found.workflow.removeprefix(found.id).removeprefix("-")
        found.workflow, found.state, found.worker = f"{found.id}-{int(attempt or 0) + 1}", "queued", ""
        session.add(found)
    session.commit()
    session.refresh(run)


def _is_mine(run: TrainingRun, doing: Doing) -> bool:
    return run.workflow == doing.workflow and run.worker == doing.worker


def _mine(doing: Doing) -> tuple[Any, ...]:
    alive = exists().where(col(Worker.name) == doing.worker, col(Worker.state) == "alive")
    own = (col(TrainingRun.id) == doing.job_id, col(TrainingRun.workflow) == doing.workflow)
    return *own, col(TrainingRun.worker) == doing.worker, col(TrainingRun.state) == "running", alive


def _why_not(session: Session, doing: Doing) -> NoReturn:
    run = session.get(TrainingRun, doing.job_id, populate_existing=True)
    if run is None or (_is_mine(run, doing) and run.state == "cancelled"):
        raise Cancelled
    raise Fenced
