"""What draws the eye in a shot without faces: where its detail lies, and what moves in it, followed without haste."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEP_S = 0.25
FLOOR = 1.5
"""Movement below this (levels of luma, of 255, root mean square over a column) is noise."""

CLEAR = 10.0
"""Movement of this sum over the columns counts whole; more of it does not count more."""

POSITIONS = 41
MOVE_COST = 3.0
"""What it costs to move the window by the picture's width, in steps with all movement held: less than three of them
are not worth going there."""

MAX_SPEED = 0.4
"""The window moves by no more than this share of the picture's width in a second."""

REMEMBERED, MEMORY_S = 0.25, 10.0
"""What stops moving is still there: so much of its movement counts, fading within these seconds, before and after."""

DETAIL_GAIN = 0.05
"""What holding the detail of the picture is worth beside holding all of its movement."""


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True)
class Points:
    """Where something worth seeing is: film `seconds`, `x` (0 … 1 of the frame's width) and `weight`, float64 [K] each.

    Several points may share a second (several faces in one keyframe); the order does not matter.
    """

    seconds: Floats = field(default_factory=_none)
    x: Floats = field(default_factory=_none)
    weight: Floats = field(default_factory=_none)

    def within(self, start_s: float, end_s: float) -> "Points":
        """The points of [start_s, end_s), by time."""
        chosen = np.flatnonzero((self.seconds >= start_s) & (self.seconds < end_s) & (self.weight > 0))
        chosen = chosen[np.argsort(self.seconds[chosen], kind="stable")]
        return Points(self.seconds[chosen], self.x[chosen], self.weight[chosen])


@dataclass(frozen=True)
class Miniatures:
    """Upright luma miniatures of all frames of a stretch of film: `seconds` float64 [F], `luma` uint8 [F, H, W]."""

    seconds: Floats = field(default_factory=_none)
    luma: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 1, 1), np.uint8))

    def within(self, start_s: float, end_s: float) -> "Miniatures":
        """Those of [start_s, end_s)."""
        first, last = np.searchsorted(self.seconds, [start_s, end_s])
        return Miniatures(self.seconds[first:last], self.luma[first:last])


def salient_x(picture: NDArray[np.uint8]) -> float:
    """Where the detail of a picture [height, width, 3] lies, 0 … 1 of the width, drawn a little to the middle."""
    grey = picture.astype(np.float64).mean(axis=2)
    detail = np.abs(np.diff(grey, axis=1))[:-1] + np.abs(np.diff(grey, axis=0))[:, :-1]
    columns = detail.sum(axis=0) ** 2
    if not columns.any():
        return 0.5
    place = (np.arange(len(columns)) + 1) / (len(columns) + 1)
    return float(0.8 * np.average(place, weights=columns) + 0.1)


def moving_path(seen: Miniatures, detail: Points, window: float) -> tuple[Floats, Floats] | None:
    """Where a window of `window` (0 … 1) of the width goes to hold what moves in one shot: seconds and centres [T].

    None where nothing moves, or everything does (a camera that turns).
    """
    seconds, movement = _movement(seen)
    if not movement.any():
        return None
    places = np.linspace(window / 2, 1 - window / 2, POSITIONS)
    columns = (np.arange(movement.shape[1]) + 0.5) / movement.shape[1]
    gain = movement @ _held(columns, places, window).T
    if len(detail.x):
        nearest = np.abs(detail.seconds[None, :] - seconds[:, None]).argmin(axis=1)
        gain += DETAIL_GAIN * _held(detail.x, places, window).T[nearest]
    return seconds, places[_best_path(gain, (1 - window) / (POSITIONS - 1))]


def _movement(seen: Miniatures) -> tuple[Floats, Floats]:
    """How much moves in each column at each step: seconds [T], shares float64 [T, W], rows of 1 at most.

    What all columns have in common is the camera's movement and does not count; where little but that is left, the
    row is small.
    """
    count = int((seen.seconds[-1] - seen.seconds[0]) / STEP_S) + 1 if len(seen.seconds) else 0
    if count < 2:
        return np.zeros(0), np.zeros((0, 1))
    at = np.searchsorted(seen.seconds, seen.seconds[0] + STEP_S * np.arange(count) - 1e-6)
    changed = np.diff(seen.luma[at].astype(np.float64), axis=0)
    columns = np.sqrt((changed**2).mean(axis=1))
    alone = np.maximum(columns - np.median(columns, axis=1, keepdims=True) - FLOOR, 0)
    total = alone.sum(axis=1, keepdims=True)
    clear = np.minimum(1, total / CLEAR)
    share = total / np.maximum(columns.sum(axis=1, keepdims=True), 1e-9)
    return (seen.seconds[at[:-1]] + seen.seconds[at[1:]]) / 2, _lasting(alone / np.maximum(total, 1e-9) * clear * share)


def _lasting(movement: Floats) -> Floats:
    """Movement [T, W], and at rests what there was last and what there will be next."""
    lasting, fading = movement.copy(), np.exp(-STEP_S / MEMORY_S)
    for order in (slice(None), slice(None, None, -1)):
        kept = np.zeros(movement.shape[1])
        for row, into in zip(movement[order], lasting[order], strict=True):
            kept = row if row.sum() > kept.sum() * fading else kept * fading
            np.maximum(into, REMEMBERED * kept, out=into)
    return lasting


def _held(x: Floats, places: Floats, window: float) -> Floats:
    """How well a window at each place [P] holds each x [K]: 1 in its middle, 0 at its edge and outside; [P, K]."""
    held: Floats = np.maximum(0, 1 - np.abs(places[:, None] - x[None, :]) / (window / 2))
    return held


def _best_path(gain: Floats, spacing: float) -> NDArray[np.int64]:
    """The places [T] with most `gain` [T, P] less the cost of moving, by dynamic programming."""
    away = np.abs(np.subtract.outer(np.arange(POSITIONS), np.arange(POSITIONS))) * spacing
    cost = np.where(away <= max(MAX_SPEED * STEP_S, spacing), MOVE_COST * away, np.inf)
    best, came = gain[0], np.zeros(gain.shape, np.int64)
    for step in range(1, len(gain)):
        reached = best[None, :] - cost
        came[step] = reached.argmax(axis=1)
        best = reached.max(axis=1) + gain[step]
    path = [int(best.argmax())]
    for step in range(len(gain) - 1, 0, -1):
        path.append(int(came[step, path[-1]]))
    return np.array(path[::-1])
