"""The chance that a draw of two parts includes an item."""

import numpy as np

from labeling.strategies.pool import Floats, Indices


def inclusion(order: Indices, k: int, random_count: int) -> Floats:
    """The chance of each item, [N], to be among r by chance or, of the rest, the first k − r in `order`.

    The j-th in order is in for sure if j ≤ k − r. Else it is in if the slice holds it (r / N), or if the slice holds so
    many of the j − 1 before it that its turn comes: at least j − (k − r), a hypergeometric count.
    """
    count, fixed = len(order), k - random_count
    if k >= count:
        return np.ones(count)
    chance = np.full(count, random_count / count)
    chance[order[:fixed]] = 1.0
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    for j in range(fixed + 1, k + 1):
        turn = _at_least(j - fixed, count - 1, j - 1, random_count, logs)
        chance[order[j - 1]] += (1 - random_count / count) * turn
    return chance


def _at_least(least: int, population: int, marked: int, drawn: int, logs: Floats) -> float:
    """The chance that `drawn` of a population hold at least so many marked ones; `logs` are those of factorials."""
    held = np.arange(max(least, drawn - (population - marked)), min(drawn, marked) + 1)
    plain = population - marked
    ways = logs[marked] - logs[held] - logs[marked - held]
    ways += logs[plain] - logs[drawn - held] - logs[plain - drawn + held]
    return float(np.exp(ways - logs[population] + logs[drawn] + logs[population - drawn]).sum())
