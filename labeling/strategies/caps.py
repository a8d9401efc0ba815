"""No film and no scene fills a draw: how an order is rearranged so that each gives a few at a time."""

import numpy as np

from labeling.strategies.pool import Indices, Pool
from labeling.strategies.space import position_within


def capped(order: Indices, pool: Pool, film_most: int, scene_most: int) -> Indices:
    """`order` (all rows) with at most so many of a film and of a scene, then again so many of each, and so on.

    So a cap is only passed when nothing else is left.
    """
    turn = np.zeros(len(pool), np.int64)
    if pool.scenes is not None:
        turn = position_within(pool.scenes, order) // scene_most
        order = order[np.argsort(turn[order], kind="stable")]
    turn = np.maximum(turn, position_within(pool.groups, order) // film_most)
    return order[np.argsort(turn[order], kind="stable")]
