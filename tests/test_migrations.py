"""The tables, on both databases: made by migrations, the same as the models say, back again, one process at a time."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from backend.database import make_engine
from backend.errors import DatabaseUnready
from backend.migrations.run import alembic_config, migrate, require_current


def test_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_a_database_without_tables_is_refused_until_it_is_migrated(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    with pytest.raises(DatabaseUnready, match="selects migrate"):
        require_current(engine)
    assert inspect(engine).get_table_names() == []
    migrate(engine)
    require_current(engine)
    assert migrate(engine) == migrate(engine)  # nothing to do: nothing done
    engine.dispose()


def test_a_database_that_a_newer_program_made_is_left_alone(database_url: str) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    for refused in (migrate, require_current):
        with pytest.raises(DatabaseUnready, match="version 9999_future, which this program does not know: a newer one"):
            refused(engine)
    engine.dispose()


def test_rows_of_every_old_version_are_kept(empty_database_url: str) -> None:
    """From the first version up, two rows in each table as soon as there is one: all of them are there at the end."""
    engine = make_engine(empty_database_url)
    config, filled = alembic_config(), dict[str, list[dict[str, Any]]]()
    for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, script.revision)
            for table in tables_of(connection):
                filled[table.name] = filled.get(table.name) or filled_in(connection, table)
    require_current(engine)
    with engine.connect() as connection:
        now = {table.name: rows_of(connection, table) for table in tables_of(connection)}
    assert filled.keys() == now.keys()
    for name, rows in filled.items():
        assert len(rows) == 2, name
        for row in rows:
            assert any(row.items() <= kept.items() for kept in now[name]), (name, row)
    engine.dispose()


def tables_of(connection: Connection) -> list[Table]:
    """All but Alembic's own, those that others refer to first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def filled_in(connection: Connection, table: Table) -> list[dict[str, Any]]:
    """Two rows, the second of which refers to the second ones of other tables and leaves nothing out."""
    for number in (1, 2):
        row = {
            column.name: plain(next(iter(column.foreign_keys)).column if column.foreign_keys else column, number)
            for column in table.columns
            if not column.nullable or (number == 2 and not refers_to(column, table))
        }
        connection.execute(table.insert().values(row))
    return rows_of(connection, table)


def rows_of(connection: Connection, table: Table) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(table.select())]


def refers_to(column: Column[Any], table: Table) -> bool:
    return any(key.column.table is table for key in column.foreign_keys)


def plain(column: Column[Any], number: int) -> Any:
    """A value that this column takes."""
    kind = column.type.python_type
    values = {bool: True, int: number, float: number + 0.5, bytes: b"x" * 8, dict: {"of": number}}
    values |= {datetime: datetime(2026, 1, number, tzinfo=UTC), date: date(2026, 1, number)}
    return values.get(kind, f"s{number}")


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    engines = [make_engine(empty_database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(engines)) as pool:
        assert len(set(pool.map(migrate, engines))) == 1
    for engine in engines:
        engine.dispose()


def test_a_server_that_never_answers_is_given_up_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        engine = make_engine(f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing")
        with pytest.raises(OperationalError, match="timeout expired"):
            engine.connect()
