"""The engine, its sessions, and what SQLite and PostgreSQL do differently."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, Executable, Float, event, make_url
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, create_engine

from backend.errors import InputError

BUSY_TIMEOUT_MS = 30_000
POOL_SIZE = 10
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
        return create_engine(parsed, pool_size=POOL_SIZE, pool_pre_ping=True, connect_args=wait)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own way of beginning transactions is switched off: `_begin_sqlite` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A reader that turns writer in mid-transaction fails at once with "database is locked", whatever the timeout.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
