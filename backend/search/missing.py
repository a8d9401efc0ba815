"""Films that cannot be found although they are ready: a figure for /metrics, a line for /ready."""

from sqlalchemy import func
from sqlmodel import Session, col, exists, select

from backend.library.models import Movie
from backend.search.models import IndexedFilm


def without_vectors(session: Session) -> int:
    """How many ready films are not in the index as they are now; a film is indexed in all its spaces at once."""
    indexed = exists().where(
        col(IndexedFilm.movie_id) == col(Movie.id), col(IndexedFilm.scan_key) == col(Movie.scan_key)
    )
    wanted = select(func.count()).select_from(Movie).where(col(Movie.state) == "ready", ~indexed)
    return session.exec(wanted).one()
