"""Putting unlike quantities on one scale within a film: robust z, logistic, means over any stretch of seconds."""

from dataclasses import dataclass

import numpy as np

from backend.scoring.film import Floats

CLIP_Z = 3.0
SAME = 1e-6
"""Values closer together than this are the same value: nothing is made of a constant signal but zeros."""


@dataclass(frozen=True)
class Scale:
    """Where the middle of a measure lies in a film, and how far its values lie apart (0: it does not vary)."""

    middle: float
    spread: float

    @classmethod
    def of(cls, values: Floats) -> "Scale":
        """Median and 1.4826 · median deviation of at least one value.

        Where more than half of the values are equal (cuts per second, say) the standard deviation takes its place.
        """
        middle = float(np.median(values))
        spread = 1.4826 * float(np.median(np.abs(values - middle)))
        if spread <= SAME:
            spread = float(np.std(values))
        return cls(middle, spread if spread > SAME else 0.0)

    def z(self, values: Floats) -> Floats:
        """(x − middle) / spread, clipped to ±3, same shape; zeros for what does not vary."""
        if not self.spread:
            return np.zeros_like(values)
        clipped: Floats = np.clip((values - self.middle) / self.spread, -CLIP_Z, CLIP_Z)
        return clipped


def robust_z(values: Floats) -> Floats:
    """Values on their own scale, same shape."""
    return Scale.of(values).z(values) if len(values) else values


def logistic(values: Floats) -> Floats:
    """1 / (1 + e^-x), same shape, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), np.float64)


class Integral:
    """A per-second signal summed up, so that its mean over any [start, end) in seconds costs two look-ups.

    `values` float64 [S], S = ceil(duration); the last second counts only as far as the film goes.
    """

    def __init__(self, values: Floats, duration_s: float) -> None:
        self._knots = np.minimum(np.arange(len(values) + 1, dtype=np.float64), duration_s)
        self._sums = np.append(0.0, np.cumsum(values * np.diff(self._knots)))

    def until(self, second: Floats) -> Floats:
        """The signal summed up from the film's start to each second, same shape."""
        return np.asarray(np.interp(second, self._knots, self._sums), np.float64)

    def mean(self, start_s: Floats, end_s: Floats) -> Floats:
        """Mean over each [start, end), same shape; 0 where it is empty."""
        length = np.maximum(end_s - start_s, 1e-9)
        return np.asarray((self.until(end_s) - self.until(start_s)) / length, np.float64)
