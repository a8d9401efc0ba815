"""A first bound on the product of every row with a query, from a byte a direction: little is read, and in order.

What a search costs is fetching figures from memory, the more so after somebody else has used the caches; so rows are
kept as bytes, and in blocks, each direction of a block with a scale of its own. Rounding is made good in the bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK = 1024
"""Rows of a block. A film's shots stand together: blocks of which nothing is asked are not read."""

STEPS = 127
OUTSIDE = -3.0
"""The bound of what is left out: no product of unit vectors comes near it."""


@dataclass(frozen=True)
class Coarse:
    """Rows by d figures and the length of their rest.

    steps  int8 [blocks, d + 1, BLOCK]: the figures, in steps; the length rounded up
    step   float32 [blocks, d + 1]: how long a step is
    rows   how many rows there are; the last block is filled up with zeros
    """

    steps: NDArray[np.int8]
    step: Floats
    rows: int

    @classmethod
    def of(cls, figures: Floats) -> "Coarse":
        """Keep figures and, last, the length of the rest [N, d + 1]."""
        rows, each = figures.shape
        blocks = -(-rows // BLOCK)
        padded = np.zeros((blocks * BLOCK, each), np.float32)
        padded[:rows] = figures
        blocked = padded.reshape(blocks, BLOCK, each).transpose(0, 2, 1)
        step = np.maximum(np.abs(blocked).max(axis=2), np.float32(1e-12)) / STEPS
        steps = blocked / step[:, :, None]
        np.rint(steps[:, :-1], out=steps[:, :-1])
        np.ceil(steps[:, -1], out=steps[:, -1])
        _kernel()  # compiled here, where one waits for films already, and not by the first question
        return cls(np.ascontiguousarray(np.minimum(steps, STEPS), np.int8), step, rows)

    def bounds(self, mask: NDArray[np.bool_], asked: Floats) -> Floats:
        """What the product of each row with a query is at most, float32 [N]; OUTSIDE the mask less than any (bool [N]).

        asked  the query's own figures and the length of its rest [d + 1]
        """
        most = np.empty(self.rows, np.float32)
        _kernel()(self.steps, self.step, mask, asked, most)
        return most


def _bounds(
    steps: NDArray[np.int8], step: Floats, mask: NDArray[np.bool_], asked: Floats, most: Floats
) -> None:  # pragma: no cover  compiled
    blocks, figures, size = steps.shape
    weights = np.empty(figures, np.float32)
    for block in range(blocks):
        start, end = block * size, min((block + 1) * size, len(most))
        own, allowed = most[start:end], mask[start:end]
        if not allowed.any():
            own[:] = OUTSIDE
            continue
        lost = np.float32(0)
        for k in range(figures):
            weights[k] = asked[k] * step[block, k]
            # Figures are off by half a step at most; the length, rounded up, is not too short.
            lost += abs(weights[k]) * np.float32(0.5 if k < figures - 1 else 0)
        own[:] = lost
        # Eight directions at a time: the sums are fetched and put back an eighth as often.
        for k in range(0, figures - figures % 8, 8):
            w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            w4, w5, w6, w7 = weights[k + 4], weights[k + 5], weights[k + 6], weights[k + 7]
            s0, s1, s2, s3 = steps[block, k], steps[block, k + 1], steps[block, k + 2], steps[block, k + 3]
            s4, s5, s6, s7 = steps[block, k + 4], steps[block, k + 5], steps[block, k + 6], steps[block, k + 7]
            for i in range(len(own)):
                own[i] += (s0[i] * w0 + s1[i] * w1 + s2[i] * w2 + s3[i] * w3) + (
                    s4[i] * w4 + s5[i] * w5 + s6[i] * w6 + s7[i] * w7
                )
        for k in range(figures - figures % 8, figures):
            w0, s0 = weights[k], steps[block, k]
            for i in range(len(own)):
                own[i] += s0[i] * w0
        if not allowed.all():
            for i in range(len(own)):
                own[i] = own[i] if allowed[i] else OUTSIDE


@cache
def _kernel() -> Callable[..., None]:
    import numba

    figures = "int8[:,:,::1], float32[:,::1], boolean[::1], float32[::1], float32[::1]"
    how = partial(numba.njit, f"void({figures})", nogil=True, fastmath=True)
    compiled: Callable[..., None]
    try:
        compiled = how(cache=True)(_bounds)
    except RuntimeError:  # no folder to keep it in: each process takes a second for it
        compiled = how()(_bounds)
    return compiled
