"""SQLite's log is written back beside the requests, and whoever gets the connection next can use it."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from backend.checkpoints import written_back
from backend.database import make_engine
from tests.workers import wait_until

EVERY_S = 0.3


def rows_in(database: Path) -> int:
    """Immutable: without a look at the log."""
    with closing(sqlite3.connect(f"file:{database}?immutable=1", uri=True)) as file:
        return int(file.execute("SELECT count(*) FROM t").fetchone()[0])


def test_the_log_is_written_back_and_nobody_minds(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'some.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (a TEXT)"))
    written = 0
    with written_back(engine, EVERY_S):
        until = time.monotonic() + 3 * EVERY_S
        while time.monotonic() < until:
            with engine.begin() as connection:  # the pool has one connection: the one that was just used to write back
                connection.execute(text("INSERT INTO t VALUES ('x')"))
            written += 1
            time.sleep(0.01)
        wait_until(lambda: rows_in(tmp_path / "some.db") == written)
    engine.dispose()
