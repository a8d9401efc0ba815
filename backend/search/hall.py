"""All films held in one space, one after the other, so that a search is a few operations on long arrays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from backend.search.copies import Floats
from backend.search.filters import Films, Filters
from backend.search.grouped import Shots
from backend.search.held import HeldFilm
from backend.search.scattered import address_of, compiled, products
from backend.search.sketch import SAMPLE, Rows, Sketches, directions, sketch
from backend.search.spaces import Space

F = TypeVar("F", bound=np.generic)
RENEW = 4
"""Directions are found anew when this many times as many rows are held as they were found on."""

MASKS = 16
"""So many masks are kept, a byte a row each."""

FIGURE_BYTES = 4


@dataclass(frozen=True)
class Hall:
    """Film k has the rows `starts[k]` to `starts[k + 1]`.

    addresses   where the first row of each film lies
    by_vectors  films by checksum and inputs: the same file may be in several projects
    along       directions of the sketches [D, d], found when there were `along_rows`
    sketches    of all rows; nothing in a space whose rows are not units
    """

    space: Space
    films: tuple[HeldFilm, ...]
    place: dict[tuple[int, str], int]
    by_vectors: dict[tuple[str, str], tuple[int, ...]]
    starts: Rows
    addresses: Rows
    along: Floats
    along_rows: int
    sketches: Sketches
    filled: NDArray[np.bool_]
    has_faces: NDArray[np.bool_]
    has_speech: NDArray[np.bool_]
    in_dialogue: NDArray[np.bool_]
    duration_s: NDArray[np.float64]
    _places: WeakKeyDictionary[Films, Rows] = field(default_factory=WeakKeyDictionary)
    _masks: dict[tuple[Films, Filters], NDArray[np.bool_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def places(self, refs: Films) -> Rows | None:
        """Which of the hall's films these are; None where it does not hold them all."""
        places = self._places.get(refs)
        if places is None and all(ref.name in self.place for ref in refs):
            places = self._places[refs] = np.array([self.place[ref.name] for ref in refs], np.int64)
        return places

    def mask(self, refs: Films, filters: Filters, within: Shots | None = None) -> NDArray[np.bool_]:
        """The rows that may be found, bool [N], not to be written to; `within`: only those of these shots.

        The hall holds these films. Who asks goes on asking with the same filters: their masks are kept for a while.
        """
        mask = self._masks.get((refs, filters))
        if mask is None:
            if len(self._masks) >= MASKS:
                self._masks.clear()
            mask = self._masks[refs, filters] = self._passing(refs, filters)
        return mask if within is None else mask & self._within(refs, within)

    def _passing(self, refs: Films, filters: Filters) -> NDArray[np.bool_]:
        places, wanted = self.places(refs), np.zeros(len(self.films), bool)
        if places is None:  # as an index it would mean: all
            raise ValueError("the hall holds other films")
        wanted[places] = True
        mask = self.filled if wanted.all() else self.filled & np.repeat(wanted, np.diff(self.starts))
        if filters.has_faces is not None:
            mask = mask & (self.has_faces == filters.has_faces)
        if filters.has_speech is not None:
            mask = mask & (self.has_speech == filters.has_speech)
        if filters.dialogue_scene is not None:
            mask = mask & (self.in_dialogue == filters.dialogue_scene)
        if filters.min_duration_s is not None:
            mask = mask & (self.duration_s >= filters.min_duration_s)
        if filters.max_duration_s is not None:
            mask = mask & (self.duration_s <= filters.max_duration_s)
        return mask

    def _within(self, refs: Films, shots: Shots) -> NDArray[np.bool_]:
        inside = np.zeros(len(self), bool)
        for place in (self.place[ref.name] for ref in refs if ref.movie_id in shots):
            film = self.films[place]
            inside[self.starts[place] : self.starts[place + 1]] = np.isin(film.shot_of, shots[film.ref.movie_id])
        return inside

    def film_of(self, rows: Rows) -> Rows:
        """Which film each row belongs to."""
        return np.asarray(np.searchsorted(self.starts, rows, side="right") - 1)

    def vectors(self, rows: Rows) -> Floats:
        """The vectors of some rows: float32 [len(rows), D]."""
        films = self.film_of(rows)
        picked = np.empty((len(rows), self.space.dimension), np.float32)
        for k, (film, row) in enumerate(zip(films.tolist(), (rows - self.starts[films]).tolist(), strict=True)):
            picked[k] = self.films[film].vectors[row]
        return picked

    def products(self, rows: Rows, query: Floats) -> Floats:
        """The exact products of rows with a query [D]: float32 [len(rows)]."""
        films = self.film_of(rows)
        return products(
            self.addresses[films] + (rows - self.starts[films]) * (self.space.dimension * FIGURE_BYTES), query
        )


def joined(space: Space, hall: Hall | None, kept: Sequence[int], fresh: Sequence[HeldFilm]) -> Hall:
    """One hall of some films of another and of new ones."""
    old = [hall.films[k] for k in kept] if hall else []
    films = (*old, *fresh)
    starts = np.concatenate([[0], np.cumsum([len(film.shot_of) for film in films])]).astype(np.int64)
    along, along_rows = (hall.along, hall.along_rows) if hall else (np.zeros((space.dimension, 0), np.float32), 0)
    renewed = space.unit and starts[-1] > RENEW * along_rows
    if renewed:
        along, along_rows = directions(_sample(films, int(starts[-1]))), int(starts[-1])
    compiled()  # here, where one waits for films already, and not by the first question
    sketches = [sketch(np.zeros((0, space.dimension), np.float32), along)]
    if hall and not renewed and space.unit:
        sketches += [hall.sketches.fine[hall.starts[k] : hall.starts[k + 1]] for k in kept]
    if space.unit:
        sketches += [sketch(film.vectors, along) for film in (films if renewed else fresh)]
    return Hall(
        space=space,
        films=films,
        place={film.name: k for k, film in enumerate(films)},
        by_vectors=_by_vectors(films),
        starts=starts,
        addresses=np.array([address_of(film.vectors) for film in films], np.int64),
        along=along,
        along_rows=along_rows,
        sketches=Sketches.of(np.concatenate(sketches)),
        filled=_over(films, lambda film: film.filled, np.bool_),
        has_faces=_over(films, lambda film: film.shots.has_faces[film.shot_of], np.bool_),
        has_speech=_over(films, lambda film: film.shots.has_speech[film.shot_of], np.bool_),
        in_dialogue=_over(films, lambda film: film.shots.in_dialogue[film.shot_of], np.bool_),
        duration_s=_over(films, lambda film: film.shots.duration_s[film.shot_of], np.float64),
    )


def _sample(films: Sequence[HeldFilm], rows: int) -> Floats:
    step = max(1, rows // SAMPLE)
    return np.concatenate([film.vectors[::step] for film in films])


def _over(films: Sequence[HeldFilm], fact: Callable[[HeldFilm], NDArray[F]], kind: type[F]) -> NDArray[F]:
    return np.concatenate([np.zeros(0, kind), *(fact(film) for film in films)])


def _by_vectors(films: Sequence[HeldFilm]) -> dict[tuple[str, str], tuple[int, ...]]:
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for k, film in enumerate(films):
        key = film.ref.sha256, film.ref.inputs
        found[key] = (*found.get(key, ()), k)
    return found
