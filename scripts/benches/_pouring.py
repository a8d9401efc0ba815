"""Many rows into a database at once."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, text
from sqlmodel import SQLModel

from backend.resources import Resources


def pour(connection: Connection, model: type[SQLModel], rows: list[dict[str, Any]]) -> None:
    """Many rows at once: by COPY into PostgreSQL, in one call of many into SQLite."""
    if not rows:
        return
    table = model.__table__  # type: ignore[attr-defined]
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    names = list(rows[0])
    quoted = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.dbapi_connection
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({quoted}) FROM STDIN') as copying:
        for row in rows:
            copying.write_row([_plain(row[name]) for name in names])


def _plain(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, datetime) else value


def settled(resources: Resources) -> None:
    """Statistics and sequences as a database has them that grew film by film."""
    with resources.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            for table in ("movie", "candidate", "project"):
                connection.execute(text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
            connection.execute(text("VACUUM ANALYZE"))
