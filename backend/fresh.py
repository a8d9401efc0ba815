"""What was read from the database and nobody has written over since.

SQLite tells a connection, within microseconds, whether any other has committed (`PRAGMA data_version`), in this process
or another one; asking takes a hundredth of the time of the smallest statement. PostgreSQL tells no such thing: there
everything is read each time.
"""

import sqlite3
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Engine

T = TypeVar("T")
MOST = 1000


class Fresh:
    """What a process has read from a database; may be asked by many threads. What is kept is never changed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tells = engine.dialect.name == "sqlite"
        self._connection: Any = None
        self._kept: dict[Hashable, Any] = {}
        self._version: int | None = None
        self._lock = Lock()

    def peek(self, key: Hashable) -> Any | None:
        """What was read under this name, None where it may have changed or was not read."""
        with self._lock:
            return self._kept.get(key) if self._now() is not None else None

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """What was read under this name, read again where it may have changed. Only what is not None is kept."""
        with self._lock:
            version = self._now()
            found: T | None = self._kept.get(key) if version is not None else None
        if found is not None:
            return found
        made = read()
        with self._lock:
            if version is not None and made is not None and version == self._version:
                if len(self._kept) >= MOST:
                    self._kept.clear()
                self._kept[key] = made
        return made

    def close(self) -> None:
        """Give the connection back."""
        with self._lock:
            self._tells = False
            if self._connection is not None:
                self._connection.close()

    def _now(self) -> int | None:
        """The state that the database is in, None where it cannot tell; what was kept of another one is forgotten."""
        if not self._tells:
            return None
        with suppress(sqlite3.Error):  # the statement that is run instead says what is wrong
            if self._connection is None:
                # One of its own, never given back: only to one that asks again it tells what came between.
                borrowed = self._engine.raw_connection()
                self._connection = borrowed.dbapi_connection
                borrowed.detach()
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._kept.clear()
                self._version = version
            return version
        return None
