"""Another cut of a candidate, set by a curator: a candidate of its own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

from backend.analysis.cache import FilmCache
from backend.database import insert_ignoring
from backend.errors import InputError
from backend.library.models import Candidate, Movie
from backend.resources import Resources
from labeling.decisions.shapes import DecisionNew

WINDOW = ("project_id", "movie_sha256", "start_frame", "end_frame")
"""What no two candidates have in common."""


@dataclass(frozen=True)
class Cut:
    """A window in frames, with the seconds that they stand for."""

    start_frame: int
    end_frame: int
    start_s: float
    end_s: float


def cuts_of(resources: Resources, wanted: Sequence[DecisionNew]) -> list[Cut | None]:
    """Of each decision the other cut, None where it has none. Raises InputError for one that is not in its film.

    Before the decisions are saved: a film's time table is read from its file, for which nobody shall wait.
    """
    if all(new.start_frame is None for new in wanted):
        return [None] * len(wanted)
    with Session(resources.reading) as session:
        return [None if new.start_frame is None else _cut(session, resources, new) for new in wanted]


def _cut(session: Session, resources: Resources, new: DecisionNew) -> Cut | None:
    candidate, start, end = session.get(Candidate, new.candidate), new.start_frame or 0, new.end_frame or 0
    if candidate is None or (start, end) == (candidate.start_frame, candidate.end_frame):
        return None  # who may not see it is told when it is saved
    movie = session.get(Movie, candidate.movie_id) if candidate.movie_id else None
    if movie is not None and movie.frames and end > movie.frames:
        raise InputError(f"The film has {movie.frames} frames; the clip cannot end at frame {end}.")
    return Cut(start, end, *_seconds(resources, movie, candidate, (start, end)))


@dataclass(frozen=True)
class Windows:
    """The candidates that cuts are: by film (its checksum) and cut their ids; which of them were `made` for it."""

    ids: Mapping[tuple[str, Cut], int]
    made: frozenset[int]


def trimmed(candidate: Any) -> dict[str, Any]:
    """What another cut of a candidate says of its film, for `windows_of`."""
    named = ("project_id", "movie_id", "movie_sha256", "movie_title", "scene")
    return {name: getattr(candidate, name) for name in named} | {"source": "trim"}


def windows_of(session: Session, wanted: Iterable[tuple[Mapping[str, Any], Cut]], by: str) -> Windows:
    """The candidates with exactly these windows; made with what is said of their films where there are none.

    They are made in one order, and before any candidate is locked: of two who make the same ones at once in another
    order, or while each has what the other wants, neither could go on. Does not commit.
    """
    ids, made = dict[tuple[str, Cut], int](), set[int]()
    for film, cut in sorted(wanted, key=lambda each: _place(*each)):
        values = Candidate(**film, **asdict(cut), created_by=by).model_dump(exclude={"id"})
        insert = insert_ignoring(session, Candidate, WINDOW).values(values)
        made.update(session.execute(insert.returning(col(Candidate.id))).scalars())
        same = (col(getattr(Candidate, name)) == values[name] for name in WINDOW)
        ids[film["movie_sha256"], cut] = session.exec(select(Candidate.id).where(*same)).one() or 0
    return Windows(ids, frozenset(made))


def _place(film: Mapping[str, Any], cut: Cut) -> tuple[str, int, int]:
    """Where a window stands in the order in which those are made that are not there yet, here and in imports."""
    return film["movie_sha256"], cut.start_frame, cut.end_frame


def _seconds(
    resources: Resources, movie: Movie | None, candidate: Candidate, frames: tuple[int, int]
) -> tuple[float, float]:
    """Where frames lie in time: by the film's time table, else by the candidate's own frames and seconds."""
    if movie is not None and (found := seconds_in(resources, movie, frames)) is not None:
        return found
    per_frame = (candidate.end_s - candidate.start_s) / (candidate.end_frame - candidate.start_frame)
    start_s, end_s = (candidate.start_s + (frame - candidate.start_frame) * per_frame for frame in frames)
    return max(0.0, start_s), max(0.0, end_s)


def seconds_in(resources: Resources, movie: Movie, frames: tuple[int, int]) -> tuple[float, float] | None:
    """Where frames of a film lie in time, by its time table; None where that is not stored."""
    if not movie.sha256 or not movie.scan_key:
        return None
    times = FilmCache(resources.home / "films" / movie.sha256).load_times(movie.scan_key)
    if times is None:
        return None
    start_s, end_s = times[0].seconds_of(np.array(frames)).tolist()
    return start_s, end_s
