"""What stands for many: the middles of clusters that no label lies in yet (after TypiClust, Hacohen et al. 2022)."""

from typing import Any

import numpy as np

from labeling.strategies.pool import Draw, Indices, Pool, asked_for, read
from labeling.strategies.space import distances, k_means, position_within, space_of

MOST_CLUSTERS = 200


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:  # noqa: ARG001  all have this signature
    """The k most typical. The same pool gives the same choice: propensity 1."""
    pool = read(pool)
    k = asked_for(pool, k)
    return order(pool, k)[:k], np.ones(k)


def order(pool: Pool, k: int) -> Indices:
    """All rows: one of each cluster first, clusters without labels and large ones leading, then a second of each.

    There is a cluster for every label and every item asked for, up to a limit.
    """
    if not len(pool):
        return np.zeros(0, np.int64)
    space = space_of(pool)
    points, labelled = space.places(pool.embeddings), space.places(pool.labelled_embeddings)
    centres = k_means(points, max(k, min(k + len(labelled), MOST_CLUSTERS)))
    apart = distances(points, centres)
    cluster = apart.argmin(axis=1)
    covered = np.bincount(distances(labelled, centres).argmin(axis=1), minlength=len(centres))
    size = np.bincount(cluster, minlength=len(centres))
    from_middle = np.argsort(apart[np.arange(len(points)), cluster], kind="stable")
    turn = position_within(cluster, from_middle)
    return np.lexsort((-size[cluster], covered[cluster], turn)).astype(np.int64)
