"""The strategies there are. A new one is a file with `select(pool, k, rng)` and a line here; tests find it here."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backend.errors import UnknownName
from labeling.strategies import diverse_uncertain, mix, top_score, typical, uncertainty, uniform
from labeling.strategies.pool import Draw

Strategy = Callable[[Any, int, np.random.Generator], Draw]

STRATEGIES: dict[str, Strategy] = {
    "random": uniform.select,
    "top-score": top_score.select,
    "uncertainty": uncertainty.select,
    "typical": typical.select,
    "diverse-uncertain": diverse_uncertain.select,
    "mix": mix.select,
}

DEFAULT = "mix"


def strategy_named(name: str) -> Strategy:
    """The strategy called `name`; raises UnknownName with the known ones."""
    if name not in STRATEGIES:
        raise UnknownName("strategy", name, STRATEGIES)
    return STRATEGIES[name]
