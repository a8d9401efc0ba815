"""What clips look like, small enough to compare a whole library: the mean of their shots' vectors, projected at random.

A projection on 128 random directions keeps distances to some tenths (Johnson, Lindenstrauss 1984), and a hundred clips
of a film take 50 kB. Features are read once a film and process.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.errors import SelectsError
from backend.features.registry import EXTRACTORS, profile_named
from backend.features.store import FeatureStore
from backend.library.models import Movie, Shot

DIMENSIONS = 128
FILMS_KEPT = 5000
READING_LIMIT_S = 1.0
"""A draw reads features of new films for so long; the rest has no embedding until the next."""

Floats = NDArray[np.float32]
Windows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Film:
    """Embeddings of the windows that were asked for; `codes` int64 [C], sorted, tell which those are."""

    stamp: tuple[str, ...]
    codes: NDArray[np.int64]
    means: Floats


class Embeddings:
    """Embeddings of clips by film, kept in memory; safe for threads."""

    def __init__(self, home: Path, profile: str) -> None:
        self._store = FeatureStore(home / "features")
        self._extractor = visual_extractor(profile)
        self._films: OrderedDict[int, _Film] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, session: Session, windows: dict[int, Windows], limit_s: float = READING_LIMIT_S) -> dict[int, Floats]:
        """Film id → embeddings [C, 128] of its windows [C, 2] in frames; films that are not known yet are left out."""
        columns = (col(Movie.id), col(Movie.sha256), col(Movie.scan_key), col(Movie.vectors))
        movies = session.exec(select(*columns).where(col(Movie.id).in_(windows))).all()
        until, found = monotonic() + limit_s, dict[int, Floats]()
        for movie_id, sha256, scan_key, vectors in movies:
            if movie_id is None or sha256 is None or self._extractor not in vectors:
                continue
            stamp, codes = (sha256, vectors[self._extractor], scan_key), _codes(windows[movie_id])
            film = self._known(movie_id, stamp, codes)
            if film is None and monotonic() < until:
                film = self._read(session, movie_id, stamp, windows[movie_id])
            if film is not None:
                found[movie_id] = film.means[np.searchsorted(film.codes, codes)]
        return found

    def _known(self, movie_id: int, stamp: tuple[str, ...], codes: NDArray[np.int64]) -> _Film | None:
        with self._lock:
            film = self._films.get(movie_id)
            if film is None or film.stamp != stamp:
                return None
            at = np.minimum(np.searchsorted(film.codes, codes), len(film.codes) - 1)
            if not np.array_equal(film.codes[at], codes):
                return None
            self._films.move_to_end(movie_id)
            return film

    def _read(self, session: Session, movie_id: int, stamp: tuple[str, ...], wanted: Windows) -> _Film | None:
        found = sketched_shots(session, self._store, self._extractor, movie_id, stamp)
        if found is None:
            return None
        shots, rows = found
        order = np.argsort(_codes(wanted))
        windows = wanted[order]
        film = _Film(stamp, _codes(windows), window_means(rows, shots, windows))
        with self._lock:
            self._films[movie_id] = film
            while len(self._films) > FILMS_KEPT:
                self._films.popitem(last=False)
        return film


def visual_extractor(profile: str) -> str:
    """Which extractor says what shots look like in this profile."""
    return next(block.extractor for block in profile_named(profile).schema.blocks if block.name == "visual")


def sketched_shots(
    session: Session, store: FeatureStore, extractor: str, movie_id: int, stamp: tuple[str, ...]
) -> tuple[Windows, Floats] | None:
    """Shots of a film [S, 2] in frames and their sketches [S, 128]; None without features for exactly these.

    `stamp`: the film's checksum and the inputs of its feature file.
    """
    columns = select(Shot.start_frame, Shot.end_frame).where(col(Shot.movie_id) == movie_id)
    shots = np.array(session.exec(columns.order_by(col(Shot.number))).all(), np.int64).reshape(-1, 2)
    try:
        stored = store.get(stamp[0], EXTRACTORS[extractor], inputs=stamp[1])
    except SelectsError:
        return None
    if stored is None or len(stored.vectors) != len(shots):
        return None
    return shots, sketch(stored.vectors)


def _codes(windows: Windows) -> NDArray[np.int64]:
    """One number for each window [C, 2]."""
    return (windows[:, 0] << 32) + windows[:, 1]


def sketch(vectors: NDArray[np.floating]) -> Floats:
    """[rows, D] → [rows, 128], the same for the same vectors, always."""
    return np.asarray(vectors, np.float32) @ _directions(vectors.shape[1])


def window_means(rows: Floats, shots: Windows, windows: Windows) -> Floats:
    """Mean row [C, D] of the shots [S, 2] that each window [C, 2] has a part in; NaN for one outside of all."""
    first = np.searchsorted(shots[:, 1], windows[:, 0], side="right")
    end = np.searchsorted(shots[:, 0], windows[:, 1], side="left")
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0, dtype=np.float64)])
    count = np.maximum(end - first, 0)[:, None]
    total = sums[np.maximum(end, first)] - sums[first]
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan), np.float32)


@lru_cache(maxsize=4)
def _directions(dimension: int) -> Floats:
    drawn = np.random.default_rng(dimension).standard_normal((dimension, DIMENSIONS), dtype=np.float32)
    return drawn / np.float32(np.sqrt(DIMENSIONS))


def by_film(movies: Sequence[int | None]) -> dict[int, NDArray[np.int64]]:
    """Film id → rows of its windows."""
    ids = np.array([movie or 0 for movie in movies], np.int64)
    order = np.argsort(ids, kind="stable")
    names, begins = np.unique(ids[order], return_index=True)
    parts = np.split(order, begins[1:])
    return {int(name): part for name, part in zip(names, parts, strict=True) if name}
