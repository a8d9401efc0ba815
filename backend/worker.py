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
from backend.jobs.queue import (
    APPLICATION,
    APPLICATION_VERSION,
    FILMS,
    LETTERS,
    QUEUES,
    TRAININGS,
    quiet_dbos,
    store_url,
)
from backend.loading import loading
from backend.migrations.run import require_current
from backend.pool import RestedPool
from backend.resources import Resources
from backend.settings import Settings
from backend.stopping import stop_signals
from backend.store.media import require_store
from trainer.runs.service import find_lost as find_lost_runs

GIVEN_UP = 70
LETTERS_AT_ONCE = 4
LOOK_EVERY_S, LETTERS_EVERY_S = 0.5, 2.0
# DBOS wakes that often to tell others of its events, of which there are none here; by default a hundred times a second.
NOTIFY_EVERY_S = 1.0
Besides = Callable[[Resources, str], Ticker]
"""Made with the worker's name."""
Register = Callable[[Resources, str], None]
"""Makes workflows known to DBOS, for the worker of this name."""

log = structlog.get_logger("selects.worker")


def run_worker(
    settings: Settings,
    queues: Sequence[str] = QUEUES,
    besides: Sequence[Besides] = (),
    loaded: Callable[[], Register] | None = None,
) -> None:
    """Serve `queues` until a signal says stop; then end at once, and what was begun is gone on with by others.

    `besides`: makes what is done once a second beside that. `loaded`: gives other workflows than all there are.
    Raises DatabaseUnready, UnknownName for a queue, profile or detector, InputError where the media store is not there.
    """
    _require_known(settings, queues)
    resources, name = Resources(settings), worker_name()
    require_current(resources.engine)
    require_store(resources.home)
    stopping, asked = threading.Event(), [signal.SIGTERM]

    def stop(number: int, _frame: FrameType | None) -> None:
        asked[:] = [signal.Signals(number)]
        stopping.set()

    for number in stop_signals():
        signal.signal(number, stop)
    with loading():  # before anybody expects a heartbeat: on a busy machine it takes seconds
        register, watchers = loaded() if loaded else _loaded(queues), _watchers()
    # Stages have threads of their own. From the first film on: sums of more threads differ in the last digits.
    threadpool_limits(1, user_api="blas")
    with Session(resources.engine) as session:
        enrol(session, name, queues)
    tickers = _tickers(resources, name, watchers, besides)
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


def _require_known(settings: Settings, queues: Sequence[str]) -> None:
    for queue in queues or ("",):
        if queue not in QUEUES:
            raise UnknownName("queue", queue, QUEUES)
    if FILMS in queues:  # else film after film would fail for a misspelt name
        with loading():
            from backend.analysis.request import model_detector
            from backend.features.registry import profile_named
        profile_named(settings.analysis.profile)
        model_detector(settings.analysis.detector)


def _tickers(
    resources: Resources, name: str, watchers: Sequence[Callable[[Resources], Ticker]], besides: Sequence[Besides]
) -> Sequence[Ticker]:
    """What is done every second or so beside the workflows, not begun yet."""
    # What they see they enqueue, once, under a name that says what it is for: that all look at it is only more work.
    duty = threading.Event()
    more = [*(make(resources).only(duty) for make in watchers), *(make(resources, name) for make in besides)]
    return (heart(resources, name, _give_up), reaper(resources, name, (find_lost, find_lost_runs), duty), *more)


def _watchers() -> tuple[Callable[[Resources], Ticker], ...]:
    from backend.analysis.rescoring import watcher
    from backend.clusters.following import watcher as head_watcher
    from backend.clusters.workflow import watcher as cluster_watcher
    from labeling.lists.delivering import watcher as letter_watcher

    return watcher, cluster_watcher, head_watcher, letter_watcher


def _loaded(queues: Sequence[str]) -> Register:
    """What makes the workflows of these queues known to DBOS, with everything that they need loaded."""
    made = [_of_letters(), *(_of_films() if FILMS in queues else ()), *(_of_trainings() if TRAININGS in queues else ())]

    def register_all(resources: Resources, name: str) -> None:
        for register in made:
            register(resources, name)

    return register_all


def _of_films() -> list[Register]:
    # Stages import these in functions. Loaded from source on a busy machine they take so long that no heart beats.
    import scipy.linalg  # noqa: F401
    import sklearn.cluster  # noqa: F401

    from backend.analysis.rescoring import register as register_rescoring
    from backend.analysis.workflow import register
    from backend.clusters.workflow import register as register_clusters
    from labeling.lists.workflow import register as register_rendering
    from labeling.references.workflow import register as register_references

    ending = (register, register_references, register_clusters, register_rendering)
    return [lambda resources, _name: register_rescoring(resources), *(_ends(each) for each in ending)]


def _of_trainings() -> list[Register]:
    from trainer.workflow import register

    return [_ends(register)]


def _of_letters() -> Register:
    from labeling.lists.delivering import register

    return _ends(register)


def _ends(register: Callable[[Resources, str, Callable[[], None]], None]) -> Register:
    """With what ends this process when a workflow finds that it was given up for dead."""
    return lambda resources, name: register(resources, name, _give_up)


def _launch(settings: Settings, name: str, queues: Sequence[str], register: Callable[[], None]) -> None:
    from dbos import DBOS

    quiet_dbos()
    url = store_url(settings.jobs_url)
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": url,
            "application_version": APPLICATION_VERSION,
            "executor_id": name,
            "run_migrations": False,
            "log_level": "WARNING",
            "notification_coalesce_sec": NOTIFY_EVERY_S,
            "db_engine_kwargs": {"poolclass": RestedPool} if url.startswith("postgresql") else None,
        }
    )
    register()
    DBOS.listen_queues([*queues, LETTERS])
    DBOS.launch()
    for queue in queues:
        DBOS.register_queue(queue, worker_concurrency=1, polling_interval_sec=LOOK_EVERY_S)
    DBOS.register_queue(LETTERS, worker_concurrency=LETTERS_AT_ONCE, polling_interval_sec=LETTERS_EVERY_S)


def _give_up() -> None:
    """Another has taken over: whatever this process still does must not be seen."""
    os._exit(GIVEN_UP)
