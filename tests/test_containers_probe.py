"""What health checks of containers ask, and a server that others reach before there is a token."""

import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from sqlmodel import Session

from backend.jobs.liveness import bury, enrol, heart, worker_name
from backend.jobs.models import Worker
from backend.jobs.timing import SILENT_S
from backend.probe import main, worker_beats
from backend.resources import Resources
from backend.settings import Jobs, Settings
from tests.command import COMMAND, environment, selects
from tests.ports import free_port
from tests.workers import LIMIT_S, wait_until


@pytest.fixture
def library(database_url: str, tmp_path: Path) -> Resources:
    return Resources(Settings(home=tmp_path, database={"url": database_url}))


def test_a_worker_is_well_while_it_beats_on_this_machine(library: Resources) -> None:
    assert not worker_beats(library.settings)
    name = worker_name()
    with Session(library.engine) as session:
        enrol(session, name, ("cpu",))
        assert worker_beats(library.settings)
        row = session.get_one(Worker, name)
        row.host = "elsewhere"
        session.commit()
        assert not worker_beats(library.settings)
        row.host = socket.gethostname()
        row.beat -= 2 * SILENT_S
        session.commit()
        assert not worker_beats(library.settings)
        row.beat += 2 * SILENT_S
        session.commit()
        bury(session, name)
    assert not worker_beats(library.settings)
    library.close()


def test_a_file_says_the_same_without_asking_the_database(library: Resources, tmp_path: Path) -> None:
    file = tmp_path / "beat"
    settings = library.settings.model_copy(update={"jobs": Jobs(beat_file=file)})
    resources, gave_up = Resources(settings), threading.Event()
    name = worker_name()
    with Session(library.engine) as session:
        enrol(session, name, ("cpu",))
    assert main(["worker", str(file)]) == 1
    beats = heart(resources, name, gave_up.set)
    beats.start()
    wait_until(lambda: main(["worker", str(file)]) == 0)
    with Session(library.engine) as session:
        bury(session, name)
    assert gave_up.wait(LIMIT_S), "in the worker this ends the process, before the file is touched again"
    beats.stop()
    beats.join()
    os.utime(file, (time.time() - 2 * SILENT_S,) * 2)
    assert main(["worker", str(file)]) == 1
    resources.close()
    library.close()


def test_a_database_that_is_away_is_no_well_worker(tmp_path: Path) -> None:
    assert not worker_beats(Settings(home=tmp_path, database={"url": "postgresql://nobody@127.0.0.1:9/none"}))


def test_a_probe_is_cheap(tmp_path: Path) -> None:
    """Each container asks it every second while it starts, when there is least to spare."""
    heavy = ("sqlalchemy", "structlog"), ("sqlalchemy", "structlog", "pydantic", "psycopg")
    for words, without in (
        (["api"], heavy[0]),
        (["worker"], heavy[0]),
        (["api", "9"], heavy[1]),
        (["worker", "no"], heavy[1]),
    ):
        loaded = f"print(*{{*{without!r}}} & {{*sys.modules}})"
        program = f"import sys; from backend.probe import main; assert main({words!r}) == 1; {loaded}"
        said = subprocess.run(
            [COMMAND[0], "-c", program], env=environment(tmp_path), capture_output=True, text=True, check=True
        )
        assert said.stdout.split() == []


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kitchen"]) == 2
    assert capsys.readouterr().err == "Unknown part 'kitchen'; known: api, worker.\n"


def test_a_server_that_others_reach_waits_for_its_first_token(tmp_path: Path) -> None:
    """In a container it must run before `selects token create` can be called in it."""
    port = free_port()
    where = {"SELECTS_SERVER__HOST": "0.0.0.0", "SELECTS_SERVER__PORT": str(port)}
    assert selects("migrate", home=tmp_path).returncode == 0
    probe = (*COMMAND[:2], "backend.probe")
    by_port = (*probe, "api", str(port))
    for asked in (probe, by_port):
        assert subprocess.run(asked, env=environment(tmp_path, **where), check=False).returncode == 1
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([*COMMAND, "serve"], env=environment(tmp_path, **where), stdout=log, stderr=log)
    try:
        until = time.monotonic() + 180
        while subprocess.run(probe, env=environment(tmp_path, **where), check=False).returncode:
            assert time.monotonic() < until, (tmp_path / "log").read_text()
            time.sleep(0.2)
        assert subprocess.run(by_port, env=environment(tmp_path, **where), check=False).returncode == 0
        assert "selects token create --admin" in (tmp_path / "log").read_text()
    finally:
        server.terminate()
        server.wait()


def test_a_server_that_lets_everybody_in_is_not_reached_by_others(tmp_path: Path) -> None:
    where = {"SELECTS_SERVER__HOST": "0.0.0.0", "SELECTS_SECURITY__AUTHENTICATION": "false"}
    assert selects("migrate", home=tmp_path).returncode == 0
    refused = selects("serve", home=tmp_path, **where)
    assert refused.returncode == 2
    assert "Authentication is off" in refused.stderr
