"""A prior: documented signals and plain weights, for as long as nobody has taught a model better."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from backend.scoring.film import Floats
from backend.scoring.signals import MEASURES
from backend.scoring.standard import logistic

STEEPNESS = 0.9
"""Were the measures independent, 16 % of a film's windows would score above 0.71 and 2 % above 0.86."""


@dataclass(frozen=True)
class Prior:
    """score = logistic(STEEPNESS · Σ weight · z / √Σ weight²); weights are positive, add up to 1, and name measures.

    The score is relative to this film: 0.5 is its typical window, and it cannot be compared between films. What a
    film lacks (sound, speech) is left out of both sums, so that it does not hold the other scores down.
    """

    name: str
    weights: Mapping[str, float]

    def effective(self, standard: Mapping[str, Floats]) -> dict[str, float]:
        """The weights of the measures that vary in this film, their squares adding up to 1 (none if nothing varies)."""
        telling = {name: weight for name, weight in self.weights.items() if np.any(standard[name])}
        length = float(np.sqrt(sum(weight**2 for weight in telling.values())))
        return {name: weight / length for name, weight in telling.items()}

    def score(self, standard: Mapping[str, Floats]) -> Floats:
        """Scores in [0, 1], float64 [W], from every window's standardised measures."""
        return self.score_by(standard, self.effective(standard))

    def score_by(self, standard: Mapping[str, Floats], weights: Mapping[str, float], without: str = "") -> Floats:
        """The same with given effective weights; the measures of the block `without` count as the film's median."""
        terms = [weight * standard[name] for name, weight in weights.items() if MEASURES[name].block != without]
        return logistic(STEEPNESS * sum(terms, np.zeros_like(next(iter(standard.values())))))
