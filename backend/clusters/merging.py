"""Which clusters may be one: places that are seen by turns, people who look alike and whom no picture shows together.

What is suggested, and how surely, was measured: docs/decisions/0026-clusters.md.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from backend.clusters.centres import Centres, between, centres
from backend.clusters.grouping import Floats, Ints, Law
from backend.clusters.law import binding

BESIDE = 3
"""Shots that lie so many apart at most are beside each other."""

LEAST_TURNS = 0.4
"""Places of which so much is seen by turns, beyond chance, may be one."""

REACH = 0.6
"""People whose mean distance is no more may be one (dlib's embeddings; its own limit for two pictures)."""

Suggestion = tuple[int, int, float]
"""Smaller id, larger id, confidence 0 to 1."""


def places_that_may_be_one(
    vectors: Floats, cluster: Ints, law: Law, film: Ints, shot: Ints, limit: int
) -> list[Suggestion]:
    """Pairs of places, surest first: their shots lie beside each other far more often than by chance.

    Two views of one setting look unlike; a scene in it goes from one to the other and back. The pair must be nearer
    than any two shots are, and no person may have said otherwise.

    vectors     float32 [N, d]
    cluster     int64 [N]: ids, NOISE
    film, shot  int64 [N]: of each the film, and its place in it
    """
    near = centres(vectors, cluster)
    if len(near.clusters) < 2:
        return []
    alike = _squared(near) <= _of_any_two(near)
    turns = by_turns(near.clusters, cluster, film, shot)
    return _listed(near, np.where(alike & (turns >= LEAST_TURNS), turns, 0), cluster, law, limit)


def people_that_may_be_one(vectors: Floats, cluster: Ints, law: Law, scale: float, limit: int) -> list[Suggestion]:
    """Pairs of people, surest first, within reach of each other. `scale`: distances are so many times dlib's.

    Whom one picture shows together must be among the pairs that the law forbids.
    """
    near = centres(vectors, cluster)
    if len(near.clusters) < 2:
        return []
    share = _squared(near) / (REACH * scale) ** 2
    return _listed(near, np.where(share <= 1, 1 - share / 2, 0), cluster, law, limit)


def by_turns(clusters: Ints, cluster: Ints, film: Ints, shot: Ints) -> NDArray[np.float64]:
    """How much more often shots of one lie beside some of the other than by chance, float64 [K, K]: 1 always, 0 as by
    chance; the mean of both ways.
    """
    count = len(clusters)
    order = np.lexsort((shot, film))
    of, films, at = np.searchsorted(clusters, cluster[order]), film[order], shot[order]
    of[~np.isin(cluster[order], clusters)] = count  # whatever is in none
    beside = np.zeros((len(order), count + 1), bool)
    for step in range(1, BESIDE + 1):
        one = np.flatnonzero((films[:-step] == films[step:]) & (at[step:] - at[:-step] <= BESIDE))
        beside[one, of[one + step]] = beside[one + step, of[one]] = True
    _, place, shots = np.unique(films, return_inverse=True, return_counts=True)
    inside = np.zeros((len(shots), count + 1))
    np.add.at(inside, (place.ravel(), of), 1)
    chance = 1 - (1 - np.minimum(inside / np.maximum(shots - 1, 1)[:, None], 1)) ** (2 * BESIDE)
    whose = sparse.csr_matrix((np.ones(len(of), np.float32), (of, np.arange(len(of)))), (count + 1, len(of)))
    seen, expected = whose @ beside.astype(np.float32), inside.T @ chance
    size = np.maximum(inside.sum(axis=0), 1)[:, None]
    beyond = ((seen - expected) / size / np.maximum(1 - expected / size, 1e-9))[:count, :count]
    return np.asarray((beyond + beyond.T) / 2, np.float64)


def _squared(near: Centres) -> Floats:
    """The mean squared distance of items of the one and of the other, [K, K]."""
    return np.asarray(between(near.means, near.means) ** 2 + near.spread[:, None] + near.spread[None], np.float32)


def _of_any_two(near: Centres) -> float:
    """The same of any two items that lie in clusters."""
    share = near.size[:, None] / near.size.sum()
    apart = ((near.means - (share * near.means).sum(axis=0)) ** 2).sum(axis=1)
    return 2 * float(share[:, 0] @ (apart + near.spread))


def _listed(near: Centres, confidence: NDArray[np.float64], cluster: Ints, law: Law, limit: int) -> list[Suggestion]:
    """Pairs with a confidence above 0, surest first, but those of which items cannot be together."""
    confidence = np.triu(confidence.clip(0, 1), 1)
    pairs = cluster[binding(law)]
    pairs = pairs[np.isin(pairs, near.clusters).all(axis=1)]
    where = np.sort(np.searchsorted(near.clusters, pairs), axis=1)
    confidence[where[:, 0], where[:, 1]] = 0
    order = np.argsort(-confidence, axis=None, kind="stable")[: max(limit, 0)]
    one, other = np.unravel_index(order, confidence.shape)
    return [
        (int(near.clusters[a]), int(near.clusters[b]), float(confidence[a, b]))
        for a, b in zip(one.tolist(), other.tolist(), strict=True)
        if confidence[a, b] > 0
    ]
