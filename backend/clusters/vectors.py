"""Vectors of items: of shots from the mapped copies of what they look like, of people from the files of the faces."""

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import structlog
from sqlalchemy import func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.appearances import FACE_SPACES, Film, appearances
from backend.clusters.grouping import Floats, Ints
from backend.clusters.head import Head
from backend.clusters.items import films_of
from backend.clusters.metric import head_of
from backend.clusters.models import ClusterItem
from backend.clusters.reduce import fit_basis
from backend.clusters.tracks import seen_together
from backend.errors import SelectsError
from backend.search.copies import FilmKey
from backend.search.rows import rows_for_search
from backend.search.spaces import LOOKS, SPACES

if TYPE_CHECKING:
    from backend.resources import Resources

SPACES_OF: Mapping[str, Sequence[str]] = {"scene": LOOKS, "character": tuple(FACE_SPACES)}
"""Extractors whose vectors tell the items of a kind apart, the best first."""

STRANGERS = 0.8
"""As far apart two people are in the middle, in dlib's embedding: the likeness 0."""

HELD = 8
"""So many projects' items are held in memory, reduced."""

log = structlog.get_logger("selects.clusters")


class Where(NamedTuple):
    """An item, and where its vector lies."""

    id: int
    movie_id: int
    shot: int
    track: int


@dataclass(frozen=True)
class Vectors:
    """Items of a project and kind, and what they look like.

    kind     "scene" or "character"
    where    items in order of their ids
    rows     float32 [N, D], zero where nothing is known; shots' of length 1, people's as the extractor made them
    films    those that they are in
    space    the extractor that they come from, "" where no film has any
    version  of the metric head that they went through, None for none
    scale    distances of people are so many times those of dlib's plain embedding
    nothing  the squared distance of items that have nothing to do with each other
    together int64 [P, 2]: people that one picture shows, where somebody has looked (`Likenesses`)
    """

    kind: str
    where: tuple[Where, ...]
    rows: Floats
    films: tuple[Film, ...]
    space: str
    version: str | None = None
    scale: float = 1.0
    nothing: float = 2.0
    together: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @cached_property
    def ids(self) -> Ints:
        """Int64 [N], ascending."""
        return np.array([each.id for each in self.where], np.int64)

    def places(self, ids: Ints) -> Ints:
        """Where items are in this, int64 [K]; all must be."""
        return np.searchsorted(self.ids, ids)


def space_of(kind: str, films: Sequence[Film]) -> str:
    """The best space that all films have, else the one that most have; "" where none has any."""
    counts = {name: sum(name in film.vectors for film in films) for name in SPACES_OF[kind]}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else ""


def vectors_of(
    session: Session, resources: "Resources", project_id: int, kind: str, ids: Sequence[int] | None = None
) -> Vectors:
    """The vectors of all items of a kind, or of those with these ids, as they are compared now. Raises OutputError."""
    plain = plain_vectors(session, resources, project_id, kind, ids)
    head = head_of(resources, project_id, kind)
    return through(head, plain) if head is not None and head.space == plain.space else plain


def plain_vectors(
    session: Session, resources: "Resources", project_id: int, kind: str, ids: Sequence[int] | None = None
) -> Vectors:
    """The same as the extractors made them, through no head. Raises OutputError."""
    films = tuple(films_of(session, project_id))
    item = ClusterItem
    asked = rows_of(col(item.id), col(item.movie_id), col(item.shot), col(item.track)).where(
        col(item.project_id) == project_id, col(item.kind) == kind
    )
    if ids is not None:
        asked = asked.where(col(item.id).in_(ids))
    where = tuple(Where._make(row) for row in session.execute(asked.order_by(col(item.id))).all())
    space = space_of(kind, films)
    if kind == "scene":
        floor = SPACES[space].floor if space else 0.0
        return Vectors(kind, where, _looks(resources, films, space, where), films, space, nothing=2 * (1 - floor))
    scale = FACE_SPACES[space].scale if space else 1.0
    rows = _people(resources, films, space, where)
    return Vectors(kind, where, rows, films, space, scale=scale, nothing=(STRANGERS * scale) ** 2)


