"""What the challenger of a duel thinks of candidates: its probabilities, computed once for each clip.

The live model's are those of the ranking; a rival's are not stored anywhere, since nothing is ranked by it.
"""

import threading
from collections import defaultdict
from pathlib import Path
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.analysis.vectors import shot_vectors
from backend.errors import InputError
from backend.features.store import FeatureStore
from backend.library.models import Movie
from backend.scoring.mlp import Model
from backend.scoring.models import Live, ModelVersion
from backend.scoring.pooling import window_vectors
from backend.scoring.service import model_named
from labeling.queue.models import Queue

SLOT, PRIOR = "compelling", "prior"
READING_LIMIT_S = 2.0
"""A draw reads features of new films for so long; the rival has no opinion of the rest until the next."""

Floats = NDArray[np.float64]
Windows = NDArray[np.int64]
Clip = tuple[int, int]


class Rivals:
    """Probabilities by rivals; safe for threads."""

    def __init__(self, home: Path) -> None:
        self._home, self._store = home, FeatureStore(home / "features")
        self._models: dict[str, Model | None] = {}
        self._known: defaultdict[tuple[str, str, str], dict[Clip, float]] = defaultdict(dict)
        self._lock = threading.Lock()

    def of(self, session: Session, queue: Queue, windows: dict[int, Windows]) -> dict[int, Floats] | None:
        """Film id → what the queue's rival gives each of its windows [C, 2] in frames, NaN where it is not known yet.

        None where no duel is on: there is no rival, it is live, or it cannot be used.
        """
        if queue.rival is None or queue.rival == live_version(session, queue.project_id):
            return None
        with self._lock:
            model = self._model(session, queue.project_id, queue.rival)
            if model is None:
                return None
            until, found = monotonic() + READING_LIMIT_S, dict[int, Floats]()
            for movie in session.exec(select(Movie).where(col(Movie.id).in_(windows))).all():
                clips = windows[movie.id or 0]
                known = self._known[model.version, movie.sha256 or "", movie.scan_key]
                if monotonic() < until:
                    self._learn(session, model, movie, clips, known)
                found[movie.id or 0] = np.array([known.get((start, end), np.nan) for start, end in clips.tolist()])
            return found

    def _model(self, session: Session, project_id: int, version: str) -> Model | None:
        if version not in self._models:
            try:
                model = model_named(session, self._home, project_id, version)
                self._models = {version: model}
                self._known.clear()
            except InputError:  # its files are gone or broken; what is live goes on alone
                return None
        return self._models[version]

    def _learn(self, session: Session, model: Model, movie: Movie, clips: Windows, known: dict[Clip, float]) -> None:
        """Add what the model says of the clips that are not known yet."""
        fresh = np.array(
            [(start, end) for start, end in clips.tolist() if (start, end) not in known], np.int64
        ).reshape(-1, 2)
        found = shot_vectors(session, self._store, movie, model.schema) if len(fresh) else None
        if found is None:
            return
        vectors, _, inside = window_vectors(*found, fresh)
        said = np.where(inside, model.probabilities(vectors), np.nan)
        known.update({(start, end): value for (start, end), value in zip(fresh.tolist(), said.tolist(), strict=True)})


def live_version(session: Session, project_id: int) -> str:
    """What scores the clips of a project that have no model for their genre: a version, or "prior"."""
    wanted = select(Live.version).where(col(Live.project_id) == project_id, col(Live.slot) == SLOT)
    return session.exec(wanted).first() or PRIOR


def may_be_rival(session: Session, project_id: int) -> list[str]:
    """The versions that can share the queue of a project, the newest first: those whose files are kept."""
    wanted = select(ModelVersion.version).where(
        col(ModelVersion.project_id) == project_id, col(ModelVersion.slot) == SLOT, col(ModelVersion.folder) != ""
    )
    return list(session.exec(wanted.order_by(col(ModelVersion.id).desc())).all())
