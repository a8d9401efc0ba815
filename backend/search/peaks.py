"""Exact best rows of a space of probabilities without reading most of them: each row's highest figures, and a bound.

Rows are non-negative and a query's weights too, so a product is at least that of the row's highest figures alone. What
the others can add is bounded: none of them is above the lowest that is kept, and their sum is known, so at best they
meet the query's highest weights, each with that much. Rows that cannot be among the best are never read.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.search.copies import Floats

KEPT = 32
"""Of real films 24 and 48 left at most 3 % of the rows to be read for four questions of five; 192 bytes a row."""
SLACK = 1e-5
"""More than single precision loses in a sum of a thousand small figures."""


@dataclass(frozen=True, eq=False)
class Peaks:
    """Of rows [N, D] the highest figures [N, k], where they are, the lowest kept [N], and the sum of the others [N]."""

    places: NDArray[np.uint16]
    figures: Floats
    lowest: Floats
    rest: Floats


def peaks(rows: Floats, kept: int = KEPT) -> Peaks:
    """What is kept of non-negative rows, float32 [N, D], D at most 65,536."""
    kept = min(kept, rows.shape[1])
    places = np.argpartition(rows, rows.shape[1] - kept, axis=1)[:, rows.shape[1] - kept :]
    figures = np.take_along_axis(rows, places, axis=1)
    rest = np.maximum(rows.sum(axis=1) - figures.sum(axis=1), 0)
    return Peaks(places.astype(np.uint16), figures, figures.min(axis=1, initial=np.inf), rest)


@dataclass(frozen=True, eq=False)
class Weights:
    """A query's weights, float32 [D], not negative, and what the n highest of them add up to, [D + 1]."""

    each: Floats
    highest: Floats

    @classmethod
    def of(cls, query: Floats) -> "Weights":
        """The weights of a query."""
        sums = np.concatenate([[0.0], np.cumsum(np.sort(query)[::-1], dtype=np.float64)])
        return cls(query, sums.astype(np.float32))


def bounds(held: Peaks, weights: Weights) -> tuple[Floats, Floats]:
    """The least and the most that the product of each row with a query can be, float32 [N] each."""
    least = np.einsum("ij,ij->i", weights.each[held.places], held.figures)
    lowest = np.maximum(held.lowest, 1e-12)
    # So many figures of the lowest kept would make up the rest: no row can spread it over fewer.
    count = np.minimum(np.ceil(held.rest / lowest), len(weights.each)).astype(np.int64)
    most = least + np.minimum(lowest * weights.highest[count], held.rest * weights.highest[1]) + SLACK
    return least, np.asarray(most, np.float32)
