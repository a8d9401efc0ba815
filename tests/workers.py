"""The service with workers and a vector server as processes of their own, as `selects up` runs them."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from backend.jobs.models import OPEN, Job, Worker
from backend.jobs.queue import migrate_jobs
from backend.library.models import Movie
from tests.command import COMMAND, ROOT, environment
from tests.databases import sqlite_in
from tests.service import Service, running
from tests.vectors import Server, new_server

LIMIT_S = 300


@dataclass
class Works:
    """A running application, its vector server, and the workers that a test starts."""

    service: Service
    server: Server
    client: TestClient
    project: int
    settings: dict[str, str]
    _processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Where everything lies."""
        return self.service.resources.home

    def start_worker(self) -> "subprocess.Popen[bytes]":
        """A worker that has said that it is there; it loads its models with its first film."""
        with (self.home / f"worker-{len(self._processes)}.log").open("wb") as log:
            words, env = [*COMMAND, "worker"], environment(self.home, **self.settings)
            process = subprocess.Popen(words, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        self._processes.append(process)
        wait_until(lambda: self.name_of(process) is not None)
        return process

    def name_of(self, process: "subprocess.Popen[bytes]") -> str | None:
        """The name under which a worker is known, None before it is."""
        assert process.poll() is None, self.logs()
        with Session(self.service.resources.reading) as session:
            return session.exec(select(Worker.name).where(col(Worker.pid) == process.pid)).first()

    def add(self, path: Path, **more: Any) -> dict[str, Any]:
        """Add a film by its path; the whole answer."""
        answer = self.client.post("/api/movies", json={"path": str(path), "project": self.project, **more})
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def upload(self, path: Path, name: str = "", **fields: Any) -> dict[str, Any]:
        """Add a film by sending it; the whole answer."""
        with path.open("rb") as file:
            form = {"project": str(self.project), **fields}
            answer = self.client.post("/api/movies", data=form, files={"file": (name or path.name, file)})
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def job(self, job_id: str) -> Job:
        """A job's row."""
        with Session(self.service.resources.reading) as session:
            return session.get_one(Job, job_id)

    def ended(self, job_id: str, limit_s: float = LIMIT_S) -> Job:
        """The job when it has ended."""
        wait_until(lambda: self.job(job_id).state not in OPEN, limit_s, self.logs)
        return self.job(job_id)

    def done(self, added: dict[str, Any]) -> int:
        """The id of an added film when its job is done, or was before."""
        if added["job"] is None:
            return int(added["movie"]["id"])
        job = self.ended(added["job"]["id"])
        assert job.state == "done", (job.problem, self.logs())
        return job.movie_id or 0

    def movie(self, movie_id: int) -> Movie | None:
        """A film's row."""
        with Session(self.service.resources.reading) as session:
            return session.get(Movie, movie_id)

    def logs(self) -> str:
        """What the workers have said last."""
        return "\n".join(path.read_text()[-3000:] for path in sorted(self.home.glob("worker-*.log")))

    def stop(self) -> None:
        """End all workers."""
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()


@contextmanager
def works(
    home: Path,
    database_url: str,
    server: Server,
    roots: Sequence[Path] = (),
    security: Mapping[str, Any] | None = None,
    **settings: str,
) -> Iterator[Works]:
    """The application beside a server, with no worker yet; `settings` are those of the workers besides.

    `security`: a section of both.
    """
    env = {
        "SELECTS_DATABASE__URL": database_url,
        "SELECTS_VECTORS__PORT": str(server.port),
        "SELECTS_ANALYSIS__TRANSCRIBE": "false",
    } | settings
    env |= {f"SELECTS_SECURITY__{name.upper()}": json.dumps(value) for name, value in (security or {}).items()}
    with ExitStack() as ending:
        sections = {"vectors": server.section, "media": {"roots": list(roots)}, "security": dict(security or {})}
        service = ending.enter_context(running(home, database_url, **sections))
        migrate_jobs(service.resources.settings.jobs_url)
        made = Works(service, server, service.client(service.token()), service.project(), env)
        ending.callback(made.stop)
        yield made


def wait_until(what: Callable[[], bool], limit_s: float = LIMIT_S, why: Callable[[], str] = lambda: "") -> None:
    """Wait for something; fails, with the words of `why`, where it does not come."""
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until, f"waited for {limit_s} s in vain\n{why()}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory, sqlite_template: bytes) -> Iterator[Works]:
    """A running service on SQLite with one worker, for all tests that leave it as it was."""
    home, films = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("films")
    server = new_server(home / "server")
    server.start()
    try:
        with works(home, sqlite_in(home, sqlite_template), server, [films]) as made:
            made.start_worker()
            yield made
    finally:
        server.kill()


@pytest.fixture(scope="session")
def root(house: Works) -> Path:
    """The folder whose films may be named by path."""
    (folder,) = house.service.resources.settings.media.roots
    return folder
