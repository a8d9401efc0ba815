"""SQLite's write-ahead log is written back beside the requests, not by whoever happens to commit when it is long.

Writing back waits for the disk: a decision that had to do it took 50 ms instead of 3 (docs/decisions/0021-queue.md).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

EVERY_S = 5.0
"""The first to write after a whole log was written back waits for the disk too: not one in a hundred then."""
# Above this many pages (64 MiB) writers wait for a moment, so that the log can begin anew.
LONGEST_PAGES = 16_384

log = structlog.get_logger("selects.database")


@contextmanager
def written_back(engine: Engine, every_s: float = EVERY_S) -> Iterator[None]:
    """Keep the log short as long as this lasts; for other databases than SQLite nothing is done."""
    if engine.dialect.name != "sqlite":
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_write_back, args=(engine, ended, every_s), name="checkpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write_back(engine: Engine, ended: threading.Event, every_s: float) -> None:
    while not ended.wait(every_s):
        try:
            # A connection of the pool, but without a transaction: the log cannot be written back inside of one.
            connection = engine.raw_connection()
            try:
                _busy, pages, _done = _pragma(connection, "wal_checkpoint(PASSIVE)")
                if pages > LONGEST_PAGES:
                    _pragma(connection, "wal_checkpoint(RESTART)")
            finally:
                connection.close()
        except OperationalError as problem:
            log.warning("the log was not written back", problem=str(problem))


def _pragma(connection: Any, words: str) -> Any:
    cursor = connection.cursor()
    try:
        return cursor.execute(f"PRAGMA {words}").fetchone()
    finally:
        cursor.close()  # whoever gets the connection next cannot commit while a statement of ours is open
