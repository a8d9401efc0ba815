"""What the model likes most: finds approvals soon, and teaches little."""

from typing import Any

import numpy as np

from labeling.strategies.pool import Draw, asked_for, read
from labeling.strategies.ranking import take_best


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:
    """The k most probable. Propensity 1, but for equals at the edge; what has no probability comes last."""
    pool = read(pool)
    return take_best(pool.probabilities, asked_for(pool, k), rng)
