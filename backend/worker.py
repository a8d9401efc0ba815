"""The process that runs durable workflows."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import structlog
from sqlmodel import Session
from threadpoolctl import threadpool_limits

from backend.errors import UnknownName
from backend.jobs.liveness import Ticker, bury, enrol, find_lost, heart, reaper, worker_name
from backend.jobs.queue import APPLICATION, APPLICATION_VERSION, QUEUES, quiet_dbos, store_url
from backend.migrations.run import require_current
from backend.resources import Resources
from backend.settings import Settings
from trainer.runs.service import find_lost as find_lost_runs

GIVEN_UP = 70
Besides = Callable[[Resources, str], Ticker]
"""Made with the worker's name."""

log = structlog.get_logger("selects.worker")


def run_worker(settings: Settings, queues: Sequence[str] = QUEUES, besides: Sequence[Besides] = ()) -> None:
    """Serve `queues` until a signal says stop; then end at once, and what was begun is gone on with by others.

    `besides`: makes what is done once a second beside that. Raises DatabaseUnready, UnknownName for a queue.
    """
    for queue in queues:
        if queue not in QUEUES:
            raise UnknownName("queue", queue, QUEUES)
    resources, name = Resources(settings), worker_name()
    require_current(resources.engine)
    stopping, asked = threading.Event(), [signal.SIGTERM]

    def stop(number: int, _frame: FrameType | None) -> None:
        asked[:] = [signal.Signals(number)]
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    register = _loaded()  # before anybody expects a heartbeat: on a busy machine it takes seconds
    # Stages have threads of their own. From the first film on: sums of more threads differ in the last digits.
    threadpool_limits(1, user_api="blas")
    with Session(resources.engine) as session:
        enrol(session, name, queues)
    from backend.analysis.rescoring import watcher

    more = [watcher(resources), *(make(resources, name) for make in besides)]
    tickers = (heart(resources, name, _give_up), reaper(resources, name, (find_lost, find_lost_runs)), *more)
    for each in tickers:
        each.start()
    _launch(settings, name, queues, lambda: register(resources, name))
    log.info("worker ready", worker=name, queues=list(queues))
    stopping.wait()
    for each in tickers:
        each.stop()
    with Session(resources.engine) as session:
        bury(session, name)
    log.info("worker stopped", worker=name)
    # Threads are in the middle of steps that nobody waits for: their files appear whole or not, their rows are fenced.
    os._exit(130 if asked[0] == signal.SIGINT else 0)


def _loaded() -> Callable[[Resources, str], None]:
    """What makes all workflows known to DBOS, with everything that they need loaded."""
    from backend.analysis.rescoring import register as register_rescoring
    from backend.analysis.workflow import register
    from labeling.references.workflow import register as register_references
    from trainer.workflow import register as register_training

    def register_all(resources: Resources, name: str) -> None:
        register(resources, name, _give_up)
        register_references(resources, name, _give_up)
        register_rescoring(resources)
        register_training(resources, name, _give_up)

    return register_all


def _launch(settings: Settings, name: str, queues: Sequence[str], register: Callable[[], None]) -> None:
    from dbos import DBOS

    quiet_dbos()
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": store_url(settings.jobs_url),
            "application_version": APPLICATION_VERSION,
            "executor_id": name,
            "run_migrations": False,
            "log_level": "WARNING",
        }
    )
    register()
    DBOS.listen_queues(list(queues))
    DBOS.launch()
    for queue in queues:
        DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=0.5)


def _give_up() -> None:
    """Another has taken over: whatever this process still does must not be seen."""
    os._exit(GIVEN_UP)
