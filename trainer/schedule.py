"""When projects are trained: by the clock, and as soon as there are enough new labels. It only enqueues.

However many processes run this, one has the lease and works; the others wait. One that had the lease, was paused and
wakes may fire once more: the moment for which something was scheduled names the run, so nothing runs twice.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlmodel import Session, col, select

from backend.errors import InputError
from backend.jobs.liveness import Ticker, take_lease
from backend.library.models import Project
from backend.resources import Resources
from backend.settings import Training
from trainer.runs.news import CRON, LABELS, LEASE, TABLE, metric_slots_due, score_slots_due
from trainer.runs.service import enqueue, start
from trainer.runs.shapes import RunNew

LOOK_EVERY_S = 60
BY = "schedule"

log = structlog.get_logger("selects.training")


def scheduler(resources: Resources, holder: str) -> Ticker:
    """Schedules as long as it has the lease. Raises InputError for a schedule that cannot be read."""
    return _Scheduler(resources, holder)


def triggers(settings: Training) -> dict[str, CronTrigger | IntervalTrigger]:
    """What starts runs, as the settings say; raises InputError."""
    found: dict[str, CronTrigger | IntervalTrigger] = {}
    if settings.cron:
        try:
            found[CRON] = CronTrigger.from_crontab(settings.cron)
        except ValueError as problem:
            raise InputError(f"The setting SELECTS_TRAINING__CRON cannot be read: {problem}.") from None
    if settings.new_labels or settings.new_corrections:
        found[LABELS] = IntervalTrigger(seconds=LOOK_EVERY_S)
    return found


def fire(resources: Resources, trigger: str, moment: datetime) -> None:
    """Enqueue a run of every slot of every project for which one is due; `moment`: that for which it was scheduled."""
    settings = resources.settings.training
    with Session(resources.engine, expire_on_commit=False) as session:
        for project_id in session.exec(select(Project.id).order_by(col(Project.id))).all():
            asked = session, project_id or 0, trigger, settings
            for slot in (*score_slots_due(*asked), *metric_slots_due(*asked)):
                identity = run_id(trigger, project_id or 0, slot, moment)
                run, new = start(session, project_id or 0, RunNew(slot=slot), BY, trigger, identity)
                if new:
                    log.info("training is due", project=project_id, slot=slot, trigger=trigger)
                    enqueue(resources.queue, run)


def due(trigger: str) -> str:
    """What a stored job says; the executor, which has what is needed, does it."""
    return trigger


def run_id(trigger: str, project_id: int, slot: str, moment: datetime) -> str:
    """The name of the run of this slot for this moment."""
    return hashlib.sha256(f"{trigger} {project_id} {slot} {moment.isoformat()}".encode()).hexdigest()[:32]


class _Scheduler(Ticker):
    """Asks for the lease, and lets the clock run while it is held."""

    def __init__(self, resources: Resources, holder: str) -> None:
        super().__init__("scheduler", self._look)
        self._resources, self._holder, self._clock = resources, holder, _Clock(resources)

    def stop(self) -> None:
        """End the thread, and the clock's."""
        super().stop()
        self._clock.close()

    def _look(self) -> None:
        with Session(self._resources.engine) as session:
            held = take_lease(session, LEASE, self._holder)
        self._clock.run(held)


class _Clock:
    """A scheduler that is started with the first lease, paused without, and goes on with the next."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._wanted = triggers(resources.settings.training)
        self._scheduler: BackgroundScheduler | None = None

    def run(self, held: bool) -> None:
        """Work, or wait."""
        if held and self._scheduler is None:
            self._scheduler = self._started()
        if self._scheduler is not None:
            (self._scheduler.resume if held else self._scheduler.pause)()

    def close(self) -> None:
        """End it."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)

    def _started(self) -> BackgroundScheduler:
        made = BackgroundScheduler(
            jobstores={"default": SQLAlchemyJobStore(engine=self._resources.engine, tablename=TABLE)},
            executors={"default": _Executor(lambda trigger, moment: fire(self._resources, trigger, moment))},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        made.start(paused=True)
        for job in made.get_jobs():
            if job.id not in self._wanted:
                job.remove()
        for name, trigger in self._wanted.items():
            known = made.get_job(name)
            # One that is there already knows what was missed while nothing ran.
            if known is None or str(known.trigger) != str(trigger):
                made.add_job(due, trigger, [name], id=name, replace_existing=True)
        return made


class _Executor(BaseExecutor):  # type: ignore[misc]  # it brings no types
    """Does what is due at once, told the moment for which it was scheduled.

    Only then the moment of the next time is stored: who dies in between does it again, and nothing runs twice.
    """

    def __init__(self, work: Callable[[str, datetime], None]) -> None:
        super().__init__()
        self._work = work

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        try:
            self._work(job.args[0], run_times[-1])
        except Exception as problem:  # noqa: BLE001  it is logged, and the next time comes
            self._run_job_error(job.id, problem, problem.__traceback__)
        else:
            self._run_job_success(job.id, [])
