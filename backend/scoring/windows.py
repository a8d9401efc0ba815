"""Every candidate of a film: runs of whole shots whose length lies between two limits."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.scoring.film import Floats, Frames, ScoringFilm

ROUNDING_S = 1e-6
"""Lengths are compared exactly but for this: far below a frame, far above the rounding of float64 seconds."""

TOUCH_S = 0.05
"""A shot may reach this far into excluded material (a frame of jitter in the edge) and still count as free of it."""

PIECE_S = 2.0
"""No piece of a long take is shorter than this."""

MOST = 1_000_000
"""More windows than this are not listed: memory stays bounded whatever the film and the limits."""

NOTHING: Floats = np.zeros((0, 2))


@dataclass(frozen=True)
class Segments:
    """The bricks of windows: shots, and pieces of shots longer than the maximum. G segments, in order of time.

    start_frame, end_frame  int64 [G], frames [start, end)
    start_s, end_s          float64 [G]
    shot                    int64 [G], the shot that each is (a piece of)
    usable                  bool [G], False where the segment holds excluded material
    """

    start_frame: Frames
    end_frame: Frames
    start_s: Floats
    end_s: Floats
    shot: Frames
    usable: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.shot)

    @property
    def durations_s(self) -> Floats:
        """Length of each segment in seconds, float64 [G]."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Windows:
    """W windows, sorted by start, then by end. `last` is exclusive: window i is made of segments[first[i]:last[i]]."""

    first: Frames
    last: Frames
    start_frame: Frames
    end_frame: Frames
    start_s: Floats
    end_s: Floats

    def __len__(self) -> int:
        return len(self.first)

    def take(self, which: Frames | slice) -> "Windows":
        """Some of the windows, by indices or a slice."""
        return Windows(
            self.first[which],
            self.last[which],
            self.start_frame[which],
            self.end_frame[which],
            self.start_s[which],
            self.end_s[which],
        )

    @property
    def durations_s(self) -> Floats:
        """Length of each window in seconds, float64 [W]."""
        return self.end_s - self.start_s


def check_limits(min_s: float, max_s: float) -> None:
    """Raise InputError unless 0 < min_s <= max_s and both are finite."""
    if not (np.isfinite(min_s) and np.isfinite(max_s)) or min_s <= 0:
        raise InputError(f"Clip lengths must be more than 0 seconds, not {min_s:g} to {max_s:g}.")
    if min_s > max_s:
        raise InputError(f"The shortest clip ({min_s:g} s) is longer than the longest ({max_s:g} s); give both limits.")


def segments(
    film: ScoringFilm,
    min_s: float,
    max_s: float,
    excluded_s: Floats = NOTHING,
    until_s: float = np.inf,
    split_at_excluded: bool = False,
) -> Segments:
    """Shots as segments; a shot longer than `max_s` gets inner ends at pauses, where there are none evenly spaced ones.

    `excluded_s` (float64 [K, 2], sorted and disjoint) and everything after `until_s` make a segment unusable.
    The edges of excluded material are ends inside long shots only, or with `split_at_excluded` inside every shot.
    """
    start_s, end_s = film.seconds_of(film.shots[:, 0]), film.seconds_of(film.shots[:, 1])
    edges = np.unique(np.append(excluded_s.ravel(), until_s if np.isfinite(until_s) else []))
    long = end_s - start_s > max_s + ROUNDING_S
    touched = np.searchsorted(edges, end_s - ROUNDING_S) > np.searchsorted(edges, start_s + ROUNDING_S)
    bounds = [film.shots[:, 0]]
    owners = [np.arange(len(film.shots))]
    for shot in np.flatnonzero(long | (touched & split_at_excluded)):
        span = (float(start_s[shot]), float(end_s[shot]))
        inner_s = _inner_ends(span, film.pauses_s, edges, _piece_s(min_s, max_s)) if long[shot] else edges
        inner = np.unique([film.frame_at(second) for second in inner_s if span[0] < second < span[1]])
        inner = inner[(inner > film.shots[shot, 0]) & (inner < film.shots[shot, 1])]
        bounds.append(inner.astype(np.int64))
        owners.append(np.full(len(inner), shot))
    starts, shot_of = np.concatenate(bounds), np.concatenate(owners)
    order = np.argsort(starts, kind="stable")
    starts, shot_of = starts[order], shot_of[order]
    ends = film.shots[shot_of, 1].copy()
    inside = shot_of[1:] == shot_of[:-1]
    ends[:-1][inside] = starts[1:][inside]
    begin_s, finish_s = film.seconds_of(starts), film.seconds_of(ends)
    usable = (time_inside(excluded_s, begin_s, finish_s) <= TOUCH_S) & (finish_s <= until_s + ROUNDING_S)
    return Segments(starts, ends, begin_s, finish_s, shot_of, usable)


