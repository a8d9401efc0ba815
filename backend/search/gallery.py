"""What a process holds in memory of indexed films, for searching.

A film is loaded when a search first needs it and kept under the stamp of its index row: one that is indexed again has
another stamp, so that nothing held is ever out of date. 100,000 shots take about 80 MB; their vectors are mapped files.
"""

import threading
from collections import defaultdict
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from sqlmodel import Session, col, select
from threadpoolctl import threadpool_limits

from backend.search.filters import EVERYTHING, FilmRef, Films, Filters, searchable
from backend.search.hall import Hall, joined
from backend.search.held import HeldFilm, Shots, load_film
from backend.search.models import IndexedFilm
from backend.search.spaces import SPACES, Space

if TYPE_CHECKING:
    from backend.resources import Resources


class Gallery:
    """The halls of a process, one a space; may be asked by many threads.

    collections  the name of Chroma's collection by space, as it was last known
    """

    def __init__(self, resources: "Resources") -> None:
        # Many requests at a time share few processors: threads within a product make all of them wait for each other.
        threadpool_limits(1, user_api="blas")
        self._resources = resources
        self.collections: dict[str, str] = {}
        self._halls: dict[str, Hall] = {}
        self._shots: WeakValueDictionary[tuple[int, str], Shots] = WeakValueDictionary()
        self._loading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def hall(self, space: Space, refs: Films, *more: FilmRef) -> Hall:
        """A hall that holds at least these films."""
        hall = self._halls.get(space.name)
        if hall is None or not _holds(hall, refs, *more):
            with self._loading[space.name]:
                hall = self._halls.get(space.name)
                if hall is None or not _holds(hall, refs, *more):
                    hall = self._halls[space.name] = self._widened(space, hall, (*refs, *more))
        return hall

    def holds(self, space: Space, refs: Films, *more: FilmRef, most: int) -> bool:
        """Whether these films are in memory, in a hall of at most so many rows."""
        hall = self._halls.get(space.name)
        return hall is not None and len(hall) <= most and _holds(hall, refs, *more)

    def warm(self) -> None:
        """Load all films that are indexed now, so that nobody waits for it: of 10,000 films it takes minutes."""
        for space in SPACES.values():
            with Session(self._resources.reading) as session:
                refs = searchable(session, space, EVERYTHING, Filters())
            if refs:
                self.hall(space, refs)

    def _widened(self, space: Space, hall: Hall | None, refs: tuple[FilmRef, ...]) -> Hall:
        """The hall with more films, without those that are indexed no more."""
        with Session(self._resources.reading) as session:
            wanted = select(IndexedFilm.movie_id, IndexedFilm.stamp).where(col(IndexedFilm.space) == space.name)
            alive = set(session.exec(wanted).all())
            kept = [k for k, film in enumerate(hall.films if hall else ()) if film.name in alive]
            held = {hall.films[k].name for k in kept} if hall else set()
            # All there are, not these alone: the share of them that may be found decides how to search.
            wanted_now = {ref.name: ref for ref in (*searchable(session, space, EVERYTHING, Filters()), *refs)}
            missing = [ref for name, ref in wanted_now.items() if name not in held]
            fresh = [self._loaded(session, space, ref) for ref in missing]
        return joined(space, hall, kept, fresh)

    def _loaded(self, session: Session, space: Space, ref: FilmRef) -> HeldFilm:
        """A film; what it has of shots is held once for all spaces, as long as one of them holds it."""
        film = load_film(self._resources, session, space, ref, self._shots.get(ref.name))
        self._shots[ref.name] = film.shots
        # Made now, where one waits for films already, and not by the first question.
        _ = film.peaks if not space.unit else film.postings
        return film


def _holds(hall: Hall, refs: Films, *more: FilmRef) -> bool:
    return hall.places(refs) is not None and all(ref.name in hall.place for ref in more)
