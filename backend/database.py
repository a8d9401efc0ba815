"""The engine, its sessions, and what SQLite and PostgreSQL do differently."""

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, DateTime, Engine, Executable, Float, event, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel, create_engine

from backend.errors import InputError
from backend.pool import RestedPool

T = TypeVar("T")

BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 20
# As many as may ask at once: starlette's threads. A connection to SQLite costs next to nothing.
THREADS = 40
LOG_PAGES = 20_000
PART = 1000
_TURN = "selects_turn"
CONNECT_S = 5
"""An address that does not answer at all would keep every request for two minutes."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its zone, UTC; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Only moments with a zone are stored."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a zone")
        return value.astimezone(UTC) if value else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """UTC, always."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class database_now(FunctionElement[float]):  # noqa: N801  a function of SQL
    """Seconds since 1970 by the database's clock: the one clock that all machines share."""

    type = Float()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite_now(_element: object, _compiler: object, **_: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_now, "postgresql")
def _postgresql_now(_element: object, _compiler: object, **_: object) -> str:
    return "extract(epoch from clock_timestamp())::float"


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def rows_changed(session: Session, statement: Executable) -> int:
    """Run an update or delete and say how many rows it met."""
    result = session.connection().execute(statement)
    return result.rowcount


def insert_ignoring(session: Session, table: type[SQLModel], key: Sequence[str]) -> Any:
    """`insert … on conflict (key) do nothing`, in the words of the session's database."""
    return insert_of(session.get_bind().dialect.name, table, key)


def in_parts(values: Iterable[T]) -> Iterator[list[T]]:
    """Values in lists that are short enough for `in_`; none twice."""
    each = list(dict.fromkeys(values))
    for at in range(0, len(each), PART):
        yield each[at : at + PART]


def insert_of(dialect: str, table: type[SQLModel], key: Sequence[str]) -> Any:
    """The same for a database of which only the kind is known."""
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    return insert(table).on_conflict_do_nothing(index_elements=key)


def parse_url(url: str) -> URL:
    """The address of a database, with psycopg as PostgreSQL's driver; raises InputError for another kind."""
    try:
        parsed = make_url(url)
    except Exception:  # noqa: BLE001  whatever it says, it may hold the password
        raise InputError("The setting SELECTS_DATABASE__URL cannot be read as the address of a database.") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if kind == "sqlite":
        return parsed
    raise InputError(f"The database must be SQLite or PostgreSQL, not {kind}; see SELECTS_DATABASE__URL.")


def make_engine(url: str) -> Engine:
    """An engine for `url`: SQLite with write-ahead log and foreign keys, PostgreSQL with checked connections."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        wait = {} if "connect_timeout" in parsed.query else {"connect_timeout": CONNECT_S}
        return create_engine(parsed, poolclass=RestedPool, pool_size=POOL_SIZE, connect_args=wait)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=THREADS, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    turns = _Turns()
    event.listen(engine, "begin", turns.begin)
    event.listen(engine, "checkin", turns.end)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine for those who only read. PostgreSQL is spared the beginning and end of a transaction."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine.execution_options(reads_only=True)


def alone(engine: Engine) -> Engine:
    """The same engine for changes of one statement each, each whole by itself: PostgreSQL hears nothing else."""
    return reading(engine) if engine.dialect.name == "postgresql" else engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own way of beginning transactions is switched off: `_begin_sqlite` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The server writes the log back once a second (checkpoints.py); where none runs, whoever makes it this long does.
    log = f"wal_autocheckpoint={LOG_PAGES}"
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}", log):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _Turns:
    """Writers of one process take turns, in the order in which they came; the next one begins at once.

    SQLite alone has those that meet sleep for 1, 2, 5, … 100 ms, and whoever comes by at the right moment goes first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def begin(self, connection: Connection) -> None:
        """Begin a transaction, a writing one when it is our turn."""
        if connection.get_execution_options().get("reads_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        if _TURN not in connection.info and self._wait(BUSY_TIMEOUT_MS / 1000):
            connection.info[_TURN] = True
        # At once, not at the first change: a reader that turns writer fails with "database is locked", however patient.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, _connection: Any, record: ConnectionPoolEntry) -> None:
        """Let the next one in: the connection goes back to the pool, after whatever ended its transaction."""
        if record.info.pop(_TURN, False):
            with self._lock:
                if self._waiting:
                    self._waiting.popleft().release()
                else:
                    self._taken = False

    def _wait(self, limit_s: float) -> bool:
        """Whether it is our turn."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=limit_s):
            return True
        with self._lock:
            if mine not in self._waiting:  # handed over in this instant
                return True
            self._waiting.remove(mine)
            return False
