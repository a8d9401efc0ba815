"""Where the crop window of an upright or square clip lies: it follows faces, else what moves, and jumps only at cuts.

Within a shot the window stands still if one place holds most of what matters; only where that wanders does it move,
along a smoothed path. That is how an operator would frame: a still window is never wrong, a restless one always is.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backend.media.salience import Floats, Miniatures, Points, moving_path

SHAPES = {"reels": 9 / 16, "square": 1.0}
HOLD_COVERAGE = 0.9
INNER_SHARE = 0.7
STILL_SHARE = 0.25
STEP_S = 0.1
SMOOTH_S = 0.5
TOLERANCE = 0.003
MAX_KEYS = 400


@dataclass(frozen=True)
class CropPath:
    """Centre of the crop window over a clip: straight lines between keys, a jump where two keys share a second.

    seconds   float64 [K], not falling, 0 is the first frame of the clip
    x         float64 [K], 0 … 1 of the frame's width
    """

    seconds: Floats
    x: Floats

    def at(self, second: float) -> float:
        """The centre on screen at `second` of the clip."""
        last = int(np.searchsorted(self.seconds, second, side="right")) - 1
        if last < 0 or last + 1 == len(self.x):
            return float(self.x[max(last, 0)])
        span = self.seconds[last + 1] - self.seconds[last]
        share = (second - self.seconds[last]) / span if span > 0 else 1.0
        return float(self.x[last] + share * (self.x[last + 1] - self.x[last]))


def window_share(width: int, height: int, shape: str) -> float:
    """How much of the width of a picture (as displayed) a `reels` or `square` window takes, 0 … 1."""
    return min(1.0, SHAPES[shape] * height / width)


def plan_crop(
    faces: Points,
    cuts_s: Floats,
    start_s: float,
    end_s: float,
    window: float,
    salient: Points | None = None,
    seen: Miniatures | None = None,
) -> CropPath:
    """The path of a window that takes `window` (0 … 1) of the width, over [start_s, end_s) of a film.

    `cuts_s` are the film's cuts, in seconds. In a shot without a face the window follows what moves in its miniatures
    (`seen`); where that is nothing it stands on the `salient` points, else in the middle.
    """
    inner = np.asarray(cuts_s, np.float64)
    edges = np.concatenate(([start_s], np.unique(inner[(inner > start_s) & (inner < end_s)]), [end_s]))
    detail, luma, tolerance = salient or Points(), seen or Miniatures(), TOLERANCE
    while True:
        parts = [_frame_shot(faces, detail, luma, a, b, window, tolerance) for a, b in pairwise(edges)]
        seconds = np.concatenate([part[0] for part in parts]) - start_s
        x = np.concatenate([part[1] for part in parts])
        if len(x) <= max(MAX_KEYS, 2 * len(parts)) or tolerance > 1:
            return CropPath(seconds, np.clip(x, window / 2, 1 - window / 2))
        tolerance *= 2


def _frame_shot(
    faces: Points, salient: Points, seen: Miniatures, start_s: float, end_s: float, window: float, tolerance: float
) -> tuple[Floats, Floats]:
    points = faces.within(start_s, end_s)
    if not len(points.x):
        detail = salient.within(start_s, end_s)
        followed = moving_path(seen.within(start_s, end_s), detail, window)
        if followed is None:
            centre = float(np.average(detail.x, weights=detail.weight)) if len(detail.x) else 0.5
            return _still(start_s, end_s, centre)
        seconds, x = followed
    else:
        centre, coverage = _best_hold(points, window)
        if coverage >= HOLD_COVERAGE:
            return _still(start_s, end_s, centre)
        seconds, x = _track(points)
    if np.ptp(x) <= STILL_SHARE * window:
        return _still(start_s, end_s, float(x.mean()))
    return _simplify(*_smooth(seconds, x, start_s, end_s), tolerance)


def _still(start_s: float, end_s: float, centre: float) -> tuple[Floats, Floats]:
    return np.array([start_s, end_s]), np.array([centre, centre])


def _best_hold(points: Points, window: float) -> tuple[float, float]:
    """Where a still window holds most weight, and the share of the weight it holds."""
    order = np.argsort(points.x)
    x, weight = points.x[order], points.weight[order]
    last = np.searchsorted(x, x + INNER_SHARE * window, side="right")
    sums = np.concatenate(([0.0], np.cumsum(weight)))
    held = sums[last] - sums[:-1]
    best = int(np.argmax(held))
    chosen = slice(best, int(last[best]))
    return float(np.average(x[chosen], weights=weight[chosen])), float(held[best] / sums[-1])


def _track(points: Points) -> tuple[Floats, Floats]:
    """One place a moment: the face nearest to the one before, unless another is more than twice as heavy."""
    moments = np.unique(points.seconds)
    path: list[float] = []
    for moment in moments:
        here = points.seconds == moment
        x, weight = points.x[here], points.weight[here]
        x = x[weight >= 0.5 * weight.max()] if path else x[[int(np.argmax(weight))]]
        path.append(float(x[np.argmin(np.abs(x - path[-1]))]) if path else float(x[0]))
    return moments, np.asarray(path)


def _smooth(seconds: Floats, x: Floats, start_s: float, end_s: float) -> tuple[Floats, Floats]:
    """The path at every STEP_S, averaged with a bell of SMOOTH_S, its ends held."""
    grid = np.linspace(start_s, end_s, max(2, int(np.ceil((end_s - start_s) / STEP_S)) + 1))
    reach = int(3 * SMOOTH_S / STEP_S)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP_S / SMOOTH_S) ** 2)
    padded = np.pad(np.interp(grid, seconds, x), reach, mode="edge")
    return grid, np.convolve(padded, bell / bell.sum(), mode="valid")


def _simplify(seconds: Floats, x: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """Fewest keys whose straight lines stay within `tolerance` (Douglas and Peucker 1973)."""
    keep = {0, len(x) - 1}
    spans = [(0, len(x) - 1)]
    while spans:
        a, b = spans.pop()
        line = np.interp(seconds[a : b + 1], seconds[[a, b]], x[[a, b]])
        away = np.abs(x[a : b + 1] - line)
        worst = a + int(np.argmax(away))
        if away[worst - a] > tolerance:
            keep.add(worst)
            spans += [(a, worst), (worst, b)]
    keys = np.array(sorted(keep))
    return seconds[keys], x[keys]
