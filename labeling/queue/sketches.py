"""Shots of whole films as short vectors, for clips that are compared one by one; as many films as fit are kept."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.features.store import FeatureStore
from backend.library.models import Movie
from labeling.queue.embeddings import Floats, sketched_shots, visual_extractor, window_means

MOST_BYTES = 64 << 20
"""Some 170 films of 1,500 shots."""


@dataclass(frozen=True, eq=False)
class _Film:
    """Shots [S, 2] in frames and their sketches float16 [S, 128]; `stamp` tells what they were made from."""

    stamp: tuple[str, str, str]
    shots: NDArray[np.int64]
    rows: NDArray[np.float16]


class Sketches:
    """Sketches of films, in memory; safe for threads."""

    def __init__(self, home: Path, profile: str) -> None:
        self._store = FeatureStore(home / "features")
        self._extractor = visual_extractor(profile)
        self._films: OrderedDict[int, _Film] = OrderedDict()
        self._lock = threading.Lock()

    def clip(self, session: Session, movie_id: int, window: tuple[int, int]) -> Floats | None:
        """The mean of a clip's shots, float32 [128] of length 1; None where the film has no features."""
        film = self._film(session, movie_id)
        if film is None:
            return None
        first = int(np.searchsorted(film.shots[:, 1], window[0], side="right"))
        end = int(np.searchsorted(film.shots[:, 0], window[1], side="left"))
        part, rows = film.shots[first:end], film.rows[first:end].astype(np.float32)
        mean = window_means(rows, part, np.array([window], np.int64))[0]
        length = float(np.linalg.norm(mean))
        return mean / np.float32(length) if np.isfinite(length) and length else None

    def _film(self, session: Session, movie_id: int) -> _Film | None:
        columns = select(Movie.sha256, Movie.vectors, Movie.scan_key).where(col(Movie.id) == movie_id)
        row = session.exec(columns).one_or_none()
        if row is None or row[0] is None or self._extractor not in row[1]:
            return None
        stamp = (row[0], row[1][self._extractor], row[2])
        with self._lock:
            film = self._films.get(movie_id)
            if film is not None and film.stamp == stamp:
                self._films.move_to_end(movie_id)
                return film
        found = sketched_shots(session, self._store, self._extractor, movie_id, stamp)
        if found is None:
            return None
        film = _Film(stamp, found[0], found[1].astype(np.float16))
        self._keep(movie_id, film)
        return film

    def _keep(self, movie_id: int, film: _Film) -> None:
        with self._lock:
            self._films[movie_id] = film
            while len(self._films) > 1 and sum(kept.rows.nbytes for kept in self._films.values()) > MOST_BYTES:
                self._films.popitem(last=False)