def _piece_s(min_s: float, max_s: float) -> float:
    """The longest piece of a long take: short enough that some run of pieces fits between the limits."""
    room = max_s - min_s
    return max(PIECE_S, min(min_s, room if room > 0 else min_s) / 2)


def _inner_ends(span: tuple[float, float], pauses_s: Floats, edges: Floats, piece_s: float) -> Floats:
    """Seconds inside `span` at which a long take may be cut: its pauses, and even steps where pauses are far apart."""
    start, end = span
    anchors = [start, *edges[(edges > start) & (edges < end)], end]
    kept = list(anchors)
    for pause in np.sort(pauses_s[(pauses_s > start) & (pauses_s < end)]):
        if min(abs(pause - other) for other in (*anchors, kept[-1])) >= PIECE_S:
            kept.append(float(pause))
    marks = np.unique(kept)
    steps = [np.linspace(a, b, int(np.ceil((b - a) / piece_s)) + 1)[:-1] for a, b in pairwise(marks)]
    return np.concatenate(steps)[1:]


def time_inside(spans_s: Floats, start_s: Floats, end_s: Floats) -> Floats:
    """Seconds of each [start, end) that lie inside sorted, disjoint spans."""
    if not len(spans_s):
        return np.zeros(len(start_s))
    edges = spans_s.ravel()
    covered = np.cumsum(np.stack([np.zeros(len(spans_s)), spans_s[:, 1] - spans_s[:, 0]], axis=1).ravel())
    inside: Floats = np.interp(end_s, edges, covered) - np.interp(start_s, edges, covered)
    return inside


def windows(parts: Segments, min_s: float, max_s: float) -> Windows:
    """All runs of usable neighbouring segments whose length lies in [min_s, max_s] (to a microsecond).

    Where they would be more than MOST, both ends are multiples of `stride` segments.
    """
    step = stride(parts, min_s, max_s)
    low, high = _ends_within(parts, min_s, max_s)
    starts = np.arange(0, len(parts), step)
    lowest = low[starts] // step + 1
    number = np.maximum(high[starts] // step - lowest + 1, 0)
    first = np.repeat(starts, number)
    last = (np.arange(len(first)) + np.repeat(lowest - (np.cumsum(number) - number), number)) * step
    return Windows(
        first, last, parts.start_frame[first], parts.end_frame[last - 1], parts.start_s[first], parts.end_s[last - 1]
    )


def stride(parts: Segments, min_s: float, max_s: float) -> int:
    """1, or more where every segment as an end would give more than MOST windows (strobe light, very wide limits)."""
    low, high = _ends_within(parts, min_s, max_s)
    return max(1, int(np.ceil(np.sqrt(np.maximum(high - low, 0).sum() / MOST))))


def _ends_within(parts: Segments, min_s: float, max_s: float) -> tuple[Frames, Frames]:
    """For each segment as the first of a window, the range [low, high) of segments that may be its last."""
    at = np.arange(len(parts))
    barred = np.append(np.flatnonzero(~parts.usable), len(parts))
    free_until = barred[np.searchsorted(barred, at)]
    low = np.maximum(np.searchsorted(parts.end_s, parts.start_s + min_s - ROUNDING_S, side="left"), at)
    high = np.minimum(np.searchsorted(parts.end_s, parts.start_s + max_s + ROUNDING_S, side="right"), free_until)
    return low, high


def pool(vectors: NDArray[np.floating], weights: Floats, found: Windows) -> Floats:
    """Weighted means of `vectors` [G, D] over each window's segments, float64 [W, D]; weights [G] are durations."""
    heavy: Floats = np.asarray(vectors, np.float64) * weights[:, None]
    sums = np.concatenate([np.zeros((1, heavy.shape[1])), np.cumsum(heavy, axis=0)])
    total = np.append(0.0, np.cumsum(weights))
    share = np.maximum(total[found.last] - total[found.first], np.finfo(np.float64).tiny)
    pooled: Floats = (sums[found.last] - sums[found.first]) / share[:, None]
    return pooled
