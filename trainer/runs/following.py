"""`selects train`: a run from the terminal, waited for; where nobody trains on this library, by a worker of our own."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from sqlmodel import Session, col, exists, select

from backend.database import database_now
from backend.errors import Conflict
from backend.jobs.models import Worker
from backend.jobs.timing import SILENT_S
from backend.parts import hold, worker_part
from backend.resources import Resources
from backend.supervisor import Supervisor
from trainer.runs.models import OPEN, TrainingRun
from trainer.runs.service import QUEUE, enqueue, start
from trainer.runs.shapes import RunNew

LOOK_EVERY_S = 0.5
Show = Callable[[TrainingRun], None]


def train(resources: Resources, project_id: int, wanted: RunNew, by: str, show: Show) -> TrainingRun:
    """Start a run, or join the one that is open, and follow it to its end. Raises NotFound for a project."""
    with Session(resources.engine, expire_on_commit=False) as session:
        run, new = start(session, project_id, wanted, by)
    if new:
        enqueue(resources.queue, run)
    with ExitStack() as ending:
        own: Supervisor | None = None
        while True:
            if own is not None:
                own.look()
            elif not _is_served(resources):
                own = _worker(resources, ending)
            with Session(resources.reading) as session:
                run = session.get_one(TrainingRun, run.id)
                session.expunge(run)
            show(run)
            if run.state not in OPEN:
                return run
            time.sleep(LOOK_EVERY_S)


def _worker(resources: Resources, ending: ExitStack) -> Supervisor | None:
    """A worker for as long as this takes; None where `selects up` runs, whose own is being started again."""
    settings = resources.settings
    try:
        ending.enter_context(hold(settings))
    except Conflict:
        return None
    made = Supervisor([worker_part(1, QUEUE, log=settings.home / "logs" / "training.log")])
    ending.callback(made.stop)
    return made


def _is_served(resources: Resources) -> bool:
    """Whether a worker was heard of just now that trains."""
    heard = (col(Worker.state) == "alive", col(Worker.beat) >= database_now() - SILENT_S)
    with Session(resources.reading) as session:
        return bool(session.exec(select(exists().where(*heard, col(Worker.queues).contains(QUEUE)))).one())
