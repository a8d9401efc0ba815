"""Vectors that no film needs any more go: those of a deleted film, and of an older analysis."""

from contextlib import suppress

import structlog
from sqlmodel import Session, col, select

from backend.library.models import Movie
from backend.resources import Resources
from backend.search.chroma import ChromaUnavailable, NoCollection
from backend.search.copies import FilmKey, copies, rows_of
from backend.search.models import IndexedFilm, VectorCollection
from backend.search.rows import line_texts, lines_inputs

log = structlog.get_logger("selects.search")


def remove_vectors(resources: Resources, sha256: str) -> None:
    """Remove what no film needs any more of this file's vectors: of a deleted film, or of an older analysis.

    Where Chroma does not answer, the copy stays as a mark, and the next call (or `doctor --repair`) does the rest.
    """
    needed = _needed(resources, sha256)
    for key, path in copies(resources.home, sha256):
        if key in needed:
            continue
        try:
            forget_ids(resources, key, rows_of(path))
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


def _needed(resources: Resources, sha256: str) -> set[FilmKey]:
    with Session(resources.reading) as session:
        found = select(IndexedFilm.space, IndexedFilm.inputs).where(col(IndexedFilm.sha256) == sha256)
        needed = {FilmKey(space, sha256, inputs) for space, inputs in session.exec(found).all()}
        for movie in session.exec(select(Movie).where(col(Movie.sha256) == sha256)).all():
            # Another project's film of the same file may be on its way into the index.
            needed |= {FilmKey(name, sha256, inputs) for name, inputs in movie.vectors.items()}
            needed.add(FilmKey("dialogue", sha256, lines_inputs(line_texts(session, movie.id or 0))))
    return needed
