"""Places: shots that show one setting, found by HDBSCAN."""

import math

import numpy as np

from backend.clusters.grouping import NOISE, Floats, Grouped, Ints, Law
from backend.clusters.law import settle
from backend.clusters.reduce import present

LEAST_SHOTS, LEAST_OF_FEW = 8, 3
"""A place has at least so many shots; where there are few shots in all, half the root of their number."""

NEIGHBOURS = 2
"""How many, a shot itself being one, say how dense it is around it."""


def group_places(vectors: Floats, law: Law, before: Ints) -> Grouped:
    """All shots anew: HDBSCAN, then ids of before and the law.

    vectors  float32 [N, d], as `Basis.apply` gives them; a row of zeros is a shot without a picture, and noise
    before   int64 [N]: the cluster each was in, NOISE, or UNPLACED
    """
    groups, confidence = dense(vectors)
    return settle(groups, confidence, vectors, law, before, least_shots(len(vectors)))


def least_shots(count: int) -> int:
    """How many shots a place has at least, where there are so many in all."""
    return min(max(round(math.sqrt(count) / 2), LEAST_OF_FEW), LEAST_SHOTS)


def dense(vectors: Floats) -> tuple[Ints, Floats]:
    """HDBSCAN's groups, int64 [N] (0, 1, … or NOISE), and how surely each item belongs to its own, float32 [N]."""
    from sklearn.cluster import HDBSCAN

    groups = np.full(len(vectors), NOISE, np.int64)
    confidence = np.zeros(len(vectors), np.float32)
    there = present(vectors)
    least = least_shots(len(there))
    if len(there) < least:
        return groups, confidence
    rows = np.asarray(vectors[there], np.float64)
    if np.ptp(rows, axis=0).max() < 1e-6:
        groups[there], confidence[there] = 0, 1
        return groups, confidence
    found = HDBSCAN(
        min_cluster_size=least,
        min_samples=NEIGHBOURS,
        copy=True,
    ).fit(rows)
    groups[there] = found.labels_
    confidence[there] = np.nan_to_num(found.probabilities_).clip(0, 1)
    return groups, confidence
