"""What the priors say of labelled windows, kept for each film: most of them are the same in the next snapshot.

To compute them a film's scan and sound are loaded and its scenes grouped again: 0.2 s of a core for ninety minutes.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import UNREADABLE
from backend.analysis.stages import candidates_wanted
from backend.errors import Conflict
from backend.files import write_atomically
from backend.library.models import Movie
from backend.resources import Resources
from backend.scoring.labelled import prior_scores
from backend.scoring.rank import RankRequest
from backend.scoring.registry import SCORERS
from backend.store.media import present, renew

VERSION = 1
"""Raised when a measure, or what a window may be, changes: what is kept is then computed again."""

Floats = NDArray[np.float64]


def priors_of(resources: Resources, movie: Movie, windows: NDArray[np.int64]) -> dict[str, Floats]:
    """What the priors say of windows [W, 2] of a film: score → float64 [W].

    NaN where what they look at is neither stored any more nor was it asked before.
    """
    wanted = candidates_wanted(resources.settings)
    key = _key(movie, wanted, windows)
    place = resources.home / "films" / (movie.sha256 or "") / f"priors-{movie.project_id}.npz"
    kept = _kept(place, key)
    if kept is not None:
        return kept
    try:
        film = resources.shelf.get(movie).film
    except Conflict:
        return {name: np.full(len(windows), np.nan) for name in SCORERS}
    found = prior_scores(film, windows, wanted.min_s, wanted.max_s)
    content, arrays = io.BytesIO(), dict[str, Any](found) | {"key": np.array(key)}
    np.savez(content, **arrays)
    write_atomically(place, content.getvalue())
    renew(place)
    return found


def _key(movie: Movie, wanted: RankRequest, windows: NDArray[np.int64]) -> str:
    """All that the scores are made of."""
    weights = {name: dict(prior.weights) for name, prior in SCORERS.items()}
    analysed = [movie.scan_key, movie.profile, movie.audio_track, movie.vectors]
    made_of = json.dumps([VERSION, analysed, wanted.min_s, wanted.max_s, weights], sort_keys=True)
    return hashlib.sha256(made_of.encode() + np.ascontiguousarray(windows).tobytes()).hexdigest()


def _kept(place: Path, key: str) -> dict[str, Floats] | None:
    try:
        with present(place, newest=True).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in SCORERS} if str(arrays["key"]) == key else None
    except UNREADABLE:
        return None
