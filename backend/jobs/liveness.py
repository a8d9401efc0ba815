"""Who is alive: heartbeats, and the one who looks after the dead."""

import os
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session, col, select

from backend.database import database_now, rows_changed
from backend.jobs.models import OPEN, Job, Lease, Worker
from backend.jobs.queue import ENDED, JobQueue
from backend.jobs.service import enqueue, put_back
from backend.jobs.timing import BEAT_EVERY_S, SILENT_S
from backend.resources import Resources

LEASE_S = 5.0
REMEMBER_DEAD_S = 24 * 3600.0
LOST_AFTER_S = 5.0
REAPER = "reaper"

Finder = Callable[[Session, JobQueue], None]

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


def held_by_another(session: Session, name: str, holder: str) -> bool:
    """Whether another has a lease and it has not run out: one look, which is all that most do most of the time."""
    others = (col(Lease.name) == name, col(Lease.holder) != holder, col(Lease.until) >= database_now())
    return session.exec(select(Lease.name).where(*others)).first() is not None


def serving(session: Session) -> Counter[str]:
    """How many workers that were heard of just now serve each queue.

    Where none sweeps, those that were killed still stand as alive.
    """
    heard = col(Worker.state) == "alive", col(Worker.beat) >= database_now() - SILENT_S
    served = session.exec(select(Worker.queues).where(*heard)).all()
    return Counter(queue for queues in served for queue in queues.split(","))


def sweep(session: Session, queue: JobQueue, holder: str) -> bool:
    """One round of the reaper: the silent are dead, and what any dead worker has left is given to the living.

    All dead names are asked for each time: a reaper can die between two lines of this. False where another reaps.
    """
    if not take_lease(session, REAPER, holder):
        return False
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
        if not take_lease(session, REAPER, holder):  # paused for so long that another reaps
            return False
        log.info("going on with what a dead worker left", workflow=workflow)
        queue.resume(workflow, served_by)
    return True


def find_lost(session: Session, queue: JobQueue) -> None:
    """Enqueue open jobs that the job store does not know, or whose workflow has ended without them.

    The first were committed by a process that died before it had enqueued them. Only the reaper calls this.
    """
    jobs = session.exec(select(Job).where(col(Job.state).in_(OPEN))).all()
    session.expunge_all()
    session.commit()
    old = [job for job in jobs if time.time() - job.created_at.timestamp() > LOST_AFTER_S]
    states = queue.states([job.workflow for job in old]) if old else {}
    for job in old:
        state = states.get(job.workflow)
        if state is None:
            enqueue(queue, job)
        elif state in ENDED and put_back(session, job):
            log.warning("a job was lost and is queued again", job=job.id)
            enqueue(queue, session.get_one(Job, job.id))


class Ticker(threading.Thread):
    """Does something once a second, in a thread of its own; what fails is tried again a second later.

    on_duty  where it is given, nothing is done while it is not set
    """

    def __init__(self, name: str, work: Callable[[], None], on_duty: threading.Event | None = None) -> None:
        super().__init__(name=name, daemon=True)
        self._work, self._on_duty = work, on_duty
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work until told to stop."""
        while not self._stopped.wait(BEAT_EVERY_S):
            if self._on_duty is not None and not self._on_duty.is_set():
                continue
            try:
                self._work()
            except SQLAlchemyError as problem:
                log.warning("the database does not answer", problem=type(problem).__name__)
            except Exception:
                log.exception("failed, and is tried again", what=self.name)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()

    def only(self, on_duty: threading.Event) -> "Ticker":
        """The same, not started yet, for what one worker does for all."""
        return Ticker(self.name, self._work, on_duty)


def heart(resources: Resources, name: str, give_up: Callable[[], None]) -> Ticker:
    """Beats for a worker that has enrolled; calls `give_up` where it is dead itself."""
    file = resources.settings.jobs.beat_file

    def told() -> None:
        if file is not None:
            file.touch()

    def work() -> None:
        with Session(resources.alone) as session:
            if not beat(session, name):
                give_up()
        told()

    told()  # to enrol was the first beat
    return Ticker("heart", work)


def reaper(
    resources: Resources, name: str, finders: Sequence[Finder] = (find_lost,), duty: threading.Event | None = None
) -> Ticker:
    """Looks after the dead and, with `finders`, the lost; beside the heart, which must not wait for the job store.

    duty  set while this worker holds the lease, for whatever else one worker does for all
    """
    looked = 0.0

    def work() -> None:
        nonlocal looked
        with Session(resources.reading) as session:
            if held_by_another(session, REAPER, name):
                if duty is not None:
                    duty.clear()
                return
        with Session(resources.engine) as session:
            holds = sweep(session, resources.queue, name)
            if duty is not None:
                (duty.set if holds else duty.clear)()
            if holds and time.monotonic() - looked > LOST_AFTER_S:
                for find in finders:
                    find(session, resources.queue)
                looked = time.monotonic()

    return Ticker("reaper", work)
