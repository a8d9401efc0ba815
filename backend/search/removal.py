"""Vectors that no film needs any more go: those of a deleted film, and of an older analysis."""

from collections.abc import Mapping
from contextlib import suppress

import structlog
from sqlmodel import Session, col, select

from backend.library.models import Movie
from backend.resources import Resources
from backend.search.chroma import ChromaUnavailable, NoCollection
from backend.search.copies import FilmKey, copies, copy_path, rows_of
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.rows import line_texts, lines_inputs

log = structlog.get_logger("selects.search")


def indexed_rows(session: Session, movie_id: int | None) -> dict[FilmKey, int]:
    """What the index has of a film, and how many rows of each."""
    found = session.exec(select(IndexedFilm).where(col(IndexedFilm.movie_id) == movie_id)).all()
    return {FilmKey(row.space, row.sha256, row.inputs): row.rows for row in found}


def remove_vectors(resources: Resources, sha256: str, was: Mapping[FilmKey, int] | None = None) -> None:
    """Remove what no film needs any more of this file's vectors: of a deleted film, or of an older analysis.

    was  what the index had of it and how many rows: the copies may be on another machine
    Where Chroma does not answer, the copy stays as a mark, and the next call (or `doctor --repair`) does the rest.
    """
    with Session(resources.reading) as session:
        needed = needed_keys(session, sha256)
    here = dict(copies(resources.home, sha256))
    for key in {**(was or {}), **here}:
        if key in needed:
            continue
        path = here.get(key, copy_path(resources.home, key))
        try:
            forget_ids(resources, key, max(rows_of(path), (was or {}).get(key, 0)))
        except ChromaUnavailable as problem:
            log.warning("vectors stay for now", film=sha256, space=key.space, problem=problem.detail)
            continue
        path.unlink(missing_ok=True)


def forget_ids(resources: Resources, key: FilmKey, rows: int) -> None:
    """Remove rows from the collection in use, where there is one."""
    with Session(resources.reading) as session:
        known = session.get(VectorCollection, key.space)
    if known is not None and rows:
        with suppress(NoCollection):
            resources.chroma.delete(known.name, key.ids(rows))


def needed_keys(session: Session, sha256: str = "") -> set[FilmKey]:
    """The vectors that some film needs, of all files or of one: what is indexed, and what is on its way there."""
    indexed, films = select(IndexedFilm.space, IndexedFilm.sha256, IndexedFilm.inputs), select(Movie)
    if sha256:
        indexed, films = indexed.where(col(IndexedFilm.sha256) == sha256), films.where(col(Movie.sha256) == sha256)
    needed = {FilmKey(*each) for each in session.exec(indexed).all()}
    for movie in session.exec(films.where(col(Movie.sha256).is_not(None))).all():
        own = movie.sha256 or ""
        needed |= {FilmKey(name, own, inputs) for name, inputs in movie.vectors.items()}
        needed.add(FilmKey("dialogue", own, lines_inputs(line_texts(session, movie.id or 0))))
    return needed
