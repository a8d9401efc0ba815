"""A film's vectors into the index and out of it. The feature files are the truth; all here can be made again.

In this order, so that a kill at any moment leaves either the old state or one that the next try completes:
copy (whole or not at all), Chroma (the same ids again), then one transaction that says "indexed" for all spaces.
"""

import secrets
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import delete
from sqlmodel import Session, col, select

from backend.errors import NotFound
from backend.library.models import Movie
from backend.resources import Resources
from backend.search import collections
from backend.search.chroma import ChromaRefused, ChromaUnavailable, NoCollection
from backend.search.copies import read_copy, write_copy
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.removal import indexed_rows, remove_vectors
from backend.search.rows import FilmRows, film_rows, line_texts, rows_for_search, spaces_of

Progress = Callable[[str, float, float], None]
Fence = Callable[[Session], None]
TRIES = 4
log = structlog.get_logger("selects.search")


def index_movie(
    resources: Resources,
    movie_id: int,
    progress: Progress = lambda stage, done, total: None,
    fence: Fence = lambda session: None,
) -> None:
    """Put all vectors of an analysed film where they are searched; may be done again and again.

    fence  called in the transaction that says "indexed"; raises where this worker may not say so
    Raises NotFound where the film is gone, FeaturesLost, ChromaUnavailable, OutputError.
    """
    with Session(resources.reading) as session:
        movie = _movie(session, movie_id)
        texts, was = line_texts(session, movie_id), indexed_rows(session, movie_id)
    sha256 = movie.sha256 or ""
    made = [film_rows(resources, movie, space, texts) for space in spaces_of(movie)]
    for done, film in enumerate(made):
        progress("index", done, len(made))
        if len(film.vectors) and not _is_copied(resources, film):
            write_copy(resources.home, film.key, film.vectors)
    for _ in range(TRIES):
        used = {film.key.space: _put(resources, film) for film in made if film.space.chroma}
        if _say_indexed(resources, movie_id, movie.scan_key, made, used, fence):
            break
    else:
        raise ChromaUnavailable("The collections of vectors are changed all the time; try again later.")
    progress("index", len(made), len(made))
    remove_vectors(resources, sha256, was)


def _movie(session: Session, movie_id: int) -> Movie:
    movie = session.get(Movie, movie_id)
    if movie is None or not movie.sha256:
        raise NotFound("The film was deleted while it was being analysed.")
    return movie


def _is_copied(resources: Resources, film: FilmRows) -> bool:
    found = read_copy(resources.home, film.key, len(film.vectors))
    return found is not None and bool((found == film.vectors).all())


def _put(resources: Resources, film: FilmRows) -> str:
    """Write a film into its collection and make sure that it is found there; the collection's name.

    Where the collection is damaged, another is made in its place.
    """
    name = collections.collection_of(resources.engine, resources.chroma, film.space)
    try:
        unfound = _written(resources, name, film)
    except (ChromaRefused, NoCollection) as problem:  # seen in 1.5.9: "Failed to apply logs to the hnsw segment writer"
        unfound = [problem.detail]
    if unfound:
        log.warning("the index is damaged and made anew", space=film.key.space, collection=name, first=unfound[0])
        read = lambda key, rows: rows_for_search(resources, key, rows)  # noqa: E731  a callback
        name = collections.rebuild(resources.engine, resources.chroma, film.space, read)
        _written(resources, name, film)
    return name


def _written(resources: Resources, name: str, film: FilmRows) -> list[str]:
    """Write a film; the ids that are not found afterwards."""
    collections.put(resources.chroma, name, film.key, film.vectors)
    return collections.make_findable(resources.chroma, name, film.key, film.vectors)


def _say_indexed(
    resources: Resources,
    movie_id: int,
    scan_key: str,
    made: Sequence[FilmRows],
    used: dict[str, str],
    fence: Fence,
) -> bool:
    """Write the rows; False where a collection was changed for another meanwhile."""
    with Session(resources.engine) as session:
        fence(session)
        movie = session.get(Movie, movie_id, with_for_update=True)
        if movie is None or movie.scan_key != scan_key:
            raise NotFound("The film was deleted or analysed anew meanwhile.")
        held = select(VectorCollection).order_by(col(VectorCollection.space)).with_for_update()
        now = {row.space: row.name for row in session.exec(held).all()}
        if any(now.get(space) != name for space, name in used.items()):
            return False
        session.execute(delete(IndexedFilm).where(col(IndexedFilm.movie_id) == movie_id))
        stamp = secrets.token_hex(8)
        for film in made:
            session.add(
                IndexedFilm(
                    movie_id=movie_id,
                    space=film.key.space,
                    version=film.space.version,
                    sha256=film.key.sha256,
                    inputs=film.key.inputs,
                    scan_key=scan_key,
                    rows=len(film.vectors),
                    stamp=stamp,
                )
            )
        session.commit()
    return True
