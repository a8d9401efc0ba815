"""The vector of a window: the mean of its shots' vectors, each as long as it is seen there. As scoring pools them."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Frames = NDArray[np.int64]


def window_vectors(
    vectors: NDArray[np.floating], shots: Frames, shots_s: Floats, windows: Frames
) -> tuple[NDArray[np.float32], Floats, NDArray[np.bool_]]:
    """[W, D] means over windows [W, 2] in frames, their seconds [W, 2], and which of them lie in the film, bool [W].

    vectors [N, D] of neighbouring shots [N, 2] in frames, `shots_s` [N, 2] the same in seconds. A window that starts or
    ends inside a shot takes that share of it; one outside of the film has zeros.
    """
    edges = np.append(shots[:, 0], shots[-1:, 1])
    edges_s = np.append(shots_s[:, 0], shots_s[-1:, 1])
    finite = np.nan_to_num(np.asarray(vectors, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    sums = np.concatenate([np.zeros((1, finite.shape[1])), np.cumsum(finite * np.diff(edges_s)[:, None], axis=0)])
    ends = np.clip(windows, edges[0], edges[-1])
    seconds = np.interp(ends, edges, edges_s)
    span_s = seconds[:, 1] - seconds[:, 0]
    inside = (span_s > 0) & (windows[:, 0] >= edges[0]) & (windows[:, 1] <= edges[-1])
    until = [_until(sums, finite, edges_s, seconds[:, side]) for side in (0, 1)]
    means = (until[1] - until[0]) / np.where(inside, span_s, 1.0)[:, None]
    return np.where(inside[:, None], means, 0.0).astype(np.float32), seconds, inside


def _until(sums: Floats, vectors: Floats, edges_s: Floats, at_s: Floats) -> Floats:
    """Vectors times seconds from the film's start to each moment, [W, D]."""
    shot = np.clip(np.searchsorted(edges_s, at_s, side="right") - 1, 0, len(vectors) - 1)
    return np.asarray(sums[shot] + vectors[shot] * (at_s - edges_s[shot])[:, None], np.float64)
