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

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

DIRECTIONS, COARSE = 128, 40
SAMPLE = 4096
SPARE, ROUNDS = 16, 3
SLACK = 1e-4
"""More than single precision loses in a product of a few thousand figures."""

FIRST, GROW = 64, 4
STRIDE = 8
"""Where the FIRST highest bounds begin is read off every eighth."""

BLOCK, MOST_RUNS = 1024, 128
"""Blocks of rows of which the mask lets none through are not read, as long as that leaves few runs of blocks.

A film's shots stand together: a question about some films reads their part alone.
"""

GATHER_BELOW = 0.05
"""Picking rows one by one costs about twenty times as much a row as going through all of them in order."""

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
    """Rows by their figures and the length of their rest: float32 [COARSE + 1, N] and [N, d + 1].

    The coarse ones are gone through from end to end, direction by direction; of the fine ones a few rows are read.
    """

    coarse: Floats
    fine: Floats

    def __len__(self) -> int:
        return len(self.fine)


def sketch(rows: Floats, along: Floats) -> Sketches:
    """What is kept of unit rows, float32 [N, D]; zero rows have bound zero."""
    figures = rows @ along
    length = np.einsum("ij,ij->i", rows, rows)
    coarse = np.ascontiguousarray(_with_rest(figures[:, :COARSE], length).T)
    return Sketches(coarse, _with_rest(figures, length))


def _with_rest(figures: Floats, length: Floats) -> Floats:
    rest = np.sqrt(np.maximum(length - np.einsum("ij,ij->i", figures, figures), 0))
    return np.concatenate([figures, rest[:, None]], axis=1, dtype=np.float32)


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
    asked, size = sketch(query[None], along), max(FIRST, 2 * count)
    read, left = _first(sketches, mask, asked.coarse[:, 0], products, size, count)
    most = sketches.fine.take(left, axis=0) @ asked.fine[0]
    while True:
        hopeful = np.flatnonzero(most >= _least(read.products, count))
        left, most = left[hopeful], most[hopeful]
        if not len(left):
            return best(read.rows, read.products, count)
        size *= GROW
        now = _highest(most, size)
        rows = np.concatenate([read.rows, left[now]])
        read = Near(rows, np.concatenate([read.products, products(left[now])]))
        most[now] = LOWEST - 1


def _first(
    sketches: Sketches,
    mask: NDArray[np.bool_],
    asked: Floats,
    products: Callable[[Rows], Floats],
    size: int,
    count: int,
) -> tuple[Near, Rows]:
    """About `size` rows by their coarse bounds, compared, and those that may still be better than `count` of them."""
    if np.count_nonzero(mask) < GATHER_BELOW * len(mask):
        rows = np.flatnonzero(mask)
        most = asked @ sketches.coarse.take(rows, axis=1)
        now = _highest(most, size)
        read = Near(rows[now], products(rows[now]))
        most[now] = LOWEST - 1
        return read, rows[most >= _least(read.products, count)]
    most = _bounds(sketches.coarse, mask, asked)
    now = _high(most, mask, size, count)
    read = Near(now, products(now))
    left = mask.copy()
    left[now] = False
    return read, np.flatnonzero((most >= _least(read.products, count)) & left)


def _bounds(coarse: Floats, mask: NDArray[np.bool_], asked: Floats) -> Floats:
    """The coarse bound of all rows that the mask lets through, float32 [N]; of others it may be LOWEST."""
    alive = np.logical_or.reduceat(mask, np.arange(0, len(mask), BLOCK))
    edges = np.flatnonzero(np.diff(alive, prepend=False, append=False)) * BLOCK
    if alive.all() or len(edges) > 2 * MOST_RUNS:
        return np.asarray(asked @ coarse)
    most = np.full(len(mask), LOWEST, np.float32)
    for start, end in edges.reshape(-1, 2).tolist():
        most[start:end] = asked @ coarse[:, start:end]
    return most


def _high(most: Floats, mask: NDArray[np.bool_], size: int, count: int) -> Rows:
    """About `size` of the highest that the mask lets through, at least `count`."""
    some = most[::STRIDE][mask[::STRIDE]]
    if len(some) > GROW * size // STRIDE:
        found = np.flatnonzero((most >= some[_highest(some, size // STRIDE)].min()) & mask)
        if count <= len(found) <= GROW * size:
            return found
    rows = np.flatnonzero(mask)
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
