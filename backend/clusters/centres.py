"""Where clusters lie and how far each reaches: the mean of its items, and the distance that most of them are within."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.clusters.grouping import Floats, Ints

REACH_QUANTILE = 0.9
"""So many of a cluster's items lie within its radius."""


@dataclass(frozen=True)
class Centres:
    """Of K clusters: clusters int64 [K] (ids in order), means float32 [K, d], radius float32 [K], size int64 [K].

    spread  float32 [K]: the mean squared distance of items from the mean
    """

    clusters: Ints
    means: Floats
    radius: Floats
    spread: Floats
    size: Ints

    def distances(self, vectors: Floats) -> Floats:
        """Euclidean, float32 [N, K]."""
        return between(vectors, self.means)

    def confidence(self, vectors: Floats) -> NDArray[np.float32]:
        """How surely each vector belongs to each cluster, float32 [N, K]: 1 at the middle, ½ at the radius, then 0."""
        reach = np.maximum(self.radius, 1e-6)
        share = self.distances(vectors) / reach
        share[~np.asarray(vectors).any(axis=1)] = np.inf
        return np.where(share <= 1 + 1e-4, np.clip(1 - share / 2, 0, 1), 0).astype(np.float32)


def centres(vectors: Floats, cluster: Ints) -> Centres:
    """The centres of all clusters (0 and above, or new ones; not noise) of items, float32 [N, d]."""
    inside = (cluster >= 0) | (cluster < -2)
    ids, place = np.unique(cluster[inside], return_inverse=True)
    place = place.ravel()
    rows = np.asarray(vectors[inside], np.float32)
    size = np.bincount(place, minlength=len(ids)).astype(np.int64)
    sums = np.zeros((len(ids), rows.shape[1]))
    np.add.at(sums, place, rows)
    means = (sums / np.maximum(size, 1)[:, None]).astype(np.float32)
    away = np.linalg.norm(rows - means[place], axis=1)
    radius = np.zeros(len(ids), np.float32)
    order = np.lexsort((away, place))
    first = np.concatenate([[0], np.cumsum(size)[:-1]]) if len(ids) else np.zeros(0, np.int64)
    if len(ids):
        radius = away[order][first + np.ceil(REACH_QUANTILE * (size - 1)).astype(np.int64)].astype(np.float32)
    spread = (np.bincount(place, away**2, minlength=len(ids)) / np.maximum(size, 1)).astype(np.float32)
    return Centres(ids.astype(np.int64), means, radius, spread, size)


def between(one: Floats, other: Floats) -> Floats:
    """Euclidean distances of all pairs, float32 [N, M]."""
    squared = one @ (-2 * other.T)
    squared += (one**2).sum(axis=1)[:, None]
    squared += (other**2).sum(axis=1)[None]
    np.maximum(squared, 0, out=squared)
    return np.asarray(np.sqrt(squared, out=squared), np.float32)
