"""Connections to PostgreSQL that are lent again: asked where they rested, made anew where the server was away."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from backend import pool
from backend.database import alone, make_engine
from tests.databases import database


@pytest.fixture
def engine(postgresql: str) -> Iterator[Engine]:
    with database(postgresql) as url:
        made = make_engine(url)
        try:
            yield made
        finally:
            made.dispose()


def who(engine: Engine) -> int:
    """The process of the server behind the connection that is lent."""
    with engine.connect() as connection:
        return int(connection.execute(text("select pg_backend_pid()")).scalar_one())


def cut(folder: str, *processes: int) -> None:
    """As a restart does: the server ends its side of these connections."""
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as server:
        for process in processes:
            assert server.execute("select pg_terminate_backend(%s, 10000)", [process]).fetchone() == (True,)


def last_words(folder: str, process: int) -> str:
    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as server:
        row = server.execute("select query from pg_stat_activity where pid = %s", [process]).fetchone()
        assert row is not None
        return str(row[0])


def test_a_connection_that_rested_and_died_is_made_anew(
    engine: Engine, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RESTED_S", 0.0)
    with engine.connect() as held:
        both = {int(held.execute(text("select pg_backend_pid()")).scalar_one()), who(engine)}
    assert len(both) == 2
    cut(postgresql, *both)
    with engine.connect() as one, engine.connect() as other:
        assert {
            int(each.execute(text("select pg_backend_pid()")).scalar_one()) for each in (one, other)
        } & both == set()


def test_one_that_was_used_just_now_is_not_asked_and_fails_once_at_most(
    engine: Engine, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RESTED_S", 3600.0)
    with engine.connect() as held:
        both = {int(held.execute(text("select pg_backend_pid()")).scalar_one()), who(engine)}
    cut(postgresql, *both)
    with pytest.raises(OperationalError):
        who(engine)
    assert not {who(engine), who(engine)} & both, "after the first that fails, all are made anew"


@pytest.mark.parametrize(("rested_s", "said"), [(3600.0, "COMMIT"), (0.0, "ROLLBACK")], ids=["used", "rested"])
def test_only_one_that_rested_is_asked(
    engine: Engine, postgresql: str, monkeypatch: pytest.MonkeyPatch, rested_s: float, said: str
) -> None:
    monkeypatch.setattr(pool, "RESTED_S", rested_s)
    with engine.begin() as connection:
        process = int(connection.execute(text("select pg_backend_pid()")).scalar_one())
    with engine.connect():
        assert last_words(postgresql, process) == said


def test_a_change_alone_is_all_that_the_server_hears(engine: Engine, postgresql: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table counted (n int)"))
    with alone(engine).connect() as connection:
        process = int(
            connection.execute(text("insert into counted values (1) returning pg_backend_pid()")).scalar_one()
        )
        connection.commit()
    assert last_words(postgresql, process).startswith("insert"), "neither begin nor commit"
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from counted")).scalar_one() == 1
