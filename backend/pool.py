"""Connections to PostgreSQL that are kept, and asked whether they live only where they rested.

SQLAlchemy's own way of asking (`pool_pre_ping`) does so each time that a connection is lent: four ways to the server
and back where a statement in a transaction takes three, or two where it takes one. A worker that waits asks for little
else than that.
"""

import time
from typing import Any

from sqlalchemy import QueuePool, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

RESTED_S = 1.0
"""After a statement within that time a connection is taken to live. A server that was restarted takes longer."""
_USED = "selects_used"


class RestedPool(QueuePool):
    """Lends the connection that was used last; one that rested is asked first, and all are made anew where it died."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{**options, "use_lifo": True, "pre_ping": False})


@event.listens_for(RestedPool, "checkin")
def _note_the_time(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[_USED] = time.monotonic()


@event.listens_for(RestedPool, "checkout")
def _ask_the_rested(connection: Any, entry: ConnectionPoolEntry, _lent: Any) -> None:
    used = entry.info.get(_USED)  # a new connection has none
    if used is None or time.monotonic() - used < RESTED_S:
        return
    import psycopg

    try:
        connection.execute("select 1")
        connection.rollback()
    except psycopg.Error as problem:
        raise InvalidatePoolError(str(problem)) from None
