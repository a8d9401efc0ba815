"""A project with films and candidates to judge: rows alone, as a ranking leaves them."""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from backend.library.models import Candidate, Movie
from tests.service import Service

RATE = 25
FILM_FRAMES = 100_000


@dataclass(frozen=True)
class Studio:
    """A running service with a project, and the films in it."""

    service: Service
    project: int
    movies: tuple[int, ...]

    def curator(self, name: str) -> TestClient:
        """Somebody who may judge."""
        return self.service.client(self.service.member(self.project, "curator", name))

    def owner(self) -> TestClient:
        """Who may change how is asked."""
        return self.service.client(self.service.token())

    def candidates(self, **wanted: Any) -> list[Candidate]:
        """Rows of the project, those with these values."""
        with self.service.session() as session:
            where = [col(getattr(Candidate, name)) == value for name, value in wanted.items()]
            found = select(Candidate).where(col(Candidate.project_id) == self.project, *where)
            return list(session.exec(found.order_by(col(Candidate.id))).all())


def studio(service: Service, films: int = 2, clips: int = 30) -> Studio:
    """A new project with so many films of so many candidates each."""
    project = service.project(f"Project of {films} × {clips}")
    with service.session() as session:
        movies = tuple(add_film(session, project, f"Film {number}", clips) for number in range(films))
        session.commit()
    return Studio(service, project, movies)


def questions(client: TestClient, studio: Studio, k: int) -> list[dict[str, Any]]:
    """What somebody is asked next."""
    answer = client.get("/api/queue/next", params={"project": studio.project, "k": k})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def decide(client: TestClient, candidate: int, verdict: str, **more: Any) -> dict[str, Any]:
    """Say something of a candidate; what was kept."""
    said = {"candidate": candidate, "verdict": verdict, "key": uuid.uuid4().hex, **more}
    answer = client.post("/api/decisions", json=said)
    assert answer.status_code == 201, answer.text
    kept: dict[str, Any] = answer.json()
    return kept


def add_film(session: Session, project: int, title: str, clips: int) -> int:
    """A film that is ready, with candidates; its id."""
    movie = Movie(
        project_id=project,
        path=str(Path("films") / f"{title}.mp4"),
        sha256=hashlib.sha256(f"{project} {title}".encode()).hexdigest(),
        title=title,
        state="ready",
        rate=f"{RATE}/1",
        frames=FILM_FRAMES,
    )
    session.add(movie)
    session.flush()
    for rank in range(clips):
        session.add(candidate_of(movie, rank))
    session.flush()
    return movie.id or 0


def candidate_of(movie: Movie, rank: int) -> Candidate:
    """The candidate of a film that stands at this place of its ranking."""
    start = 2000 * rank
    return Candidate(
        project_id=movie.project_id,
        movie_id=movie.id,
        movie_sha256=movie.sha256 or "",
        movie_title=movie.title,
        start_frame=start,
        end_frame=start + 1500,
        start_s=start / RATE,
        end_s=(start + 1500) / RATE,
        scene=rank // 3,
        rank=rank + 1,
        score=1 - rank / 1000,
        compelling=0.9 - rank / 1000,
        model="prior",
    )
