"""Exact nearest neighbours without reading most of the vectors: a bound on every product from a few figures a row.

With orthonormal directions P [D, d], every product of unit vectors is at most  (P'x)(P'q) + |rest of x| |rest of q|
(Cauchy and Schwarz), so a row is kept as its d figures and the length of its rest, float32 [d + 1], and the bound is
one product. The first few directions alone give a coarser bound for less: it leaves most rows out, the finer one most
of the others, and what is left is read in full in the order of the bounds until nothing can be better. The answer is
exact whatever P is; how few rows are read depends on P: the principal directions of the rows themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.search.coarse import OUTSIDE, Coarse

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

DIRECTIONS, COARSE = 160, 40
SAMPLE = 4096
SPARE, ROUNDS = 16, 3
SLACK = 1e-4
"""More than single precision loses in a product of a few thousand figures."""

REST_SLACK = 4e-6
"""More than it loses in the square of a rest, which is a small difference of sums near 1."""

FIRST, GROW = 256, 4
"""Of so many with the highest coarse bounds, those with the highest fine ones are read in full first."""

STRIDE = 8
"""Where the FIRST highest bounds begin is read off every eighth."""

LOWEST = -2.0
"""No product of unit vectors is below this."""


@dataclass(frozen=True)
class Near:
    """Rows, the nearest first, and their products with the query."""

    rows: Rows
    products: Floats


def directions(rows: Floats, count: int = DIRECTIONS) -> Floats:
    """Orthonormal directions near the principal ones, not centred, of (a sample of) unit rows: float32 [D, count].

    By a randomised range finder (Halko, Martinsson and Tropp 2011), since they need not be exact.
    """
    sample = np.asarray(rows[:: max(1, len(rows) // SAMPLE)], np.float32)
    count = min(count, sample.shape[1])
    wide = min(count + SPARE, sample.shape[1])
    found = np.random.default_rng(0).standard_normal((sample.shape[1], wide)).astype(np.float32)
    for _ in range(ROUNDS):
        found, _ = np.linalg.qr(sample.T @ (sample @ found))
    seen = sample @ found
    _, turned = np.linalg.eigh(seen.T @ seen)
    return np.ascontiguousarray(found @ turned[:, ::-1][:, :count], np.float32)


@dataclass(frozen=True)
class Sketches:
    """Rows by their figures and the length of their rest: `fine` float32 [N, d + 1].

    The coarse ones, of the first few directions, are gone through from end to end; of the fine ones few rows are.
    """

    coarse: Coarse
    fine: Floats

    @classmethod
    def of(cls, fine: Floats) -> "Sketches":
        """What is searched of rows by their figures and the length of their rest."""
        return cls(Coarse.of(_coarser(fine)), fine)

    def __len__(self) -> int:
        return len(self.fine)


def sketch(rows: Floats, along: Floats) -> Floats:
    """The figures of unit rows, float32 [N, D], and the length of their rest, never too short: [N, d + 1]."""
    figures = rows @ along
    rest = np.einsum("ij,ij->i", rows, rows) - np.einsum("ij,ij->i", figures, figures)
    return np.concatenate([figures, np.sqrt(np.maximum(rest, 0) + REST_SLACK)[:, None]], axis=1, dtype=np.float32)


def _coarser(fine: Floats) -> Floats:
    """The first figures, and the length of what these leave: [N, at most COARSE + 1]."""
    kept = min(COARSE, fine.shape[1] - 1)
    others = fine[:, kept:]
    return np.concatenate([fine[:, :kept], np.sqrt(np.einsum("ij,ij->i", others, others))[:, None]], axis=1)


def nearest(
    sketches: Sketches,
    mask: NDArray[np.bool_],
    query: Floats,
    along: Floats,
    products: Callable[[Rows], Floats],
    count: int,
) -> Near:
    """The `count` rows of the mask (bool [N]) with the highest products with a query of length 1: exactly.

    products  gives the products of rows with the query, float32 [len(rows)]
    """
    count = min(count, int(np.count_nonzero(mask)))
    if not count:
        return Near(np.zeros(0, np.int64), np.zeros(0, np.float32))
    asked, size = sketch(query[None], along), 2 * count
    most = sketches.coarse.bounds(mask, _coarser(asked)[0])
    some = _high(most, max(FIRST, size), count)
    now = some[_highest(sketches.fine.take(some, axis=0) @ asked[0], size)]
    read = Near(now, products(now))
    most[now] = OUTSIDE
    left = np.flatnonzero(most >= _least(read.products, count))
    most = sketches.fine.take(left, axis=0) @ asked[0]
    while True:
        hopeful = np.flatnonzero(most >= _least(read.products, count))
        left, most = left[hopeful], most[hopeful]
        if not len(left):
            return best(read.rows, read.products, count)
        size *= GROW
        now = _highest(most, size)
        rows = np.concatenate([read.rows, left[now]])
        read = Near(rows, np.concatenate([read.products, products(left[now])]))
        most[now] = OUTSIDE


def _high(most: Floats, size: int, count: int) -> Rows:
    """About `size` of the highest, at least `count`; none that is outside."""
    some = most[::STRIDE]
    some = some[some > OUTSIDE]
    if len(some) > GROW * size // STRIDE:
        found = np.flatnonzero(most >= some[_highest(some, size // STRIDE)].min())
        if count <= len(found) <= GROW * size:
            return found
    rows = np.flatnonzero(most > OUTSIDE)
    return rows[_highest(most[rows], size)]


def _highest(figures: Floats, size: int) -> Rows:
    """Where the `size` highest are."""
    return np.argpartition(figures, max(len(figures) - size, 0))[-size:]


def _least(found: Floats, count: int) -> float:
    """What a bound must reach for its row to be among the best."""
    if len(found) < count:
        return LOWEST
    return max(float(np.partition(found, len(found) - count)[len(found) - count]) - SLACK, LOWEST)


def best(rows: Rows, products: Floats, count: int) -> Near:
    """The highest products, the highest first; of equal ones the lower row."""
    if len(rows) > count:
        least = np.partition(products, len(products) - count)[len(products) - count]
        kept = np.flatnonzero(products >= least)
        rows, products = rows[kept], products[kept]
    order = np.lexsort((rows, -products))[:count]
    return Near(rows[order], products[order])
