"""Films as the API shows them: which are asked for, in what order, and what belongs to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.jobs.models import Job
from backend.jobs.service import INGEST, public
from backend.library.genres import has_genre
from backend.library.kept import listed
from backend.library.models import NAME_LENGTH, Candidate, DialogueLine, Movie, Scene, Shot
from backend.library.shapes import MoviePublic

SORTS = {
    "newest": (col(Movie.created_at).desc(), col(Movie.id).desc()),
    "oldest": (col(Movie.created_at), col(Movie.id)),
    "title": (func.lower(Movie.title), col(Movie.id)),
    "year": (col(Movie.year).desc().nulls_last(), func.lower(Movie.title), col(Movie.id)),
    "longest": (col(Movie.duration_s).desc(), col(Movie.id)),
}


@dataclass(frozen=True)
class Wanted:
    """Which films are asked for, and in what order."""

    project_id: int
    text: str = ""
    genre: str = ""
    state: str = ""
    sort: str = "newest"


def wanted_movies(session: Session, wanted: Wanted, limit: int, offset: int) -> tuple[list[MoviePublic], int]:
    """Films of a project, and how many there are."""
    where = [col(Movie.project_id) == wanted.project_id]
    if wanted.text:
        where.append(func.lower(Movie.title).contains(wanted.text.lower(), autoescape=True))
    if wanted.state:
        where.append(col(Movie.state) == wanted.state)
    if wanted.genre:
        where.append(has_genre(col(Movie.genres), [wanted.genre], session.get_bind().dialect.name))
    total = session.exec(select(func.count()).select_from(Movie).where(*where)).one()
    found = select(Movie).where(*where).order_by(*SORTS[wanted.sort]).limit(limit).offset(offset)
    return shown(session, session.exec(found).all()), total


def shown(session: Session, movies: Sequence[Movie]) -> list[MoviePublic]:
    """Films as the API shows them, with what belongs to them counted in a few queries for all."""
    ids = [movie.id for movie in movies]
    counts = {table: _counts(session, table, ids) for table in (Shot, Scene, Candidate)}
    approvals = select(col(Candidate.movie_id), func.count()).where(
        col(Candidate.movie_id).in_(ids), col(Candidate.verdict) == "approve"
    )
    approved = dict(session.exec(approvals.group_by(col(Candidate.movie_id))).all())
    newest: dict[int | None, Job] = {}
    ingests = select(Job).where(col(Job.movie_id).in_(ids), col(Job.kind) == INGEST)
    for job in session.exec(ingests.order_by(col(Job.created_at))):
        newest[job.movie_id] = job
    made = []
    for movie in movies:
        of_movie = {table: of.get(movie.id, 0) for table, of in counts.items()}
        made.append(_shown(movie, of_movie, approved.get(movie.id, 0), newest.get(movie.id)))
    return made


def _shown(movie: Movie, counts: Mapping[Any, int], approved: int, job: Job | None) -> MoviePublic:
    analysed = bool(movie.scan_key)
    picture = f"/api/movies/{movie.id}/picture" if movie.poster or analysed else None
    return MoviePublic.model_validate(
        movie.model_dump()
        | {
            "title": movie.title[:NAME_LENGTH],  # SQLite keeps longer ones, of before titles were cut
            "file": Path(movie.path).name,
            "plays": bool(movie.rate),
            "has_poster": bool(movie.poster),
            "picture": picture,
            "shots": counts[Shot],
            "scenes": counts[Scene],
            "candidates": counts[Candidate],
            "approved": approved,
            "job": public(job, movie.title) if job else None,
        }
    )


def _counts(session: Session, table: type[Shot | Scene | Candidate], ids: Sequence[int | None]) -> dict[Any, int]:
    counted = select(col(table.movie_id), func.count()).where(col(table.movie_id).in_(ids))
    if table is Candidate:
        counted = counted.where(listed())
    return dict(session.exec(counted.group_by(col(table.movie_id))).all())


def count(session: Session, table: type[Shot | Scene | DialogueLine], movie: Movie) -> int:
    """How many rows of this kind a film has."""
    return session.exec(select(func.count()).select_from(table).where(col(table.movie_id) == movie.id)).one()
