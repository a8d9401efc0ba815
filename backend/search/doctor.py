"""Do rows, feature files and vectors say the same? Everything is compared, nothing is taken from a count alone."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.clusters.doctor import astray
from backend.errors import SelectsError
from backend.library.models import Movie, Shot
from backend.resources import Resources
from backend.search.chroma_check import PASSING_S, Fault, extra_collections, faults_of
from backend.search.copies import copies, copy_path, read_copy
from backend.search.models import IndexedFilm
from backend.search.removal import needed_keys
from backend.search.rows import FilmRows, film_rows, line_texts, lines_inputs, spaces_of
from backend.search.spaces import SPACES, Space
from backend.search.store_check import astray as unstored
from backend.store.media import has_store, there

Way = Literal["index", "remove", "rebuild", "drop", "group", "analyse", "start", "find", "list", "store"]
Progress = Callable[[str, float, float], None]
Examiner = Callable[[Resources], "list[Problem]"]
"""Looks at what lies above this room."""


@dataclass(frozen=True)
class Problem:
    """Something that is off.

    way     what puts it right: index the film again, remove strays, rebuild or drop a collection, group the shots and
            people of a project anew, bring the media store into step; or, by a person, analyse the film again, start
            the vector server, find the file that is not where it was, or see to a clip list
    target  the collection, the checksum or the project that it is about
    """

    way: Way
    detail: str
    space: str = ""
    movie_id: int | None = None
    target: str = ""


@dataclass(frozen=True)
class Report:
    """What was compared, and all that is off."""

    films: int
    rows: int
    vectors: int
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        counted = {"films": self.films, "rows": self.rows, "vectors": self.vectors}
        return {"ok": not self.problems, **counted, "problems": [vars(problem) for problem in self.problems]}


@dataclass
class _Examined:
    rows: int = 0
    vectors: int = 0
    problems: list[Problem] = field(default_factory=list)


def examine(
    resources: Resources,
    progress: Progress = lambda stage, done, total: None,
    besides: Sequence[Examiner] = (),
) -> Report:
    """Compare every row, feature file, copy and vector of all films that are ready, and what `besides` looks at."""
    found = _Examined()
    with Session(resources.reading) as session:
        movies = session.exec(select(Movie).where(col(Movie.state) == "ready").order_by(col(Movie.id))).all()
    for done, movie in enumerate(movies):
        progress("films", done, len(movies))
        before = len(found.problems)
        _film(resources, movie, found)
        if len(found.problems) > before and not _is_as_it_was(resources, movie):
            del found.problems[before:]
    progress("films", len(movies), len(movies))
    for own in (_strays, _ungrouped, _unstored):
        found.problems += _lasting(own, resources)
    for look in besides:
        found.problems += look(resources)
    _collections(resources, found, progress)
    return Report(len(movies), found.rows, found.vectors, tuple(found.problems))


def _film(resources: Resources, movie: Movie, found: _Examined) -> None:
    with Session(resources.reading) as session:
        texts = line_texts(session, movie.id or 0)
        shots = session.exec(select(func.count()).select_from(Shot).where(col(Shot.movie_id) == movie.id)).one()
        rows = session.exec(select(IndexedFilm).where(col(IndexedFilm.movie_id) == movie.id)).all()
        said = resources.shelf.what_is_off(session, movie)
    entered, spaces, off = {row.space: row for row in rows}, spaces_of(movie), list[Problem]()
    about = f"{movie.title!r} (film {movie.id})"
    if not there(Path(movie.path)):
        lost = f"{about}: its file is not where it was, {movie.path}; put it back, or add it from where it is now."
        found.problems.append(Problem("find", lost, movie_id=movie.id))
    if said:  # it cannot be indexed before it is analysed again, and is then
        found.problems.append(Problem("analyse", f"{about}: {said}", movie_id=movie.id))
        return
    for space in spaces:
        counted, row = len(texts) if space.rows == "lines" else shots, entered.get(space.name)
        if space.rows == "lines" and _changed(movie, row, texts):
            said = f"{about}: its lines are not those that were found in it; analyse it again."
            off.append(Problem("analyse", said, space.name, movie.id))
            continue
        try:
            film = film_rows(resources, movie, space, texts)
        except SelectsError as lost:
            off.append(Problem("analyse", f"{about}: {lost.detail}", space.name, movie.id))
            continue
        found.rows += counted
        if len(film.vectors) != counted:
            said = f"{about}: {len(film.vectors)} vectors of {space.name} for {counted} {space.rows}; analyse it again."
            off.append(Problem("analyse", said, space.name, movie.id))
        elif said := _off(resources, movie, film, row):
            off.append(Problem("index", f"{about}: {said}", space.name, movie.id))
    for name in sorted(entered.keys() - {space.name for space in spaces}):
        off.append(Problem("index", f"{about}: the index has a space {name} of it.", name, movie.id))
    # A film that must be analysed again cannot be indexed before, and is indexed then.
    found.problems += [each for each in off if each.way == "analyse"] or off


def _changed(movie: Movie, row: IndexedFilm | None, texts: Sequence[str]) -> bool:
    """Whether the lines are others than those that this very analysis put into the index."""
    return row is not None and row.scan_key == movie.scan_key and row.inputs != lines_inputs(texts)


def _off(resources: Resources, movie: Movie, film: FilmRows, row: IndexedFilm | None) -> str:
    """What is wrong with a film in a space, "" if nothing."""
    space, count = film.space, len(film.vectors)
    if row is None:
        return f"it is not in the index of {space.name}."
    wanted = (movie.scan_key, film.key.inputs, space.version, count, film.key.sha256)
    if wanted != (row.scan_key, row.inputs, row.version, row.rows, row.sha256):
        return f"the index of {space.name} is that of an older analysis."
    copy = read_copy(resources.home, film.key, count) if count else film.vectors
    if copy is None:
        if has_store(resources.home) and not copy_path(resources.home, film.key).exists():
            return ""  # each machine has those that it searched in
        return f"its copy for {space.name} is missing or damaged."
    return "" if (copy == film.vectors).all() else f"its copy for {space.name} is not what the feature file says."


def _is_as_it_was(resources: Resources, movie: Movie) -> bool:
    """Whether a film was neither deleted nor analysed anew since its row was read; its id may be another's by now."""
    with Session(resources.reading) as session:
        now = session.get(Movie, movie.id)
    marks = ("created_at", "state", "path", "sha256", "scan_key", "vectors")
    return now is not None and all(getattr(now, mark) == getattr(movie, mark) for mark in marks)


