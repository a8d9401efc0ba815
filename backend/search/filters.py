"""Which films and shots may be found: what SQL knows of films becomes a list of them, what it knows of shots a mask."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, overload

from sqlalchemy import bindparam, func
from sqlalchemy import select as rows_of
from sqlmodel import Session

from backend.library.genres import has_genre
from backend.library.models import Movie
from backend.members.models import Membership
from backend.members.service import Principal
from backend.search.models import IndexedFilm
from backend.search.spaces import Space


@dataclass(frozen=True)
class Filters:
    """What narrows a search; what is left out does not. Durations are of shots, in seconds.

    clusters  places and people by id: shots in any of the places, and with any of the people where both are named
    """

    films: tuple[int, ...] = ()
    title: str = ""
    genres: tuple[str, ...] = ()
    year_min: int | None = None
    year_max: int | None = None
    has_faces: bool | None = None
    has_speech: bool | None = None
    dialogue_scene: bool | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    clusters: tuple[int, ...] = ()

    @property
    def of_films(self) -> "Filters":
        """Those that SQL resolves."""
        return Filters(self.films, self.title, self.genres, self.year_min, self.year_max)


class FilmRef(NamedTuple):
    """A film that is whole in a space: what the answer says of it, and under which stamp it is held in memory."""

    movie_id: int
    project_id: int
    title: str
    year: int | None
    sha256: str
    inputs: str
    rows: int
    stamp: str

    @property
    def name(self) -> tuple[int, str]:
        """What it is held under."""
        return self.movie_id, self.stamp


class Films(Sequence[FilmRef]):
    """Films that a search goes through, in order of their ids; what is asked of them again and again is made once."""

    def __init__(self, refs: Iterable[FilmRef] = ()) -> None:
        self._refs = tuple(refs)

    @overload
    def __getitem__(self, at: int) -> FilmRef: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[FilmRef, ...]: ...
    def __getitem__(self, at: int | slice) -> FilmRef | tuple[FilmRef, ...]:
        return self._refs[at]

    def __len__(self) -> int:
        return len(self._refs)

    @cached_property
    def by_movie(self) -> Mapping[int, FilmRef]:
        """The same by the film's id."""
        return {ref.movie_id: ref for ref in self._refs}

    @cached_property
    def projects(self) -> frozenset[int]:
        """The projects that they are in."""
        return frozenset(ref.project_id for ref in self._refs)


@dataclass(frozen=True)
class Reach:
    """Whose films: those of a person's projects (None: of everybody's), of one project (None: of all of them)."""

    person: int | None = None
    project: int | None = None


EVERYTHING = Reach()


def reach_of(who: Principal, project: int | None) -> Reach:
    """What the asker may search. Membership is part of every statement that is made of it."""
    return Reach(None if who.superuser else who.person_id, project)


def searchable(session: Session, space: Space, reach: Reach, filters: Filters) -> Films:
    """The films within reach that pass and are ready and wholly indexed, in order of their ids."""
    return searchable_in(session, (space,), reach, filters)[space.name]


def searchable_in(session: Session, spaces: Sequence[Space], reach: Reach, filters: Filters) -> dict[str, Films]:
    """The same for several spaces, by name."""
    asked: dict[str, Any] = {
        "person": reach.person,
        "project": reach.project,
        "films": list(filters.films) or None,
        "title": filters.title.strip().lower() or None,
        "genres": [genre.strip().lower() for genre in filters.genres] or None,
        "year_min": filters.year_min,
        "year_max": filters.year_max,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    asked["spaces"] = [space.name for space in spaces]
    if "title" in asked:
        asked["title"] = "%" + asked["title"].replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"
    statement = _searchable(frozenset(asked), session.get_bind().dialect.name)
    found: dict[str, list[FilmRef]] = {space.name: [] for space in spaces}
    versions = {space.name: space.version for space in spaces}
    for row in session.connection().execute(statement, asked).all():
        space, version = row[:2]
        if version == versions[space]:
            found[space].append(FilmRef._make(row[2:]))
    return {space: Films(refs) for space, refs in found.items()}


@lru_cache
def _searchable(asked: frozenset[str], dialect: str) -> Any:
    """The statement for these filters: building one takes longer than running it."""
    films, indexed, members = _table(Movie), _table(IndexedFilm), _table(Membership)
    tests: dict[str, Any] = {
        "spaces": indexed.space.in_(bindparam("spaces", expanding=True)),
        "person": films.project_id.in_(rows_of(members.project_id).where(members.person_id == bindparam("person"))),
        "project": films.project_id == bindparam("project"),
        "films": films.id.in_(bindparam("films", expanding=True)),
        "title": func.lower(films.title).like(bindparam("title"), escape="/"),
        "genres": has_genre(films.genres, bindparam("genres", expanding=True), dialect),
        "year_min": films.year >= bindparam("year_min"),
        "year_max": films.year <= bindparam("year_max"),
    }
    columns = (
        *(indexed.space, indexed.version, films.id, films.project_id, films.title, films.year),
        *(indexed.sha256, indexed.inputs, indexed.rows, indexed.stamp),
    )
    whole = (films.state == "ready", indexed.scan_key == films.scan_key, indexed.rows > 0, indexed.movie_id == films.id)
    return rows_of(*columns).where(*whole, *(tests[name] for name in sorted(asked))).order_by(films.id)


def _table(model: Any) -> Any:
    return model.__table__.c
