"""Which films and shots may be found: what SQL knows of films becomes a list of them, what it knows of shots a mask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, exists, select

from backend.library.models import Movie
from backend.members.models import Membership
from backend.members.service import Principal, require_role
from backend.search.models import IndexedFilm
from backend.search.spaces import Space


@dataclass(frozen=True)
class Filters:
    """What narrows a search; what is left out does not. Durations are of shots, in seconds."""

    films: tuple[int, ...] = ()
    title: str = ""
    genres: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    has_faces: bool | None = None
    has_speech: bool | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None

    @property
    def of_shots(self) -> bool:
        """Whether anything is asked of single shots."""
        asked = (self.has_faces, self.has_speech, self.min_duration_s, self.max_duration_s)
        return any(value is not None for value in asked)


@dataclass(frozen=True)
class FilmRef:
    """A film that is whole in a space: what the answer says of it, and under which stamp it is held in memory."""

    movie_id: int
    project_id: int
    title: str
    year: int | None
    sha256: str
    inputs: str
    rows: int
    stamp: str


def projects_for(session: Session, who: Principal, project: int | None) -> tuple[int, ...] | None:
    """The projects that are searched: the one named, else all of the asker's; None for all there are.

    Raises NotFound where the asker is no member of it.
    """
    if project is not None:
        require_role(session, who, project, "viewer")
        return (project,)
    if who.superuser:
        return None
    own = select(Membership.project_id).where(col(Membership.person_id) == who.person_id)
    return tuple(session.exec(own).all())


def searchable(session: Session, space: Space, projects: Sequence[int] | None, filters: Filters) -> list[FilmRef]:
    """The films of these projects that pass and are ready and wholly indexed, in order of their ids."""
    columns = (
        *(col(Movie.id), col(Movie.project_id), col(Movie.title), col(Movie.year)),
        *(col(IndexedFilm.sha256), col(IndexedFilm.inputs), col(IndexedFilm.rows), col(IndexedFilm.stamp)),
    )
    wanted: Any = select(*columns).join(IndexedFilm, col(IndexedFilm.movie_id) == col(Movie.id))  # type: ignore[call-overload]
    wanted = wanted.where(*is_indexed(space), *_of_films(session, projects, filters)).order_by(col(Movie.id))
    return [FilmRef(*row) for row in session.connection().execute(wanted).all()]


def is_indexed(space: Space) -> tuple[Any, ...]:
    """A film that is ready, and whose rows in a space are those of its shots as they are now."""
    return (
        col(Movie.state) == "ready",
        col(IndexedFilm.space) == space.name,
        col(IndexedFilm.version) == space.version,
        col(IndexedFilm.scan_key) == col(Movie.scan_key),
        col(IndexedFilm.rows) > 0,
    )


def _of_films(session: Session, projects: Sequence[int] | None, filters: Filters) -> list[Any]:
    where: list[Any] = []
    if projects is not None:
        where.append(col(Movie.project_id).in_(projects))
    if filters.films:
        where.append(col(Movie.id).in_(filters.films))
    if filters.title.strip():
        where.append(func.lower(col(Movie.title)).contains(filters.title.strip().lower(), autoescape=True))
    if filters.year_min is not None:
        where.append(col(Movie.year) >= filters.year_min)
    if filters.year_max is not None:
        where.append(col(Movie.year) <= filters.year_max)
    if filters.genres:
        where.append(_has_genre(session, filters.genres))
    return where


def _has_genre(session: Session, genres: Sequence[str]) -> Any:
    listed = func.json_array_elements_text if session.get_bind().dialect.name == "postgresql" else func.json_each
    each = listed(col(Movie.genres)).table_valued("value")
    return exists().select_from(each).where(func.lower(each.c.value).in_([genre.strip().lower() for genre in genres]))
