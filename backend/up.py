"""`selects up`: everything on this machine, under one process."""

import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from types import FrameType

import httpx
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.errors import SelectsError
from backend.jobs.queue import FILMS
from backend.members.launch import close_launch_links, is_loopback, open_launch_link, require_safe_binding
from backend.parts import chroma_part, hold, prepare, server_part, trainer_part, worker_part
from backend.resources import Resources
from backend.serving import require_free
from backend.settings import Settings
from backend.stopping import say, stop_signals
from backend.supervisor import PartFailed, Supervisor

READY_S = 90.0


class NotStarted(SelectsError):
    """A part of Selects did not start; the lines above say why."""


def up(settings: Settings, workers: int) -> signal.Signals:
    """Run vectors, server and workers until a signal says stop, and give it; what dies is started again."""
    resources, stop, asked = Resources(settings), threading.Event(), [signal.SIGTERM]

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        asked[:] = [signal.Signals(number)]
        stop.set()

    with hold(settings):
        prepare(resources)
        with Session(resources.reading) as session:
            require_safe_binding(settings, session)
        require_free(settings.server.host, settings.server.port, "SELECTS_SERVER__PORT")
        if not settings.vectors.host:
            require_free("127.0.0.1", settings.vectors.port, "SELECTS_VECTORS__PORT")
        for number in stop_signals():
            signal.signal(number, ask_to_stop)
        holder = f"up {socket.gethostname()} {settings.home}"  # of which there is one: the lock
        with Session(resources.engine) as session:
            secret = open_launch_link(session, holder)
        parts = [*chroma_part(settings), server_part(settings)]
        parts += [*(worker_part(number + 1, FILMS) for number in range(workers)), trainer_part()]
        running = Supervisor(parts)
        try:
            _wait_until_ready(resources, running, stop)
            if not stop.is_set():
                _say_where(settings, secret)
            running.watch(stop)
        except PartFailed as part:
            raise NotStarted(f"The {part} did not start; the lines above say why.") from None
        finally:
            say("stopping; films in work go on at the next start.")
            running.stop()
            with suppress(OperationalError), Session(resources.engine) as session:  # a database that is away
                close_launch_links(session, holder)
            resources.close()
    return asked[0]


def address(settings: Settings) -> str:
    """What people type into a browser."""
    return settings.server.public_url.rstrip("/") or local_address(settings)


def local_address(settings: Settings) -> str:
    """Where the server answers on this machine."""
    host = settings.server.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{settings.server.port}"


def _wait_until_ready(resources: Resources, running: Supervisor, stop: threading.Event) -> None:
    began, local = time.monotonic(), local_address(resources.settings)
    while not stop.wait(0.2):
        running.look()
        missing = missing_at(local)
        if not missing:
            return
        if time.monotonic() - began > READY_S:
            raise NotStarted(f"Selects is not ready after {READY_S:g} seconds: {missing}.")


def missing_at(address: str) -> str:
    """What the server at an address says is missing before it is ready; empty where it is ready."""
    try:
        answer = httpx.get(f"{address}/ready", timeout=2, trust_env=False)
        if answer.status_code == 200:
            return ""
        return "; ".join(said for said in answer.json()["checks"].values() if said != "ok")
    except (httpx.HTTPError, ValueError, KeyError):
        return f"no answer from {address}"


def _say_where(settings: Settings, secret: str) -> None:
    link = f"{address(settings)}/?token={secret}"
    who = "on this machine" if is_loopback(settings.server.host) else "from wherever this address is reached"
    sys.stdout.write(f"\n  Selects is running; open this {who} (the link works until it is stopped):\n\n    {link}\n\n")
    sys.stdout.write(f"  Films, clips and settings lie in {settings.home}. Ctrl-C stops.\n\n")
    sys.stdout.flush()
