"""A real Chroma server, and a library of real films that are analysed once for all tests."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

from backend.analysis import rows
from backend.analysis.film import Analysis, analyse
from backend.analysis.request import AnalysisRequest
from backend.features.label_words import label_vectors
from backend.features.minilm import TextEncoder
from backend.features.moonshine import SpeechRecogniser
from backend.features.registry import build, profile_named
from backend.library.models import Movie
from backend.resources import Resources
from backend.search.chroma import Chroma, chroma_child
from backend.search.copies import Floats
from backend.search.filters import FilmRef
from backend.search.held import HeldFilm, Shots
from backend.search.index import index_movie
from backend.settings import Settings, Vectors
from tests.ports import free_port
from tests.service import Service
from tests.sharing import filling

START_LIMIT_S = 180
FILMS = {
    "sintel": "sintel_trailer_204p.mp4",
    "bunny": "big_buck_bunny_trailer_360p.webm",
    "stage": "faces_stage_360p.mp4",
}
FACTS: dict[str, dict[str, Any]] = {
    "sintel": {"title": "Sintel", "year": 2010, "genres": ["Fantasy", "Drama"]},
    "bunny": {"title": "Big Buck Bunny", "year": 2008, "genres": ["Comedy"]},
    "stage": {"title": "On stage", "year": None, "genres": []},
}


@dataclass
class Server:
    """A Chroma server on a free port, with its data in a folder."""

    home: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    section: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        """Start it and wait until it answers."""
        child = chroma_child(Vectors(port=self.port), self.home)
        assert child is not None
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                child.arguments,
                env={**os.environ, **child.environment},
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server when they are done
            )
        client, until = Chroma(Vectors(port=self.port)), time.monotonic() + START_LIMIT_S
        while not client.healthy():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.home / "log").read_text())
            time.sleep(0.05)
        client.close()

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(START_LIMIT_S)


def new_server(home: Path) -> Server:
    """A server that is not started yet."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    return Server(home, port, section={"port": port})


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server for all tests: each database has collections of its own."""
    server = new_server(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.kill()


@dataclass(frozen=True)
class Analysed:
    """A real film, how it was analysed, and what came of it."""

    path: Path
    request: AnalysisRequest
    known: Analysis


@dataclass(frozen=True)
class Stock:
    """Real films by name, and the home in which their feature files lie."""

    films: dict[str, Analysed]
    home: Path


@pytest.fixture(scope="session")
def stock(films: Path, together: Path, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    """The films of FILMS, analysed with the embedded profile as the service does, by the first process that asks."""
    with filling(together / "stock") as first:
        if first:
            _analysed(films, together / "stock")
    home = tmp_path_factory.mktemp("own") / "stock"
    shutil.copytree(together / "stock", home)
    return _analysed(films, home)


def _analysed(films: Path, home: Path) -> Stock:
    """The films, from what lies in the home already where it does."""
    extractors = build("embedded", cache=home / "networks", extras=("labels",))
    found = {}
    for name, file in FILMS.items():
        request = AnalysisRequest(
            path=films / file,
            home=home,
            schema=profile_named("embedded").schema,
            extractors=extractors,
            transcribe=SpeechRecogniser,
        )
        found[name] = Analysed(films / file, request, analyse(request))
    label_vectors(TextEncoder(home / "networks"), home / "networks")
    return Stock(found, home)


def new_home(tmp_path: Path, stock: Stock) -> Path:
    """A home of its own with all that was made of the films of the stock, and the networks."""
    home = tmp_path / "home"
    for folder in ("films", "features", "networks"):
        if (stock.home / folder).is_dir():
            shutil.copytree(stock.home / folder, home / folder)
    return home


def add_film(resources: Resources, stock: Stock, name: str, project: int, *, indexed: bool = True) -> int:
    """A film of the stock as a finished ingest leaves it; its id. Without `indexed`, as its index stage finds it."""
    film = stock.films[name]
    with Session(resources.engine) as session:
        movie = Movie(project_id=project, path=str(film.path), sha256=film.known.sha256, **FACTS[name])
        session.add(movie)
        session.flush()
        movie_id = movie.id or 0
        rows.save_analysis(session, movie_id, film.request, film.known)
        session.commit()
    if indexed:
        index_movie(resources, movie_id)
        set_state(resources, movie_id, "ready")
    return movie_id


def set_state(resources: Resources, movie_id: int, state: str) -> None:
    """Change the state of a film."""
    with Session(resources.engine) as session:
        movie = session.get(Movie, movie_id)
        assert movie is not None
        movie.state = state
        session.add(movie)
        session.commit()


def filled(service: Service, stock: Stock, project: int) -> dict[str, int]:
    """All films of the stock in a project, by name."""
    return {name: add_film(service.resources, stock, name, project) for name in stock.films}


def settings_for(home: Path, database_url: str, server: Server) -> Settings:
    """Settings of a process beside the server."""
    return Settings(home=home, database={"url": database_url}, vectors=server.section)


def held_film(number: int, vectors: Floats) -> HeldFilm:
    """A film as it is held in memory, with a shot a row of which nothing is known but its vector."""
    count = len(vectors)
    nothing = np.zeros(count, np.int64)
    none = nothing > 0
    shots = Shots(nothing, np.zeros((count, 2), np.int64), np.zeros((count, 2)), none, none, nothing, none)
    ref = FilmRef(number, 1, f"Film {number}", None, f"{number:064x}", "made", count, "stamp")
    return HeldFilm(ref, vectors, shots, np.arange(count), np.any(vectors, axis=1))
