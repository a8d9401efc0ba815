"""Agglomerative clustering with pairs that must stay apart: average linkage of squared distances.

Of clusters with means, spreads and sizes the average squared distance is known exactly (the squared distance of the
means plus both spreads), so no table of all pairs is kept. Clusters that are each other's nearest are joined in rounds;
the linkage is reducible, so this gives what joining the nearest pair each time would.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from backend.clusters.grouping import Floats, Ints

Doubles = NDArray[np.float64]

BLOCK_PAIRS = 1_000_000
"""Larger tables leave the processor's cache, and take several times as long."""


@dataclass
class _Groups:
    """Of K groups: means [K, d], spread and size [K]; each one's nearest other and their average squared distance.

    stale  bool [K]: the nearest must be looked for again
    open   bool [K]: it may still be joined; what has nothing within reach never will have
    """

    means: Doubles
    spread: Doubles
    size: Doubles
    nearest: Ints
    squared: Doubles
    stale: NDArray[np.bool_]
    open: NDArray[np.bool_]


def agglomerate(vectors: Floats, start: Ints, apart: Ints, reach: float) -> Ints:
    """Groups of rows that lie within `reach` of each other on average (root of the mean square), int64 [N].

    vectors  float32 [N, d]
    start    int64 [N]: rows with the same number are one from the start
    apart    int64 [P, 2]: rows that are never in one group
    """
    number = np.unique(start, return_inverse=True)[1].ravel().astype(np.int64)
    rows = np.asarray(vectors, np.float64)
    sums = _join(rows, np.zeros(len(rows)), np.ones(len(rows)), number)
    count = len(sums[2])
    state = _Groups(*sums, np.zeros(count, np.int64), np.zeros(count), np.ones(count, bool), np.ones(count, bool))
    while state.open.any():
        _look(state, _conflicts(apart, number, len(state.size)))
        state.open &= state.squared < reach**2
        if not state.open.any():
            break
        # By rounding, the nearest pair of all may not be each other's nearest.
        first = int(np.where(state.open, state.squared, np.inf).argmin())
        state.nearest[state.nearest[first]] = first
        state.open[state.nearest[first]] = True
        state, joined = _round(state)
        number = joined[number]
    return number


def _round(state: _Groups) -> tuple[_Groups, Ints]:
    """All that are each other's nearest joined, and the new number of each group."""
    k, nearest = np.arange(len(state.size)), state.nearest
    joined = state.open & state.open[nearest] & (nearest[nearest] == k)
    _, kept, number = np.unique(np.where(joined, np.minimum(k, nearest), k), return_index=True, return_inverse=True)
    number = number.ravel().astype(np.int64)
    means, spread, size = _join(state.means, state.spread, state.size, number)
    stale = (joined | joined[nearest])[kept]
    return _Groups(means, spread, size, number[nearest[kept]], state.squared[kept], stale, state.open[kept]), number


def _join(means: Doubles, spread: Doubles, size: Doubles, number: Ints) -> tuple[Doubles, Doubles, Doubles]:
    """Means, mean squared distances from them, and sizes of groups that were made of others."""
    count = int(number.max()) + 1 if len(number) else 0
    total = np.bincount(number, size, minlength=count).astype(np.float64)
    into = sparse.csr_matrix((size, (number, np.arange(len(number)))), (count, len(number)))
    joined = (into @ means) / total[:, None]
    away = ((means - joined[number]) ** 2).sum(axis=1) + spread
    return joined, np.bincount(number, size * away, minlength=count) / total, total


def _conflicts(apart: Ints, number: Ints, count: int) -> Any:
    """Which groups hold rows that must stay apart: a sparse table [K, K]."""
    one, other = number[apart[:, 0]], number[apart[:, 1]]
    both = (np.concatenate([one, other]), np.concatenate([other, one]))
    return sparse.csr_matrix((np.ones(2 * len(apart), np.float32), both), (count, count))


def _look(state: _Groups, conflicts: Any) -> None:
    """Find the nearest anew where it is stale, among those that are open and may be joined."""
    among = np.flatnonzero(state.open)
    means = state.means[among].astype(np.float32)
    turned = np.ascontiguousarray(-2 * means.T)
    square = ((state.means**2).sum(axis=1) + state.spread)[among].astype(np.float32)
    asked = np.flatnonzero(state.stale & state.open)
    column = np.zeros(len(state.open), np.int64)
    column[among] = np.arange(len(among))
    step = max(1, BLOCK_PAIRS // max(len(among), 1))
    for at in range(0, len(asked), step):
        rows = asked[at : at + step]
        squared = means[column[rows]] @ turned
        squared += square[column[rows], None]
        squared += square[None]
        squared[np.arange(len(rows)), column[rows]] = np.inf
        barred = conflicts[rows].tocoo()
        seen = state.open[barred.col]
        squared[barred.row[seen], column[barred.col[seen]]] = np.inf
        best = squared.argmin(axis=1)
        state.nearest[rows] = among[best]
        state.squared[rows] = np.maximum(squared[np.arange(len(rows)), best], 0)
