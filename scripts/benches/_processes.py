"""Parts of Selects as processes of their own, for measurements of what they answer."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session

from backend.members.service import owner
from backend.members.tokens import create_token
from backend.resources import Resources
from backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 60


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    held: ExitStack, arguments: Sequence[str], environment: Mapping[str, Any], log: Path
) -> "subprocess.Popen[bytes]":
    """Start a process that ends with `held`; of this process's settings of Selects it inherits none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SELECTS_")}
    added = {name: str(value) for name, value in environment.items()}
    with log.open("wb") as file:
        started = subprocess.Popen(arguments, cwd=ROOT, env={**kept, **added}, stdout=file, stderr=file)
    held.callback(started.wait)
    held.callback(started.terminate)
    return started


def wait(ready: Callable[[], bool], limit_s: float = START_LIMIT_S) -> None:
    """Wait for something; raises RuntimeError where it does not come."""
    until = time.monotonic() + limit_s
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError("it did not start")
        time.sleep(0.1)


def answers(address: str) -> bool:
    """Whether a GET succeeds."""
    try:
        return httpx.get(address).is_success
    except httpx.HTTPError:
        return False


def owners_client(home: Path, address: str) -> httpx.Client:
    """A client with a token of the owner of this home, where the service answers at `address`."""
    resources = Resources(Settings(home=home))
    with Session(resources.engine) as session:
        token = create_token(session, owner(session).id or 0, "bench")[1]
    resources.close()
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60)
