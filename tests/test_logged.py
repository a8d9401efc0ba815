"""What a worker logs and says of what went wrong: lines that a program reads, which name the job and the film."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from backend.jobs.steps import sentence
from tests.command import ROOT
from tests.films import make_film
from tests.workers import Works

LIBRARIES = """
import logging, sys
from backend.logs import set_up_logs
set_up_logs("worker")
from dbos import DBOS
DBOS(config={"name": "selects", "system_database_url": "sqlite:///" + sys.argv[1], "log_level": "WARNING"})
for name in ("dbos", "alembic", "something"):
    logging.getLogger(name).warning("of %s://u:hidden@host\\nand more", name)
"""


def lines(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def test_every_line_of_a_job_names_it_its_film_and_its_worker(house: Works, root: Path) -> None:
    (root / "broken.mp4").write_bytes(b"no film")
    good, bad = house.add(make_film(root / "logged.mp4", frames=50, cuts=(20,))), house.add(root / "broken.mp4")
    for added in (good, bad):
        house.ended(added["job"]["id"])
    said = "".join(path.read_text() for path in house.home.glob("worker-*.log"))
    logged = [line for line in lines(said) if "job" in line]
    for added, events in ((good, {"stage begins", "stage done"}), (bad, {"stage begins", "stage ends the job"})):
        of_it = [line for line in logged if line["job"] == added["job"]["id"]]
        assert {line["event"] for line in of_it} == events
        for line in of_it:
            assert line["movie"] == added["movie"]["id"], line
            assert line["worker"] == house.job(str(line["job"])).worker, line
            assert line["stage"], line


def test_libraries_log_as_we_do(tmp_path: Path) -> None:
    """DBOS too, which brings a handler and a form of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LIBRARIES, str(tmp_path / "jobs.db")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line for line in lines(done.stderr) if "and more" in str(line["event"])]
    assert [line["event"] for line in said] == [
        f"of {name}://u:…@host\nand more" for name in ("dbos", "alembic", "something")
    ]


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'small.db'}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(OperationalError) as full:
            connection.execute(text("CREATE TABLE much (of TEXT)"))
    assert sentence(full.value) == "the database says: database or disk is full."
