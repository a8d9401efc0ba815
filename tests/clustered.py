"""A project of real films, clustered as their ingests leave it, on both databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from backend.clusters.models import Cluster, Clustering, ClusterItem
from backend.clusters.placing import add_film
from backend.jobs.queue import migrate_jobs
from tests.databases import KINDS as DATABASES
from tests.databases import database_of
from tests.service import Service, running
from tests.vectors import Server, Stock, new_home, set_state
from tests.vectors import add_film as enter


@dataclass(frozen=True)
class Library:
    """A service with the films of the stock, clustered as their ingests leave them."""

    service: Service
    stock: Stock
    project: int
    movies: dict[str, int]

    def rows(self, table: Any = ClusterItem) -> list[dict[str, Any]]:
        with self.service.session() as session:
            return [row.model_dump() for row in session.exec(select(table).order_by(*table.__table__.primary_key))]

    def state(self) -> Any:
        return [self.rows(table) for table in (ClusterItem, Cluster, Clustering)]

    def owner(self) -> TestClient:
        return self.service.client(self.service.token())

    def get(self, path: str, **params: Any) -> Any:
        answer = self.owner().get(f"/api/{path}", params={"project": self.project, **params})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def clusters(self, kind: str = "scene", **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("clusters", kind=kind, **params)["items"]
        return found


@contextmanager
def filled(home: Path, url: str, stock: Stock, chroma: Server) -> Iterator[Library]:
    with running(new_home(home, stock), url, vectors=chroma.section) as service:
        migrate_jobs(service.resources.settings.jobs_url)
        project, movies = service.project(), {}
        for name in stock.films:
            movies[name] = enter(service.resources, stock, name, project, indexed=False)
            add_film(service.resources, movies[name], project)
            set_state(service.resources, movies[name], "ready")
        yield Library(service, stock, project, movies)


@pytest.fixture
def library(tmp_path: Path, database_url: str, stock: Stock, chroma: Server) -> Iterator[Library]:
    """One of its own for a test that changes much."""
    with filled(tmp_path, database_url, stock, chroma) as made:
        yield made


@pytest.fixture(scope="module", params=DATABASES)
def shelf(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stock: Stock, chroma: Server
) -> Iterator[Library]:
    """One for all tests that only look."""
    home = tmp_path_factory.mktemp("clusters")
    with database_of(request, home) as url, filled(home, url, stock, chroma) as made:
        yield made
