"""Taking the best, with ties drawn by lot and the chance of that lot."""

import numpy as np

from labeling.strategies.pool import Draw, Floats, Indices

SEED = 0


def certainty(probabilities: Floats) -> Floats:
    """[N] → 0 where a model does not know, 0.5 where it is sure; NaN stays."""
    return np.abs(probabilities - 0.5)


def best_first(values: Floats) -> Indices:
    """Rows from the highest value to the lowest, those without a value last; equals in a fixed order.

    That is no order of the pool: rows come film by film, and the first film would win all ties.
    """
    shuffled = np.random.default_rng(SEED).permutation(len(values))
    return shuffled[np.argsort(-_ranked(values)[shuffled], kind="stable")].astype(np.int64)


def take_best(values: Floats, k: int, rng: np.random.Generator) -> Draw:
    """The k highest, best first. Where equals are at the edge a lot decides, and all of them had the same chance."""
    ranked = _ranked(values)
    shuffled = rng.permutation(len(ranked))
    indices = shuffled[np.argsort(-ranked[shuffled], kind="stable")][:k].astype(np.int64)
    if not k:
        return indices, np.ones(0)
    edge = ranked[indices[-1]]
    above = int((ranked > edge).sum())
    equal = int((ranked == edge).sum())
    return indices, np.where(ranked[indices] > edge, 1.0, (k - above) / equal)


def _ranked(values: Floats) -> Floats:
    return np.where(np.isnan(values), -np.inf, values)
