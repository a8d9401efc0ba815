"""What was read from the database and nobody has written over since.

SQLite tells a connection, within microseconds, whether any other has committed (`PRAGMA data_version`), in this process
or another one; asking takes a hundredth of the time of the smallest statement. PostgreSQL tells which transactions one
would see now (`pg_current_snapshot()`): as long as these are the same ones, so is what they wrote. That takes a way to
the server and back, and is worth it where much is read.
"""

import sqlite3
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from backend.database import reading

T = TypeVar("T")
MOST = 1000


class Fresh:
    """What a process has read from a database; may be asked by many threads. What is kept is never changed."""

    def __init__(self, engine: Engine) -> None:
        self._state: _Sqlite | _Postgresql = (_Sqlite if engine.dialect.name == "sqlite" else _Postgresql)(engine)
        self._kept: dict[Hashable, Any] = {}
        self._of: Hashable = None
        self._lock = Lock()

    def peek(self, key: Hashable) -> Any | None:
        """What was read under this name, None where it may have changed or was not read; waits for no other machine."""
        return self._known(key, self._state.now()) if self._state.at_once else None

    def get_small(self, key: Hashable, read: Callable[[], T]) -> T:
        """The same as `get` of what a small statement reads: at PostgreSQL that is as fast as asking for the state."""
        return self.get(key, read) if self._state.at_once else read()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """What was read under this name, read again where it may have changed. Only what is not None is kept.

        `read` must begin to read when it is called: a transaction that is open already sees what was then.
        """
        now = self._state.now()
        found: T | None = self._known(key, now)
        if found is not None:
            return found
        # What is read is as new as the state that was told before, or newer.
        made = read()
        with self._lock:
            if now is not None and made is not None and now == self._of:
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[key] = made
        return made

    def close(self) -> None:
        """Keep no connection."""
        self._state.close()

    def _known(self, key: Hashable, now: Hashable) -> Any | None:
        """What is kept of this state of the database (None: nobody can tell); what was kept of another is forgotten."""
        with self._lock:
            if now is None:
                return None
            if now != self._of:
                self._kept.clear()
                self._of = now
            return self._kept.get(key)


class _Sqlite:
    """Which state an SQLite database is in."""

    at_once = True

    def __init__(self, engine: Engine) -> None:
        self._engine: Engine | None = engine
        self._connection: Any = None
        self._lock = Lock()

    def now(self) -> Hashable:
        """A number for the state, None where it cannot be told: the statement that is run instead says why."""
        with self._lock, suppress(sqlite3.Error):
            if self._engine is None:
                return None
            if self._connection is None:
                # One of its own, never given back: only to one that asks again it tells what came between.
                borrowed = self._engine.raw_connection()
                self._connection = borrowed.dbapi_connection
                borrowed.detach()
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            return version
        return None

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._engine = None
            if self._connection is not None:
                self._connection.close()


class _Postgresql:
    """Which state a PostgreSQL server is in."""

    at_once = False

    def __init__(self, engine: Engine) -> None:
        self._engine = reading(engine)

    def now(self) -> Hashable:
        """Which transactions can be seen, None where it cannot be told."""
        with suppress(SQLAlchemyError), self._engine.connect() as connection:
            seen: str = connection.exec_driver_sql("select pg_current_snapshot()::text").scalar_one()
            return seen
        return None

    def close(self) -> None:
        """It holds none."""
