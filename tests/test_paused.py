"""A worker that is paused until it is given up for dead, and wakes when another has done its film."""

import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import Session, select

from backend.jobs.models import JobStage
from backend.library.models import Candidate, Shot
from backend.worker import GIVEN_UP
from tests.films import run_ffmpeg
from tests.vectors import Server
from tests.workers import LIMIT_S, Works, wait_until, works


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes, so that a scan can be interrupted."""
    film = tmp_path_factory.mktemp("films") / "long.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=480x270:r=25:d=180", "-c:v", "libx264", "-preset", "ultrafast", film)
    return film


def rows_of(house: Works) -> list[tuple[object, ...]]:
    with Session(house.service.resources.reading) as session:
        shots = [tuple(row) for row in session.exec(select(Shot.id, Shot.start_frame, Shot.end_frame))]
        clips = [tuple(row) for row in session.exec(select(Candidate.id, Candidate.start_frame, Candidate.rank))]
    return [*shots, *clips]


def pause(house: Works, worker: "subprocess.Popen[bytes]") -> None:
    """Stop a worker at a moment in which it writes nothing: in a transaction it would hold an SQLite file for all."""
    settings = house.service.resources.settings
    files = [url.removeprefix("sqlite:///") for url in (settings.database_url, settings.jobs_url)]
    for _ in range(100):
        worker.send_signal(signal.SIGSTOP)
        if not any(locked(file) for file in files if not file.startswith("postgresql")):
            return
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("it writes all the time")


def locked(file: str) -> bool:
    with closing(sqlite3.connect(file, timeout=2, isolation_level=None)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        database.execute("ROLLBACK")
    return False


def test_it_ends_and_harms_nothing(database_url: str, chroma: Server, long_film: Path, tmp_path: Path) -> None:
    with works(tmp_path, database_url, chroma, [long_film.parent]) as house:
        workers = [house.start_worker(), house.start_worker()]
        job_id = house.add(long_film)["job"]["id"]
        wait_until(lambda: house.job(job_id).stage == "scan" and house.job(job_id).done > 0, LIMIT_S, house.logs)
        names = [house.name_of(worker) for worker in workers]
        at = names.index(house.job(job_id).worker)
        paused, other = workers[at], names[1 - at]
        pause(house, paused)
        try:
            job = house.ended(job_id)
            assert (job.state, job.worker) == ("done", other), house.logs()
            before = rows_of(house)
        finally:
            paused.send_signal(signal.SIGCONT)
        assert paused.wait(LIMIT_S) == GIVEN_UP
        assert workers[1 - at].poll() is None
        assert rows_of(house) == before
        assert house.job(job_id) == job
        with Session(house.service.resources.reading) as session:
            stages = Counter(session.exec(select(JobStage.stage)))
        assert set(stages) == {"probe", "proxy", "scan", "features", "index", "clusters", "candidates"}
        assert set(stages.values()) == {1}
