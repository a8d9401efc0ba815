"""The weak labels of a project: what its references show of its films, for the trainer's snapshot and for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from backend.errors import Conflict
from backend.library.models import Movie
from backend.resources import Resources
from labeling.references.labels import Shown, WeakLabel, weak_labels
from labeling.references.models import Reference, ReferenceInterval


@dataclass(frozen=True)
class FilmLabels:
    """The weak labels of one film."""

    movie_id: int
    movie_sha256: str
    labels: tuple[WeakLabel, ...]


def labels_of_project(session: Session, resources: Resources, project_id: int) -> Iterator[FilmLabels]:
    """The weak labels of all its films that have some, by id; what several references show counts together.

    For snapshots. A film of which stored parts are missing has none.
    """
    with_references = select(Reference.movie_id).where(col(Reference.project_id) == project_id)
    for movie in session.exec(select(Movie).where(col(Movie.id).in_(with_references)).order_by(col(Movie.id))):
        try:
            found = labels_of_movie(session, resources, movie)
        except Conflict:
            continue
        if found:
            yield FilmLabels(movie.id or 0, movie.sha256 or "", found)


def labels_of_movie(
    session: Session, resources: Resources, movie: Movie, reference_id: int | None = None
) -> tuple[WeakLabel, ...]:
    """The weak labels of a film: of all its references, or positives of one and negatives far from all.

    A withdrawn interval is no positive, and nothing near it is a negative. Raises Conflict where the film is not
    analysed, or stored parts of it are missing.
    """
    rows = _intervals(session, movie)
    shown = [row for row in rows if not row.withdrawn and reference_id in (None, row.reference_id)]
    if not shown:
        return ()
    return weak_labels(resources.shelf.get(movie).film, _seconds(shown), _seconds(rows))


def _intervals(session: Session, movie: Movie) -> Sequence[ReferenceInterval]:
    """Of all references that were aligned with the film's present file."""
    current = (
        col(Reference.movie_id) == movie.id,
        col(Reference.movie_sha256) == movie.sha256,
        col(Reference.aligned_at).is_not(None),
    )
    joined = select(ReferenceInterval).join(Reference, col(Reference.id) == col(ReferenceInterval.reference_id))
    ordered = joined.where(*current).order_by(col(ReferenceInterval.reference_id), col(ReferenceInterval.number))
    return session.exec(ordered).all()


def _seconds(rows: Sequence[ReferenceInterval]) -> list[Shown]:
    return [Shown(row.start_s, row.end_s, row.confidence) for row in rows]
