"""What the model knows least, without asking the same thing twice (Zhdanov 2019: weighted k-means of a shortlist)."""

from typing import Any

import numpy as np

from labeling.strategies.pool import Draw, Indices, Pool, asked_for, read
from labeling.strategies.ranking import best_first, certainty
from labeling.strategies.space import distances, k_means, position_within, space_of

SHORTLIST = 5
"""So many times as many as asked for are looked at, and all that are equal to the last of these."""

LEAST_DOUBT = 1e-3
"""Of what a model is sure of, or has not said: it still has a place."""


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:  # noqa: ARG001  all have this signature
    """k unlike each other among the 5 k least certain. The same pool gives the same choice: propensity 1."""
    pool = read(pool)
    k = asked_for(pool, k)
    return order(pool, k)[:k], np.ones(k)


def order(pool: Pool, k: int) -> Indices:
    """All rows: one of each cluster of the shortlist, heavy clusters leading, then a second of each; then the rest."""
    doubts = 0.5 - np.nan_to_num(certainty(pool.probabilities), nan=0.5)
    uncertain = best_first(doubts)
    if not len(pool) or not k:
        return uncertain
    edge = doubts[uncertain[min(SHORTLIST * k, len(pool)) - 1]]
    short = uncertain[: int((doubts >= edge).sum())]
    points = space_of(pool).places(pool.embeddings[short])
    doubt = doubts[short] + LEAST_DOUBT
    centres = k_means(points, k, doubt)
    apart = distances(points, centres)
    cluster = apart.argmin(axis=1)
    weight = np.bincount(cluster, weights=doubt, minlength=len(centres))
    from_middle = np.argsort(apart[np.arange(len(short)), cluster], kind="stable")
    turn = position_within(cluster, from_middle)
    first = short[np.lexsort((-weight[cluster], turn))]
    return np.concatenate([first, uncertain[len(short) :]])
