"""Which rows of a snapshot a slot learns from: all, those of a genre, or clips with engagement."""

import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backend.clusters.head import PLACE
from backend.errors import InputError
from trainer.snapshot import UNLABELLED, Floats, Snapshot

VIRAL, COMPELLING = "viral", "compelling"
SLOT = re.compile(r"viral|compelling(/[^/]{1,80})?|metric/(scene|character)")
"""What a model may become."""


def kind_of(slot: str) -> str:
    """Whose likeness a metric slot is about, "scene" or "character"; "" for a slot that scores."""
    place, _, kind = slot.partition("/")
    return kind if place == PLACE else ""


def slot_rows(snapshot: Snapshot, slot: str) -> tuple[Snapshot, NDArray[np.bool_], Floats, float]:
    """The snapshot's rows of a slot, which of them are labelled, what was said [N], and above what it is approval.

    Their `prior` is that of the slot.

    Raises InputError for an unknown slot and for one without any labels.
    """
    place, _, genre = slot.partition("/")
    if place not in (COMPELLING, VIRAL) or (place == VIRAL and genre) or slot.endswith("/"):
        raise InputError(
            f"Unknown slot {slot!r}; known: compelling, compelling/GENRE, viral, metric/scene, metric/character."
        )
    if genre:
        wanted = _plain(genre)
        inside = np.array([wanted in map(_plain, names) for names in snapshot.genres], bool)
        if not inside.any():
            raise InputError(f"No window of this snapshot has the genre {genre!r}.")
        snapshot = snapshot.take(inside)
    if place == VIRAL:
        snapshot = replace(snapshot, prior=snapshot.viral_prior)
    targets = snapshot.viral if place == VIRAL else np.where(snapshot.labels == UNLABELLED, np.nan, snapshot.labels)
    seen = np.isfinite(snapshot.features).any(axis=1)
    labelled = np.isfinite(targets) & seen & (snapshot.weights > 0 if place == COMPELLING else True)
    if not labelled.any():
        what = "engagement" if place == VIRAL else "a label"
        raise InputError(f"No window of this snapshot has both {what} and features; there is nothing to learn from.")
    threshold = 0.5
    if place == VIRAL:
        # What is much is relative: half of the clips are above it, whatever the scale.
        threshold = float(np.median(targets[labelled]))
    yes = targets[labelled] > threshold
    if yes.all() or not yes.any():
        word = "approve" if yes.all() else "reject"
        said = (
            f"All {len(yes)} labels {word}" if place == COMPELLING else f"All {len(yes)} clips are engaged with alike"
        )
        raise InputError(f"{said}; to tell windows apart, labels of both kinds are needed.")
    return snapshot, labelled, np.nan_to_num(targets), threshold


def _plain(name: str) -> str:
    return "-".join(name.lower().split())
