"""Who is alive: heartbeats, and the one who looks after the dead."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, select

from backend.database import database_now, rows_changed
from backend.jobs.models import Job, Lease, Worker
from backend.jobs.queue import JobQueue
from backend.jobs.service import enqueue
from backend.resources import Resources

BEAT_EVERY_S = 1.0
SILENT_S = 5.0
LEASE_S = 10.0
REMEMBER_DEAD_S = 24 * 3600.0
LOST_AFTER_S = 5.0

log = structlog.get_logger("selects.worker")


def worker_name() -> str:
    """A name that no process has had before: DBOS and the fence know a process start by it."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


def enrol(session: Session, name: str, queues: Sequence[str]) -> None:
    """Enter a worker as alive."""
    values = {"name": name, "queues": ",".join(queues), "host": socket.gethostname(), "pid": os.getpid()}
    session.connection().execute(
        insert(Worker).values(**values, state="alive", started=database_now(), beat=database_now())
    )
    session.commit()


def beat(session: Session, name: str) -> bool:
    """Say that a worker lives; False where it was given up for dead: then it must end at once."""
    alive = update(Worker).where(col(Worker.name) == name, col(Worker.state) == "alive")
    changed = rows_changed(session, alive.values(beat=database_now()))
    session.commit()
    return bool(changed)


def bury(session: Session, name: str) -> None:
    """A worker that stops by itself: others take over at once what it leaves."""
    session.execute(update(Worker).where(col(Worker.name) == name).values(state="dead"))
    session.commit()


def take_lease(session: Session, name: str, holder: str, seconds: float = LEASE_S) -> bool:
    """Get or renew a lease; False where another holds it."""
    own = update(Lease).where(
        col(Lease.name) == name, (col(Lease.holder) == holder) | (col(Lease.until) < database_now())
    )
    if rows_changed(session, own.values(holder=holder, until=database_now() + seconds)):
        session.commit()
        return True
    if session.exec(select(Lease.name).where(col(Lease.name) == name)).first() is not None:
        session.commit()
        return False
    try:
        session.connection().execute(insert(Lease).values(name=name, holder=holder, until=database_now() + seconds))
        session.commit()
    except IntegrityError:
        session.rollback()
        return False
    return True


def sweep(session: Session, queue: JobQueue, holder: str) -> None:
    """One round of the reaper: the silent are dead, and what any dead worker has left is given to the living.

    All dead names are asked for each time: a reaper can die between two lines of this.
    """
    if not take_lease(session, "reaper", holder):
        return
    silent = update(Worker).where(col(Worker.state) == "alive", col(Worker.beat) < database_now() - SILENT_S)
    if rows_changed(session, silent.values(state="dead")):
        log.warning("a worker went silent")
    session.execute(
        delete(Worker).where(col(Worker.state) == "dead", col(Worker.beat) < database_now() - REMEMBER_DEAD_S)
    )
    session.commit()
    dead = session.exec(select(Worker.name).where(col(Worker.state) == "dead")).all()
    session.commit()
    for workflow, served_by in queue.stranded(dead) if dead else ():
        log.info("going on with what a dead worker left", workflow=workflow)
        queue.resume(workflow, served_by)
    # A job whose row was committed by a process that died before it was enqueued.
    waiting = session.exec(select(Job).where(col(Job.state) == "queued")).all()
    session.commit()
    for job in waiting:
        if time.time() - job.created_at.timestamp() > LOST_AFTER_S:
            enqueue(queue, job)


class Heart(threading.Thread):
    """Beats once a second in a thread of its own and looks after the dead; ends the process when it is dead itself."""

    def __init__(self, resources: Resources, name: str, give_up: Callable[[], None]) -> None:
        super().__init__(name="heart", daemon=True)
        self._resources, self._worker, self._give_up = resources, name, give_up
        self._stop = threading.Event()

    def run(self) -> None:
        """Beat until told to stop."""
        while not self._stop.wait(BEAT_EVERY_S):
            try:
                with Session(self._resources.engine) as session:
                    if not beat(session, self._worker):
                        self._give_up()
                        return
                    sweep(session, self._resources.queue, self._worker)
            except SQLAlchemyError as problem:
                log.warning("the database does not answer", problem=type(problem).__name__)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
