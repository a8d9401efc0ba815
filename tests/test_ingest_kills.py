"""`kill -9` of worker and vector server at any moment: in the end the same rows, files and vectors as without."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from backend.jobs.models import OPEN, JobStage
from backend.search.doctor import examine
from tests.databases import sqlite_in
from tests.prints import print_of
from tests.vectors import Server, new_server
from tests.workers import LIMIT_S, Works, wait_until, works


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A vector server that may be killed, and is started again."""
    made = new_server(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.kill()


@pytest.fixture(scope="module")
def film(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real film with its subtitles."""
    root = tmp_path_factory.mktemp("films")
    for part in films.glob("sintel*"):
        shutil.copy(part, root)
    return root / "sintel_trailer_204p.mp4"


@pytest.fixture(scope="module")
def undisturbed(
    server: Server, sqlite_template: bytes, tmp_path_factory: pytest.TempPathFactory, film: Path
) -> dict[str, Any]:
    """What an ingest leaves that nobody disturbs, in a house that no other test has added to."""
    home = tmp_path_factory.mktemp("undisturbed")
    with works(home, sqlite_in(home, sqlite_template), server, [film.parent]) as house:
        house.start_worker()
        made = print_of(house.service.resources, house.done(house.add(film)))
    assert made["rows"]["Shot"]
    assert made["vectors"]["efficientnet"]
    return made


@pytest.fixture
def killed_house(server: Server, sqlite_template: bytes, tmp_path: Path, film: Path) -> Iterator[Works]:
    with works(tmp_path, sqlite_in(tmp_path, sqlite_template), server, [film.parent]) as made:
        yield made


def same(house: Works, added: dict[str, Any], undisturbed: dict[str, Any]) -> None:
    made = print_of(house.service.resources, house.done(added))
    for part in ("rows", "files", "vectors"):
        assert made[part] == undisturbed[part], part
    assert examine(house.service.resources).problems == ()
    with Session(house.service.resources.reading) as session:
        stages = session.exec(select(JobStage.stage)).all()
    assert len(stages) == len(set(stages))


def test_workers_killed_one_after_the_other(
    killed_house: Works, film: Path, undisturbed: dict[str, Any], server: Server
) -> None:
    """The next one is there already, and goes on within seconds."""
    house, rng = killed_house, random.Random(7)
    workers = [house.start_worker(), house.start_worker()]
    added = house.add(film)
    job_id = added["job"]["id"]

    def reached(stage: str) -> Callable[[], bool]:
        return lambda: house.job(job_id).stage == stage or house.job(job_id).state not in OPEN

    for stage in ("scan", "index"):
        wait_until(reached(stage), LIMIT_S, house.logs)
        time.sleep(rng.random() * 0.2)
        (busy,) = [each for each in workers if house.name_of(each) == house.job(job_id).worker]
        busy.send_signal(signal.SIGKILL)
        busy.wait()
        workers = [each for each in workers if each is not busy] + [house.start_worker()]
    same(house, added, undisturbed)


def test_the_vector_server_killed_while_it_is_needed(
    killed_house: Works, film: Path, undisturbed: dict[str, Any], server: Server
) -> None:
    house = killed_house
    house.start_worker()
    added = house.add(film)
    job_id = added["job"]["id"]
    wait_until(lambda: house.job(job_id).stage == "features", LIMIT_S, house.logs)
    server.kill()
    assert house.client.get("/ready").status_code == 503
    wait_until(lambda: house.job(job_id).stage == "index", LIMIT_S, house.logs)
    time.sleep(2)
    assert house.job(job_id).state == "running", "it waits for the server"
    server.start()
    wait_until(lambda: house.job(job_id).stage != "index" or house.job(job_id).done > 0, LIMIT_S, house.logs)
    server.kill()
    server.start()
    same(house, added, undisturbed)
    assert house.client.get("/ready").status_code == 200
