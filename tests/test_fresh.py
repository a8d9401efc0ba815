"""What is remembered of the database holds until anybody commits: this process or another one."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, delete, select

from backend.database import make_engine, utc_now
from backend.fresh import MOST, Fresh
from backend.library.models import Movie, Project
from backend.members import tokens
from backend.members.models import ApiToken, Membership, Person
from backend.members.service import principal
from backend.members.signin import COOKIE
from backend.search.filters import Filters
from backend.search.models import IndexedFilm
from backend.search.service import Scope, within_reach
from backend.search.spaces import SPACES
from tests.command import ROOT, environment
from tests.service import Service

LOOK = SPACES["efficientnet"]


def names(fresh: Fresh, service: Service, asked: list[int]) -> tuple[str, ...]:
    def read() -> tuple[str, ...]:
        asked.append(1)
        with Session(service.resources.reading) as session:
            return tuple(session.exec(select(Project.name).order_by(col(Project.id))).all())

    return fresh.get("names", read)


def test_it_is_read_once_until_somebody_writes(service: Service) -> None:
    fresh, asked = service.resources.fresh, list[int]()
    service.project("One")
    assert {names(fresh, service, asked) for _ in range(20)} == {("One",)}
    sqlite = service.resources.engine.dialect.name == "sqlite"
    # PostgreSQL's own work in between makes one read again.
    assert len(asked) == 1 if sqlite else len(asked) < 10
    assert fresh.peek("names") == (("One",) if sqlite else None)
    service.project("Two")
    assert fresh.peek("names") is None
    assert names(fresh, service, asked) == ("One", "Two")


def test_writers_and_readers_at_once_see_what_was_written(service: Service) -> None:
    """Each thread writes and must then see what it wrote, whatever the others have kept in between."""

    def one(k: int) -> None:
        service.project(f"Project {k}")
        assert f"Project {k}" in names(service.resources.fresh, service, [])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(60)))


def test_nothing_is_not_kept_and_neither_is_too_much(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'some.db'}")
    fresh, asked = Fresh(engine), list[int]()
    for _ in range(2):
        assert fresh.get("nothing", lambda: asked.append(1)) is None
    assert len(asked) == 2
    for k in range(2 * MOST):
        assert fresh.get(k, lambda k=k: k) == k  # type: ignore[misc]
    assert len(fresh._kept) <= MOST
    fresh.close()
    assert fresh.peek(2 * MOST - 1) is None
    assert fresh.get("still", lambda: "there") == "there"
    engine.dispose()


def test_a_database_that_is_away_is_left_to_the_statement(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'some.db'}")
    (tmp_path / "some.db").mkdir()
    assert Fresh(engine).get("x", lambda: 5) == 5


def test_a_token_revoked_by_another_process_opens_nothing_more(service: Service) -> None:
    ada = service.client(service.token("Ada"))
    for _ in range(3):
        assert ada.get("/api/session").status_code == 200
    engine = make_engine(str(service.resources.settings.database_url))
    code = "import sys; from sqlalchemy import text; from backend.database import make_engine; "
    code += "c = make_engine(sys.argv[1]).connect(); c.execute(text('DELETE FROM apitoken')); c.commit()"
    url = engine.url.render_as_string(hide_password=False)
    subprocess.run(
        [sys.executable, "-c", code, url], check=True, cwd=ROOT, env=environment(Path("/nonexistent")), timeout=300
    )
    assert ada.get("/api/session").status_code == 401
    engine.dispose()


def test_a_secret_of_one_kind_is_not_taken_for_the_other(service: Service) -> None:
    secret = service.token("Ada")
    assert service.client(secret).get("/api/session").status_code == 200
    assert service.client(cookies={COOKIE: secret}).get("/api/session").status_code == 401


def test_a_token_ends_while_it_is_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = service.token("Ada")
    with service.session() as session:
        token = session.exec(select(ApiToken)).one()
        token.expires_at = utc_now() + timedelta(hours=1)
        session.add(token)
        session.commit()
    assert service.client(secret).get("/api/session").status_code == 200
    monkeypatch.setattr(tokens, "utc_now", lambda: utc_now() + timedelta(hours=2))
    assert service.client(secret).get("/api/session").status_code == 401


def test_whoever_is_sent_away_from_a_project_finds_its_films_no_more(service: Service) -> None:
    project = service.project()
    ada = service.client(service.member(project, "viewer", "Ada"))
    asked = {"q": "a lone warrior", "project": project}
    assert ada.get("/api/search", params=asked).status_code == 200
    with service.session() as session:
        session.execute(delete(Membership))
        session.commit()
    assert ada.get("/api/search", params=asked).status_code == 404


def test_a_question_that_began_before_a_change_is_not_remembered_for_after_it(service: Service) -> None:
    """Its transaction sees what was when it began; who asks next must not."""
    project = service.project()
    service.member(project, "viewer", "Ada")
    with service.session() as session:
        ada = principal(session.exec(select(Person).where(col(Person.name) == "Ada")).one())
        film = Movie(project_id=project, title="Sintel", state="ready", scan_key="k", path="/x", sha256="a" * 64)
        session.add(film)
        session.flush()
        fact = {"movie_id": film.id, "version": LOOK.version, "sha256": "a" * 64, "inputs": "i", "scan_key": "k"}
        session.add(IndexedFilm(**fact, space=LOOK.name, rows=1, stamp="s"))
        session.commit()
    one, another = Scope(), Scope(filters=Filters(title="sin"))
    with Session(service.resources.reading) as before:
        assert len(within_reach(before, service.resources, (LOOK,), ada, one)[LOOK.name]) == 1
        before.exec(select(Project)).all()
        with service.session() as session:
            session.execute(delete(Membership))
            session.commit()
        within_reach(before, service.resources, (LOOK,), ada, another)
    with Session(service.resources.reading) as after:
        for scope in (one, another):
            assert len(within_reach(after, service.resources, (LOOK,), ada, scope)[LOOK.name]) == 0
