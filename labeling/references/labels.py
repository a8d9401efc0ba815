"""Weak labels: windows that a trailer or an edit shows, and windows far from all that it shows. Arrays in, values out.

A reference shows seconds, people judge windows of a minute: a window that holds much of what was shown is a positive.
Who cut the trailer took what sells, not all that is good, and left out the ending on purpose: so both kinds weigh less
than any decision, and negatives together never more than positives.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.scoring.candidates import candidates
from backend.scoring.film import Floats, ScoringFilm
from backend.scoring.presets import MAX_S, MIN_S
from backend.scoring.windows import Windows, time_inside

SHOWN, FAR = "reference", "reference-far"
POSITIVE_WEIGHT = 0.5
"""Of a window with only sure intervals; a decision has 1."""
NEGATIVE_WEIGHT = 0.25
FAR_S = 60.0
"""A negative keeps this distance from everything shown."""
CRUMB_S = 1.0
"""What is left of an interval beside a window and is shorter than this needs no window of its own."""
LEAST_S = 0.4


@dataclass(frozen=True)
class Shown:
    """Seconds of the film that a reference shows, and how sure that is (0 to 1)."""

    start_s: float
    end_s: float
    confidence: float = 1.0


@dataclass(frozen=True)
class WeakLabel:
    """Frames `[start_frame, end_frame)` of a film, a window of whole shots, with its label: 1 or 0."""

    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    label: int
    weight: float
    source: str


def weak_labels(film: ScoringFilm, shown: Sequence[Shown], avoided: Sequence[Shown] = ()) -> tuple[WeakLabel, ...]:
    """Positives for what is `shown`, then negatives that keep away from that and from what is `avoided`; by time each.

    Windows are those that ranking knows: 60 to 120 s between cuts, without titles, credits and black. Nothing shown:
    nothing is known, there is no negative either. No negative overlaps a positive: one that reached so far beyond what
    it holds would hold the same without that, in less time.
    """
    found = candidates(film, MIN_S, MAX_S).windows
    if not shown or not len(found):
        return ()
    chosen = _covering(found, shown)
    positives = [_positive(found, int(at), shown) for at in chosen]
    away = [(one.start_s - FAR_S, one.end_s + FAR_S) for one in (*shown, *avoided)]
    far = _far(found, joined(away))
    weight = min(NEGATIVE_WEIGHT, sum(one.weight for one in positives) / max(len(far), 1))
    return (*positives, *(_label(found, int(at), 0, weight, FAR) for at in far))


def joined(spans: Sequence[tuple[float, float]]) -> Floats:
    """Spans in seconds, float64 [K, 2], sorted, those that touch made one."""
    merged: list[list[float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        elif end > start:
            merged.append([start, end])
    return np.array(merged, np.float64).reshape(-1, 2)


def _covering(found: Windows, shown: Sequence[Shown]) -> list[int]:
    """Windows, the ones that hold most per second first taken, until all is held that can be; in order of time."""
    left, chosen = joined([(one.start_s, one.end_s) for one in shown]), []
    while len(left):
        held = time_inside(left, found.start_s, found.end_s)
        dense = np.where(held >= LEAST_S, held / found.durations_s, 0.0)
        best = int(np.argmax(dense))  # the first of equals: the earliest, shortest
        if dense[best] == 0:
            break
        chosen.append(best)
        left = _without(left, float(found.start_s[best]), float(found.end_s[best]))
    return sorted(chosen)


def _without(spans: Floats, start_s: float, end_s: float) -> Floats:
    """The spans outside of a window; crumbs of those that it cuts are dropped."""
    rest = []
    for begin, end in spans.tolist():
        if end <= start_s or begin >= end_s:
            rest.append((begin, end))
            continue
        rest += [(a, b) for a, b in ((begin, start_s), (end_s, end)) if b - a >= CRUMB_S]
    return joined(rest)


def _far(found: Windows, away: Floats) -> list[int]:
    """Windows outside of `away` that do not overlap, as many as there are room for, in order of time."""
    free = np.flatnonzero(time_inside(away, found.start_s, found.end_s) == 0)
    chosen, until_s = [], -np.inf
    for at in free[np.argsort(found.end_s[free], kind="stable")]:
        if found.start_s[at] >= until_s:
            chosen.append(int(at))
            until_s = float(found.end_s[at])
    return chosen


def _positive(found: Windows, at: int, shown: Sequence[Shown]) -> WeakLabel:
    """Its weight follows the confidence of what it holds, each interval as long as it counts."""
    start_s, end_s = float(found.start_s[at]), float(found.end_s[at])
    inside = np.array([max(0.0, min(one.end_s, end_s) - max(one.start_s, start_s)) for one in shown])
    sure = float(inside @ [one.confidence for one in shown] / inside.sum())
    return _label(found, at, 1, POSITIVE_WEIGHT * sure, SHOWN)


def _label(found: Windows, at: int, label: int, weight: float, source: str) -> WeakLabel:
    frames = int(found.start_frame[at]), int(found.end_frame[at])
    return WeakLabel(*frames, float(found.start_s[at]), float(found.end_s[at]), label, round(weight, 6), source)
