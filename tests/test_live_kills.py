"""`kill -9` of a server while it swaps models, and of a worker while it scores anew: then one is live, and works."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from scripts.benches._processes import answers
from tests.command import COMMAND, ROOT, environment
from tests.databases import sqlite_in
from tests.ports import free_port
from tests.service import Service
from tests.test_live import make_live, soon
from tests.test_models_api import rows_of, with_candidates
from tests.trained import SCHEMA, enter
from tests.vectors import Server, Stock, new_home
from tests.workers import Works, wait_until, works


@pytest.fixture
def house(sqlite_template: bytes, stock: Stock, chroma: Server, tmp_path: Path) -> Iterator[Works]:
    """A service without workers, whose home has what was made of the films of the stock."""
    home = new_home(tmp_path, stock)
    with works(home, sqlite_in(home, sqlite_template), chroma) as made:
        yield made


@contextmanager
def serving(service: Service, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A server in a process of its own, that answers; killed at the end."""
    settings = {"SELECTS_DATABASE__URL": service.resources.settings.database.url, "SELECTS_SERVER__PORT": str(port)}
    env = environment(service.resources.home, **settings)
    with (service.resources.home / "server.log").open("ab") as log:
        process = subprocess.Popen([*COMMAND, "serve"], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"))
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def score_of(service: Service, project: int, version: str, client: httpx.Client, asked: dict[str, Any]) -> float:
    """What the server gives once it has taken a version up."""
    make_live(service, project, version)
    soon(lambda: client.post("/api/score", json=asked).json().get("model") == version)
    return float(client.post("/api/score", json=asked).json()["clips"][0]["score"])


def test_a_server_killed_while_it_swaps(house: Works) -> None:
    service, port, rng = house.service, free_port(), np.random.default_rng(5)
    project = service.project("Swapped")
    for seed, version in enumerate("ab"):
        enter(service, project, version, seed, hidden=(512, 256))
    window: dict[str, Any] = {"id": "w", "features": [0.5] * SCHEMA.dimension}
    asked = {"windows": [window], "project": project}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {service.token()}"}, timeout=120
    ) as client:
        with serving(service, port) as process:
            scores = {version: score_of(service, project, version, client, asked) for version in "ab"}
            for version in "abab":
                make_live(service, project, version)
                time.sleep(0.1 + 0.5 * float(rng.random()))
            make_live(service, project, "a")
            time.sleep(0.5 * float(rng.random()))
            process.send_signal(signal.SIGKILL)
        with serving(service, port):
            found = client.post("/api/score", json=asked).json()
            assert (found["model"], found["clips"][0]["score"]) == ("a", scores["a"])
            (live,) = client.get("/api/models/live", params={"project": project}).json()["items"]
            assert (live["version"], live["serving"], live["problem"]) == ("a", "a", "")
    assert scores["a"] != scores["b"]


def test_a_worker_killed_while_it_scores_anew(house: Works, stock: Stock) -> None:
    project, movie_id, _ = with_candidates(house.service, stock)
    before = rows_of(house.service, movie_id)

    def models() -> set[str]:
        return {row.model for row in rows_of(house.service, movie_id)}

    worker = house.start_worker()
    for version in "ab":
        make_live(house.service, project, version)
        # Seen after a second at most, then begun: somewhere in there.
        time.sleep(1.0 if version == "a" else 1.6)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        assert models() <= {"prior", "a", "b"}
        worker = house.start_worker()
    wait_until(lambda: models() == {"b"}, why=house.logs)
    assert [row.id for row in rows_of(house.service, movie_id)] == [row.id for row in before]
