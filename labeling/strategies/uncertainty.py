"""What the model knows least: uncertainty sampling (Lewis and Gale 1994)."""

from typing import Any

import numpy as np

from labeling.strategies.pool import Draw, asked_for, read
from labeling.strategies.ranking import certainty, take_best


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:
    """The k nearest to 0.5. Propensity 1, but for equals at the edge; what has no probability comes last."""
    pool = read(pool)
    return take_best(-certainty(pool.probabilities), asked_for(pool, k), rng)
