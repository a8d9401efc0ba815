"""The tables, on both databases: made by migrations, the same as the models say, back again, one process at a time."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError
from sqlmodel import SQLModel

from backend.database import make_engine
from backend.errors import DatabaseUnready
from backend.migrations.run import migrate, require_current


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
