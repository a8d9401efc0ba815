"""Exact nearest neighbours without reading most of the vectors: a bound on every product from a few figures a row.

With orthonormal directions P [D, d], every product of unit vectors is at most  (P'x)(P'q) + |rest of x| |rest of q|
(Cauchy and Schwarz), so a row is kept as its d figures and the length of its rest, float32 [d + 1], and the bound is
one product. Rows are read in full in the order of their bounds until none that is left can be better. The answer is
exact whatever P is; how few rows are read depends on P: the principal directions of the rows themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

DIRECTIONS = 64
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


def sketch(rows: Floats, along: Floats) -> Floats:
    """Figures along the directions and the length of the rest, float32 [N, d + 1]."""
    figures = rows @ along
    rest = np.einsum("ij,ij->i", rows, rows) - np.einsum("ij,ij->i", figures, figures)
    return np.concatenate([figures, np.sqrt(np.maximum(rest, 0))[:, None]], axis=1, dtype=np.float32)


def bounds(sketches: Floats, mask: NDArray[np.bool_], query: Floats, along: Floats) -> tuple[Rows, Floats]:
    """The rows of the mask and the most that their product with the query can be."""
    wanted = sketch(query[None], along)[0]
    rows = np.flatnonzero(mask)
    if len(rows) < GATHER_BELOW * len(mask):
        return rows, sketches[rows] @ wanted
    most = sketches @ wanted
    return (rows, most) if len(rows) == len(mask) else (rows, most[rows])


def nearest(rows: Rows, most: Floats, products: Callable[[Rows], Floats], count: int) -> Near:
    """The `count` rows with the highest products: exactly.

    rows, most  of `bounds`
    products    gives the products of rows with the query, float32 [len(rows)]
    """
    count = min(count, len(rows))
    size = max(FIRST, 2 * count)
    read, found = np.zeros(0, np.int64), np.zeros(0, np.float32)
    if not count:
        return Near(read, found)
    left = np.arange(len(rows))
    while True:
        size = min(size, len(left))
        parted = np.argpartition(-most[left], size - 1)
        now, left = left[parted[:size]], left[parted[size:]]
        read, found = np.concatenate([read, rows[now]]), np.concatenate([found, products(rows[now])])
        worst = np.partition(found, len(found) - count)[len(found) - count] if len(found) >= count else -np.inf
        if not len(left) or most[left].max() + SLACK < worst:
            return best(read, found, count)
        left = left[most[left] + SLACK >= worst]
        size = max(size * GROW, FIRST)


def best(rows: Rows, products: Floats, count: int) -> Near:
    """The highest products, the highest first; of equal ones the lower row."""
    if len(rows) > count:
        least = np.partition(products, len(products) - count)[len(products) - count]
        kept = np.flatnonzero(products >= least)
        rows, products = rows[kept], products[kept]
    order = np.lexsort((rows, -products))[:count]
    return Near(rows[order], products[order])
