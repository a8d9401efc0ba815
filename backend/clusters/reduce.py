"""Fewer figures for each item: what tells the items of a project apart, in a few directions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.clusters.grouping import Floats, Ints

DIMS = 32
"""By measurement: docs/decisions/0026-clusters.md."""

MOST_DIMS = 64
FITTED_ROWS = 4096
"""So many vectors, evenly spread, say what the directions are."""


@dataclass(frozen=True)
class Basis:
    """Directions of most difference: mean float32 [D], axes float32 [D, d]."""

    mean: Floats
    axes: Floats

    def apply(self, vectors: Floats) -> Floats:
        """Float32 [N, d], rows of length 1; a row of zeros (a shot without a picture), or with NaN, stays zero."""
        there = present(vectors)
        found = np.zeros((len(vectors), self.axes.shape[1]), np.float32)
        found[there] = unit(np.asarray(vectors[there], np.float32) @ self.axes - self.mean @ self.axes)
        return found


def fit_basis(vectors: Floats, dims: int = DIMS) -> Basis:
    """The basis of these vectors, float32 [N, D]; `dims` (64 at most), fewer where there are fewer items or figures.

    Where all are equal, the one direction is their own.
    """
    from scipy.linalg import eigh  # training heads does without

    there = present(vectors)
    if not len(there):
        return Basis(np.zeros(vectors.shape[1], np.float32), np.zeros((vectors.shape[1], 1), np.float32))
    chosen = there[np.linspace(0, len(there) - 1, min(len(there), FITTED_ROWS)).astype(np.int64)]
    rows = np.asarray(vectors[chosen], np.float32)
    mean = rows.mean(axis=0, dtype=np.float64)
    centred = rows - mean.astype(np.float32)
    figures = len(mean)
    highest = (max(figures - min(dims, MOST_DIMS), 0), figures - 1)
    value, axes = eigh((centred.T @ centred).astype(np.float64), subset_by_index=highest)
    kept = np.flatnonzero(value > max(value.max(), 0) * 1e-7)[::-1]
    if value.max() <= 1e-7 * (mean @ mean) * len(rows) or not len(kept):
        return Basis(np.zeros(len(mean), np.float32), (mean / np.linalg.norm(mean))[:, None].astype(np.float32))
    return Basis(mean.astype(np.float32), np.ascontiguousarray(axes[:, kept], np.float32))


def present(vectors: NDArray[Any]) -> Ints:
    """The places of rows that hold something: not all zeros, no NaN, nothing infinite."""
    # Squares of anything finite in float32 stay finite in float64, so that one sum tells all.
    total = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    return np.flatnonzero(np.isfinite(total) & (total > 0))


def unit(vectors: NDArray[Any]) -> Floats:
    """Rows of length 1, float32 [N, D]; rows of zeros stay zero."""
    rows = np.asarray(vectors, np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-12, rows / np.maximum(length, 1e-12), 0), np.float32)
