"""Recall, precision and false positive rate, with the counts they are made of and 95 % intervals (Wilson 1927)."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959964


@dataclass(frozen=True)
class Counts:
    """True and false positives and negatives."""

    tp: int
    fp: int
    fn: int
    tn: int

    @classmethod
    def of(cls, yes: NDArray[np.bool_], said: NDArray[np.bool_]) -> "Counts":
        """Of labels and answers, bool [N]."""
        return cls(*(int(np.sum(each)) for each in (yes & said, ~yes & said, yes & ~said, ~yes & ~said)))

    @property
    def figures(self) -> dict[str, tuple[int, int]]:
        """Each figure as (so many, of so many)."""
        return {
            "recall": (self.tp, self.tp + self.fn),
            "precision": (self.tp, self.tp + self.fp),
            "false_positive_rate": (self.fp, self.fp + self.tn),
        }

    @property
    def youden(self) -> float:
        """Recall less false positive rate; 0 where one of them cannot be known."""
        recall, wrong = self.figures["recall"], self.figures["false_positive_rate"]
        return recall[0] / recall[1] - wrong[0] / wrong[1] if recall[1] and wrong[1] else 0.0

    def to_json(self) -> dict[str, Any]:
        """Counts, and each figure with its interval (null where nothing was counted)."""
        counts = {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}
        return counts | {name: _shown(*figure) for name, figure in self.figures.items()}


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share; (0, 1) of nothing."""
    if not of:
        return 0.0, 1.0
    share, spread = hits / of, Z95 * Z95 / of
    middle = (share + spread / 2) / (1 + spread)
    half = sqrt(spread * share * (1 - share) + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _shown(hits: int, of: int) -> dict[str, Any]:
    low, high = wilson(hits, of)
    return {"value": round(hits / of, 4) if of else None, "low": round(low, 4), "high": round(high, 4), "of": of}
