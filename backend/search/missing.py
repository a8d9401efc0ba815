"""Films that cannot be found although they are ready: a figure for /metrics, a line for /ready."""

from sqlalchemy import and_, func, or_
from sqlmodel import Session, col, exists, select

from backend.library.models import Movie
from backend.search.models import IndexedFilm
from backend.search.spaces import SPACES


def without_vectors(session: Session) -> int:
    """How many ready films are not in the index as they are now; a film is indexed in all its spaces at once."""
    row, of_film = IndexedFilm, col(IndexedFilm.movie_id) == col(Movie.id)
    indexed = exists().where(of_film, col(row.scan_key) == col(Movie.scan_key))
    # Of a program before this one: a space finds only what today's version of its extractor has made.
    older = [and_(col(row.space) == space.name, col(row.version) != space.version) for space in SPACES.values()]
    outdated = exists().where(of_film, or_(*older))
    wanted = select(func.count()).select_from(Movie).where(col(Movie.state) == "ready", ~indexed | outdated)
    return session.exec(wanted).one()
