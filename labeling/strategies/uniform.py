"""Chance alone: every item as likely as any other. What is drawn like this says how good a model is, without bias."""

from typing import Any

import numpy as np

from labeling.strategies.pool import Draw, asked_for, read


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:
    """k of N, each with propensity k / N."""
    pool = read(pool)
    k = asked_for(pool, k)
    return rng.permutation(len(pool))[:k].astype(np.int64), np.full(k, k / max(len(pool), 1))
