"""One temperature for all margins, so that 70 % means seven of ten; found on films that the model had not seen."""

import numpy as np

from trainer.evidence.figures import Floats

LEAST, MOST = 0.05, 20.0
STEPS = 60


def temperature(margins: Floats, targets: Floats, weights: Floats) -> float:
    """The temperature with the least cross-entropy of margins / temperature; 1 where there is nothing to go by."""
    there = np.isfinite(margins) & (weights > 0)
    if not there.any():
        return 1.0
    margins, targets, weights = margins[there], targets[there], weights[there]

    def loss(logarithm: float) -> float:
        scaled = margins / np.exp(logarithm)
        return float(weights @ (np.logaddexp(0, scaled) - targets * scaled))

    low, high = np.log(LEAST), np.log(MOST)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