def through(head: Head, plain: Vectors) -> Vectors:
    """The same as corrections have taught to see them."""
    scale = math.sqrt(head.nothing) / STRANGERS if plain.kind == "character" else 1.0
    rows = head.apply(plain.rows)
    return replace(plain, rows=rows, version=head.version, scale=scale, nothing=head.nothing)


def reduced(vectors: Vectors) -> Vectors:
    """The same as it is grouped: shots in the few directions in which they differ most."""
    if vectors.kind == "character" or vectors.version is not None:
        return vectors
    return replace(vectors, rows=fit_basis(vectors.rows).apply(vectors.rows))


def together(resources: "Resources", vectors: Vectors) -> Ints:
    """Pairs of people that one keyframe shows, int64 [P, 2], places in `vectors`."""
    found = {film.id: appearances(resources.home, film) for film in vectors.films}
    numbers: dict[tuple[int, int], int] = {}
    shots, frames = [], []
    for each in vectors.where:
        shots.append(numbers.setdefault((each.movie_id, each.shot), len(numbers)))
        of_film = found.get(each.movie_id)
        t = of_film.place.get((each.shot, each.track)) if of_film else None
        frames.append(of_film.frames_of(t) if of_film and t is not None else [])
    return seen_together(shots, frames)


class Likenesses:
    """Reduced vectors of projects, held by a process for suggestions; may be asked by many threads."""

    def __init__(self, resources: "Resources") -> None:
        self._resources = resources
        self._held: OrderedDict[tuple[int, str], tuple[Any, Vectors]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: Session, project_id: int, kind: str) -> Vectors:
        """The vectors of all items, reduced; made anew where items or what they look like have changed."""
        head = head_of(self._resources, project_id, kind)
        key, stamp = (project_id, kind), (head.version if head else None, _stamp(session, project_id, kind))
        with self._lock:
            held = self._held.get(key)
        if held is not None and held[0] == stamp:
            return held[1]
        made = reduced(vectors_of(session, self._resources, project_id, kind))
        if kind == "character":
            made = replace(made, together=together(self._resources, made))
        with self._lock:
            self._held[key] = stamp, made
            self._held.move_to_end(key)
            while len(self._held) > HELD:
                self._held.popitem(last=False)
        return made


def _stamp(session: Session, project_id: int, kind: str) -> Any:
    """What is another whenever vectors are."""
    films = films_of(session, project_id)
    item = ClusterItem
    counted = rows_of(func.count(), func.max(item.id), func.sum(item.id)).where(
        col(item.project_id) == project_id, col(item.kind) == kind
    )
    return [(film.id, film.sha256, dict(film.vectors)) for film in films], tuple(session.execute(counted).one())


def _looks(resources: "Resources", films: Sequence[Film], space: str, where: Sequence[Where]) -> Floats:
    """Float32 [N, D] of shots, of length 1."""
    rows = np.zeros((len(where), SPACES[space].dimension if space else 1), np.float32)
    for film, places in _by_film(films, space, where):
        try:
            copy = rows_for_search(resources, FilmKey(space, film.sha256, film.vectors[space]), film.shots)
        except SelectsError as problem:
            log.warning("the shots of a film lie in no place", movie=film.id, problem=problem.detail)
            continue
        shots = np.array([where[place].shot for place in places], np.int64)
        inside = (shots >= 0) & (shots < len(copy))
        rows[np.array(places)[inside]] = copy[shots[inside]]
    return rows


def _people(resources: "Resources", films: Sequence[Film], space: str, where: Sequence[Where]) -> Floats:
    """Float32 [N, D] of people in shots."""
    rows = np.zeros((len(where), FACE_SPACES[space].dimension if space else 1), np.float32)
    for film, places in _by_film(films, space, where):
        found = appearances(resources.home, film)
        if found is None:
            log.warning("the faces of a film are gone", movie=film.id)
            continue
        for place in places:
            t = found.place.get((where[place].shot, where[place].track))
            if t is not None and found.vectors.shape[1] == rows.shape[1]:
                rows[place] = found.vectors[t]
    return rows


def _by_film(films: Sequence[Film], space: str, where: Sequence[Where]) -> list[tuple[Film, list[int]]]:
    """Films that are in the space, each with the places of its items."""
    places: dict[int, list[int]] = {}
    for place, each in enumerate(where):
        places.setdefault(each.movie_id, []).append(place)
    return [(film, places[film.id]) for film in films if space in film.vectors and film.id in places]
