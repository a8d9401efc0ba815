"""The service as a client meets it: the real application on either database, without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from backend.app import create_app
from backend.jobs.queue import migrate_jobs
from backend.library.service import create_project
from backend.members.models import Membership, Person, Role
from backend.members.service import owner, principal
from backend.members.tokens import create_token
from backend.resources import Resources
from backend.settings import Settings

HOST = "http://selects.test"


@dataclass(frozen=True)
class Service:
    """A running application and what lies under it."""

    app: FastAPI
    resources: Resources

    def client(self, token: str = "", address: str = "192.0.2.1", **more: Any) -> TestClient:
        """Somebody who asks: with a token, or like a browser with the cookies it is given; redirects are answers."""
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        settings = {"base_url": HOST, "follow_redirects": False, "client": (address, 50_000), **more}
        return TestClient(self.app, headers=headers, **settings)

    def session(self) -> Session:
        """A session that writes."""
        return Session(self.resources.engine)

    def token(self, name: str | None = None) -> str:
        """A token of a person who is made where they are not there yet; without a name, of the owner."""
        with self.session() as session:
            person = _person(session, name) if name else owner(session)
            return create_token(session, person.id or 0, "test")[1]

    def member(self, project: int, role: Role, name: str | None = None) -> str:
        """A token of a person with a role in a project."""
        with self.session() as session:
            person = _person(session, name or role)
            session.add(Membership(project_id=project, person_id=person.id or 0, role=role))
            session.commit()
        return self.token(name or role)

    def project(self, name: str = "Trailers") -> int:
        """A project of nobody but the owner."""
        with self.session() as session:
            return create_project(session, principal(owner(session)), name).id or 0


@contextmanager
def running(home: Path, database_url: str, **sections: Any) -> Iterator[Service]:
    """The application with a home and a database; `sections` are parts of the settings."""
    settings = Settings(home=home, database={"url": database_url}, **sections)
    resources = Resources(settings)
    with TestClient(create_app(settings, resources)) as client:
        yield Service(client.app, resources)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """The application with a home of its own, on either database."""
    with running(tmp_path / "home", database_url) as made:
        yield made


@pytest.fixture
def job_store(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """The same with a store of jobs, as `selects migrate` leaves it."""
    with running(tmp_path, database_url) as made:
        migrate_jobs(made.resources.settings.jobs_url)
        yield made


def _person(session: Session, name: str) -> Person:
    found = session.exec(select(Person).where(col(Person.name) == name)).one_or_none()
    if found is None:
        found = Person(name=name)
        session.add(found)
        session.commit()
        session.refresh(found)
    return found