def _lasting(look: Examiner, resources: Resources) -> list[Problem]:
    """What is off and stays so: a film that comes or goes is for a moment in one place and not in the other."""
    found = look(resources)
    if not found:
        return []
    time.sleep(PASSING_S)
    still = look(resources)
    return [each for each in found if each in still]


def _strays(resources: Resources) -> list[Problem]:
    """Copies that no film needs."""
    here = list(copies(resources.home))
    with Session(resources.reading) as session:  # after them: what has a copy has rows before
        needed = needed_keys(session)
    return [
        Problem("remove", f"Vectors of {key.space} that no film needs: {path.name}.", key.space, target=key.sha256)
        for key, path in here
        if key not in needed
    ]


def _ungrouped(resources: Resources) -> list[Problem]:
    with Session(resources.reading) as session:
        return [Problem("group", each.said, target=str(each.project_id)) for each in astray(session)]


def _unstored(resources: Resources) -> list[Problem]:
    return [Problem("store", each.words, movie_id=each.movie_id, target=each.target) for each in unstored(resources)]


def _collections(resources: Resources, found: _Examined, progress: Progress) -> None:
    chroma = resources.chroma
    if not chroma.healthy():
        said = f"The vector server at {chroma.address} does not answer; its vectors were not compared."
        found.problems.append(Problem("start", said))
        return
    for space in SPACES.values():
        if space.chroma:
            faults, compared = faults_of(resources, space, lambda done, of: progress(space.name, done, of))  # noqa: B023
            found.vectors += compared
            found.problems += [_fault(space, fault) for fault in faults]
    for name in extra_collections(resources):
        found.problems.append(Problem("drop", f"The collection {name} is in use by nothing.", target=name))


def _fault(space: Space, fault: Fault) -> Problem:
    return Problem("rebuild", f"Collection of {space.name}: {fault.words}", space.name, target=fault.collection)
