"""All rows of the PostgreSQL database out and in, by COPY: `rows.py dump > FILE`, `rows.py load [--replace] < FILE`.

Rows and durable jobs as they were at one moment, while everybody works on. A server's own pg_dump would do as well, but
has to be of the server's version; psycopg reads any. The file is a zip with `manifest.json` and the rows of each table
as COPY writes them. `load` wants a database that `selects migrate` of the same version has made, with nobody at work.
"""

import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import psycopg
from psycopg import sql

from backend.errors import Conflict, InputError, SelectsError
from backend.settings import Settings, load_settings

MANIFEST = "manifest.json"
PIECE_BYTES = 1 << 20
KEPT = ("movie", "decision")
"""A database with rows in these is somebody's work."""

TABLES = """
select n.nspname, c.relname, array_agg(a.attname order by a.attnum)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'
group by 1, 2 order by 1, 2
"""
SEQUENCES = """
select n.nspname, c.relname, a.attname, pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname not in ('pg_catalog', 'information_schema')
"""

Connection = psycopg.Connection[Any]


def opened(settings: Settings) -> Connection:
    """A connection to the database of the settings; raises InputError where that is not PostgreSQL."""
    url = settings.database_url
    if not url.startswith("postgresql"):
        raise InputError("The database is SQLite: copy the files of SELECTS_HOME while nothing runs.")
    return psycopg.connect(url.replace("postgresql+psycopg:", "postgresql:", 1))


def dump(connection: Connection, to: BinaryIO) -> int:
    """Write all rows into `to`, which need not be seekable, and say how many."""
    connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    tables = connection.execute(TABLES).fetchall()
    listed, total = [], 0
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for schema, name, columns in tables:
            with packed.open(_member(schema, name), "w", force_zip64=True) as out, connection.cursor() as cursor:
                with cursor.copy(sql.SQL("copy {} to stdout").format(_with_columns(schema, name, columns))) as rows:
                    for piece in rows:
                        out.write(piece)
                listed.append({"schema": schema, "name": name, "columns": columns, "rows": cursor.rowcount})
                total += cursor.rowcount
        packed.writestr(MANIFEST, json.dumps({"version": _version(connection), "tables": listed}, indent=1))
    connection.rollback()
    return total


def load(connection: Connection, source: BinaryIO, *, replace: bool = False) -> int:
    """Put the rows of a dump in the place of all that is there, in one transaction; gives their number.

    Raises InputError for a file that is no dump, or one of another version, and Conflict where work would be lost.
    """
    try:
        packed = zipfile.ZipFile(source)
        known = json.loads(packed.read(MANIFEST))
    except (zipfile.BadZipFile, KeyError, ValueError):
        raise InputError("This is no dump of rows, or not the whole of one.") from None
    with packed, connection.transaction():
        found = _version(connection)
        if known["version"] != found:
            raise InputError(f"The dump is of version {known['version']}, the database of {found}; use that program.")
        if not replace and any(_count(connection, name) for name in KEPT):
            raise Conflict("The database holds films or decisions already; --replace puts the dump in their place.")
        there = {(schema, name) for schema, name, _ in connection.execute(TABLES).fetchall()}
        tables = [each for each in known["tables"] if (each["schema"], each["name"]) in there]
        # Rows come table by table, and what refers to a row may come before it.
        connection.execute("set local session_replication_role = replica")
        whole = sql.SQL(", ").join(sql.Identifier(each["schema"], each["name"]) for each in tables)
        connection.execute(sql.SQL("truncate {} cascade").format(whole))
        total = sum(_fill(connection, packed, each) for each in tables)
        _set_sequences(connection)
    return total


def _fill(connection: Connection, packed: zipfile.ZipFile, table: dict[str, Any]) -> int:
    schema, name, columns = table["schema"], table["name"], table["columns"]
    with connection.cursor() as cursor:
        copied = cursor.copy(sql.SQL("copy {} from stdin").format(_with_columns(schema, name, columns)))
        with packed.open(_member(schema, name)) as rows, copied as into:
            while piece := rows.read(PIECE_BYTES):
                into.write(piece)
        if cursor.rowcount != table["rows"]:
            raise InputError(f"The dump has {cursor.rowcount} rows of {name}, not {table['rows']} as it says.")
        return cursor.rowcount


def _set_sequences(connection: Connection) -> None:
    for schema, name, column, sequence in connection.execute(SEQUENCES).fetchall():
        if sequence:
            last = sql.SQL("select setval(%s, coalesce(max({}), 0) + 1, false) from {}")
            connection.execute(last.format(sql.Identifier(column), sql.Identifier(schema, name)), (sequence,))


def _with_columns(schema: str, name: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("{} ({})").format(sql.Identifier(schema, name), sql.SQL(", ").join(map(sql.Identifier, columns)))


def _member(schema: str, name: str) -> str:
    return f"{schema}/{name}.copy"


def _version(connection: Connection) -> str:
    row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else ""


def _count(connection: Connection, name: str) -> int:
    row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(name))).fetchone()
    return int(row[0]) if row else 0


def main(arguments: Sequence[str]) -> int:
    """`dump`, or `load [--replace]`; 2 after one sentence where it cannot be done."""
    try:
        with opened(load_settings()) as connection:
            if list(arguments) == ["dump"]:
                said = f"{dump(connection, sys.stdout.buffer)} rows are kept."
            elif arguments[:1] == ["load"] and set(arguments[1:]) <= {"--replace"}:
                # Not in /tmp, which is memory in a container.
                with tempfile.TemporaryFile(dir=load_settings().home) as file:
                    shutil.copyfileobj(sys.stdin.buffer, file)
                    said = f"{load(connection, file, replace='--replace' in arguments)} rows are back."
            else:
                raise InputError("usage: rows.py dump > FILE | rows.py load [--replace] < FILE")
    except SelectsError as problem:
        sys.stderr.write(f"rows: {problem}\n")
        return problem.exit_code
    except psycopg.Error as problem:
        sys.stderr.write(f"rows: the database says: {str(problem).splitlines()[0]}\n")
        return 2
    sys.stderr.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
