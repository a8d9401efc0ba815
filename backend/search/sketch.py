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

DIRECTIONS, COARSE = 64, 24
SAMPLE = 4096
SPARE, ROUNDS = 16, 3
SLACK = 1e-4
"""More than single precision loses in a product of a few thousand figures."""

FIRST, GROW = 64, 4
GATHER_BELOW = 0.2
"""Picking rows one by one costs about five times as much a row as going through all of them in order."""


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
    """Rows by their figures and the length of their rest: float32 [N, COARSE + 1] and [N, d + 1]."""

    coarse: Floats
    fine: Floats

    def __len__(self) -> int:
        return len(self.fine)


def sketch(rows: Floats, along: Floats) -> Sketches:
    """What is kept of unit rows, float32 [N, D]; zero rows have bound zero."""
    figures = rows @ along
    length = np.einsum("ij,ij->i", rows, rows)
    return Sketches(_with_rest(figures[:, :COARSE], length), _with_rest(figures, length))


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
    asked, left = sketch(query[None], along), np.flatnonzero(mask)
    count = min(count, len(left))
    read, found = np.zeros(0, np.int64), np.zeros(0, np.float32)
    if not count:
        return Near(read, found)
    most, is_fine = _bounds(sketches.coarse, left, asked.coarse[0]), False
    size = max(FIRST, 2 * count)
    while len(left):
        now = np.argpartition(most, max(len(most) - size, 0))[-size:]
        read, found = np.concatenate([read, left[now]]), np.concatenate([found, products(left[now])])
        worst = np.partition(found, len(found) - count)[len(found) - count] if len(found) >= count else -np.inf
        hopeful = most >= worst - SLACK
        hopeful[now] = False
        left, most = left[hopeful], most[hopeful]
        if not is_fine:
            most, is_fine = _bounds(sketches.fine, left, asked.fine[0]), True
            left, most = left[most >= worst - SLACK], most[most >= worst - SLACK]
        size *= GROW
    return best(read, found, count)


def _bounds(sketches: Floats, rows: Rows, asked: Floats) -> Floats:
    """The most that the products of rows can be, float32 [len(rows)]."""
    if len(rows) < GATHER_BELOW * len(sketches):
        return np.asarray(sketches[rows] @ asked)
    most = sketches @ asked
    return most if len(rows) == len(sketches) else most[rows]


def best(rows: Rows, products: Floats, count: int) -> Near:
    """The highest products, the highest first; of equal ones the lower row."""
    if len(rows) > count:
        least = np.partition(products, len(products) - count)[len(products) - count]
        kept = np.flatnonzero(products >= least)
        rows, products = rows[kept], products[kept]
    order = np.lexsort((rows, -products))[:count]
    return Near(rows[order], products[order])
