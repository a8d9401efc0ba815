"""How alike items are: cohesion, cover, what else a correction would move, names."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from backend.clusters.centres import between
from backend.clusters.grouping import NOISE, Floats, Ints, Law
from backend.clusters.law import binding
from backend.clusters.reduce import present

CLEARLY, CLEARLY_NOISE = 1.2, 1.1
"""So many times nearer is clearly nearer, of items in a cluster and of noise: docs/decisions/0026-clusters.md."""

NEAREST = 3
"""So many of those that were moved out of noise are looked at."""

COMMON = 0.5
"""A label that so much of a cluster has may be its name."""


def cohesion(vectors: Floats, members: Ints, nothing: float = 2.0) -> float:
    """How alike the members are, 0 to 1: 1 − mean squared distance of pairs / `nothing` (2: rows at right angles).

    NaN never; 1 for one item, 0 for none.
    """
    rows = _there(vectors, members)
    if len(rows) < 2:
        return 1.0 if len(rows) else 0.0
    spread = float(rows.var(axis=0).sum()) * 2 * len(rows) / (len(rows) - 1)
    return float(np.clip(1 - spread / nothing, 0, 1))


def cover(vectors: Floats, members: Ints) -> int:
    """The member (a place in `vectors`) nearest to the middle of all; the first of equals. ValueError where none is."""
    if not len(members):
        raise ValueError("A cluster without items has no cover.")
    shown = _there(vectors, members)
    rows = np.asarray(vectors[members], np.float64)
    away = np.linalg.norm(rows - (shown.mean(axis=0) if len(shown) else 0), axis=1)
    away[~rows.any(axis=1) | ~np.isfinite(away)] = np.inf
    return int(members[away.argmin()])


def more(vectors: Floats, cluster: Ints, law: Law, moved: Ints, source: int, target: int) -> tuple[Ints, Ints, Floats]:
    """What else a correction would move: places int64 [K], where to int64 [K], confidence float32 [K]; surest first.

    cluster  int64 [N]: where items are now, after the correction
    moved    places that were just moved
    source   where they came from; NOISE for noise
    target   where they went; NOISE for "not this"

    A free item of a cluster is suggested where it is clearly nearer to the middle of those that were moved than to the
    middle of those that stay; one of noise, where it is nearer to those that were moved out of noise than those are to
    each other. Nothing that the law forbids.
    """
    asked = np.intersect1d(present(vectors), np.flatnonzero((law.held < 0) & (cluster == source)))
    asked = np.setdiff1d(asked, np.concatenate([moved, _barred(cluster, law, target)]))
    stay = np.intersect1d(np.flatnonzero(cluster == source), present(vectors))
    moved = np.intersect1d(moved, present(vectors))
    if not len(asked) or not len(moved) or source == target:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
    ratio = _of_noise(vectors, asked, moved) if source == NOISE else _of_cluster(vectors, asked, moved, stay)
    least = CLEARLY_NOISE if source == NOISE else CLEARLY
    chosen = np.flatnonzero(ratio >= least)
    chosen = chosen[np.lexsort((asked[chosen], -ratio[chosen]))]
    return asked[chosen], np.full(len(chosen), target, np.int64), (1 - 0.5 * least / ratio[chosen]).astype(np.float32)


def name_suggestions(labels: Sequence[Sequence[str]], taken: Sequence[str] = ()) -> str:
    """A name for a cluster from the labels of its items: the commonest that half of them have, "" where none is."""
    counted = Counter(label for item in labels for label in dict.fromkeys(item) if label not in taken)
    if not counted:
        return ""
    label, count = min(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return label if count >= COMMON * len(labels) else ""


def _there(vectors: Floats, members: Ints) -> np.ndarray:
    rows = np.asarray(vectors[members], np.float64)
    return rows[present(rows)]


def _barred(cluster: Ints, law: Law, target: int) -> Ints:
    """Items that cannot be with one that lies in the target."""
    pairs = binding(law)
    if target == NOISE or not len(pairs):
        return np.zeros(0, np.int64)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return np.asarray(both[cluster[both[:, 1]] == target, 0], np.int64)


def _of_cluster(vectors: Floats, asked: Ints, moved: Ints, stay: Ints) -> Floats:
    """How many times nearer each is to the middle of the moved than to that of those that stay."""
    to_moved = np.linalg.norm(vectors[asked] - vectors[moved].mean(axis=0), axis=1)
    to_stay = np.linalg.norm(vectors[asked] - vectors[stay].mean(axis=0), axis=1)
    return np.asarray(to_stay / np.maximum(to_moved, 1e-6), np.float32)


def _of_noise(vectors: Floats, asked: Ints, moved: Ints) -> Floats:
    """How many times nearer each is to its nearest of the moved than the moved are to each other."""
    away = np.sort(between(vectors[asked], vectors[moved]), axis=1)[:, :NEAREST].mean(axis=1)
    among = between(vectors[moved], vectors[moved])[np.triu_indices(len(moved), 1)]
    return np.asarray((among.mean() if len(among) else 0) / np.maximum(away, 1e-6), np.float32)
