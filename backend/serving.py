"""The process that answers: API and pages on one address."""

import gc
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from threadpoolctl import threadpool_limits

from backend.errors import InputError
from backend.loading import loading
from backend.members.launch import nobody_signs_in, require_gate
from backend.migrations.run import require_current
from backend.resources import Resources
from backend.settings import Settings
from backend.stopping import stop_signals
from backend.store.media import require_store

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Server

PATIENCE_S = 5
SWITCH_S = 0.0005
"""How long a thread may compute while another waits. With Python's 5 ms, a request waits as long at every statement."""
YOUNG = 10_000
"""Objects made before the young ones are looked through; a request makes hundreds."""

log = structlog.get_logger("selects.server")


def serve(settings: Settings) -> signal.Signals:
    """Answer until a signal says stop, and give it.

    Raises DatabaseUnready, and InputError where it may not or cannot listen.
    """
    with loading():
        from backend.app import create_app
        from labeling.queue.drawer import Beside

    resources = _opened(settings)
    require_free(settings.server.host, settings.server.port, "SELECTS_SERVER__PORT")
    with loading():
        app = create_app(settings, resources, pages=True, maker=Beside(settings))
    server, asked = _server(app, settings), [signal.SIGTERM]

    def leave(number: int, _frame: FrameType | None) -> None:
        asked[:] = [signal.Signals(number)]
        server.should_exit = True

    # uvicorn handles two of them while it runs, and raises them once more when it has ended; not a closed terminal.
    for number in stop_signals():
        signal.signal(number, leave)
    warming = threading.Thread(target=_warm, args=(resources,), name="warm", daemon=True)
    warming.start()
    sys.setswitchinterval(SWITCH_S)
    # Requests run beside each other; BLAS's threads would wait for one another.
    threadpool_limits(1, user_api="blas")
    server.run()
    if warming.is_alive():
        # A network that is being loaded has threads of its own: pulled from under them, they abort the process.
        sys.stderr.flush()
        os._exit(130 if asked[0] == signal.SIGINT else 0)
    return asked[0]


def _opened(settings: Settings) -> Resources:
    """What it answers from; raises DatabaseUnready, InputError."""
    resources = Resources(settings)
    require_current(resources.engine)
    require_store(resources.home)
    require_gate(settings)
    # It may run before there is a token: in a container the first one is made beside it.
    with Session(resources.reading) as session:
        if nobody := nobody_signs_in(settings, session):
            log.warning(nobody)
    return resources


def _server(app: "FastAPI", settings: Settings) -> "Server":
    from uvicorn import Config, Server

    config = Config(
        app,
        host=settings.server.host,
        port=settings.server.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=PATIENCE_S,
        server_header=False,
    )
    return Server(config)


def _warm(resources: Resources) -> None:
    """Load what will be needed, and let it be: looked through for garbage, it stops everybody for 0.3 s each time."""
    resources.encoders.warm()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    try:
        resources.gallery.warm()
    except SQLAlchemyError as problem:  # the first search tries again, and says what is wrong
        log.warning("films are not loaded for searching yet", problem=str(problem).splitlines()[0])


def require_free(host: str, port: int, setting: str) -> None:
    """Raise InputError where another program listens already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise InputError(f"Cannot listen on {host}:{port}: {reason}; choose another with {setting}.") from None
