"""What every way of grouping takes and gives: values in, values out, no database."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

NOISE = -1
"""In no cluster."""

UNPLACED = -2
"""Never clustered before."""


@dataclass(frozen=True)
class Law:
    """What people said, by places of items.

    held    int64 [N]: the cluster that somebody put the item in, NOISE where nobody has
    cannot  int64 [C, 2]: pairs that are never in one cluster
    named   clusters that people have named, or made: each stays, however small
    """

    held: Ints
    cannot: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    named: frozenset[int] = frozenset()

    def with_pairs(self, pairs: Ints) -> "Law":
        """The same with more pairs that are never in one cluster."""
        return replace(self, cannot=np.concatenate([self.cannot.reshape(-1, 2), pairs.reshape(-1, 2)]))


@dataclass(frozen=True)
class Grouped:
    """Where each item lies: cluster int64 [N] (an id known before, NOISE, or UNPLACED - 1 - k for the k-th new one).

    confidence  float32 [N], 0 to 1
    """

    cluster: Ints
    confidence: Floats


def new_cluster(k: int) -> int:
    """The number of the k-th new cluster until it has an id."""
    return UNPLACED - 1 - k
