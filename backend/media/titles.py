"""Titles laid over a moving picture: lines of strokes that stand still for a second and were not there before or after.

A title stands still while the picture moves, or comes and goes while the picture stays. So what is looked for are
upright edges that stay where they are over a second and are missing a second and a half before it or after it, in the
same shot. Of these, lettering is what lies in a line and turns from light to dark and back many times along it.
Nothing is read, and the colour of the letters does not matter. Measured in docs/decisions/0017-titles.md.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Edges = tuple[Picture, Picture]
"""Where a picture gets lighter, and where darker, from left to right."""

EVERY_S = 0.5
STILL, APART = 3, 3
SCALES = (1.0, 0.5)
EDGE = 14
MIN_EDGES, CELL, CELL_EDGES, MARGIN = 120, (8, 4), 70, 24
GAP = 11
MIN_WIDTH, MIN_HEIGHT, MAX_HEIGHT, MIN_ASPECT, MIN_SOLID = 20, 4, 60, 1.5, 0.45
MIN_STROKES, MIN_DENSITY = 5.0, 0.7
SUBTITLE_TOP, SIDE, MIN_SIDE = 0.75, 0.02, 32
SAME_PLACE, SAME_TITLE_S, FADE_S = 3.0, 6.0, 2.0


class Sighting(NamedTuple):
    """A line of lettering that stands still over the frames `start` to `end` and is missing at frame `missing`.

    Its place is in pixels of the picture; `height` is the picture's.
    """

    start: int
    end: int
    missing: int
    centre: float
    top: float
    width: float
    height: int


@dataclass(frozen=True)
class _View:
    """A picture at each scale: its edges, these thickened, and those that stand still since frame `since` (or none)."""

    number: int
    since: int
    edges: tuple[Edges, ...]
    wide: tuple[Edges, ...]
    lasting: tuple[Edges, ...]


class TitleSpotter:
    """Takes a picture each half second and keeps the lines of lettering that come or go."""

    def __init__(self, rate: Fraction) -> None:
        self._rate = rate
        self._next = Fraction(0)
        self._shape: tuple[int, ...] = ()
        self._views: deque[_View] = deque(maxlen=STILL + APART)
        self._lines: list[Sighting] = []

    def due(self, number: int) -> bool:
        """Whether it is time for a picture."""
        return number >= self._next

    def look(self, number: int, picture: Picture) -> None:
        """Take the picture (RGB uint8, about 320 wide) of frame `number`; no lettering fits into a tiny one."""
        late = number > self._next + 2 * EVERY_S * self._rate
        self._next = number + Fraction(EVERY_S) * self._rate
        grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
        if late or grey.shape != self._shape:
            self._views.clear()
        self._shape = grey.shape
        if min(grey.shape) < MIN_SIDE:
            return
        edges = tuple(_edges(grey, scale) for scale in SCALES)
        before = list(self._views)[1 - STILL :]
        lasting: tuple[Edges, ...] = ()
        if len(before) == STILL - 1:
            lasting = tuple(_least(parts) for parts in zip(*(view.edges for view in before), edges, strict=True))
        since = before[0].number if before else number
        now = _View(number, since, edges, tuple(_thick(part) for part in edges), lasting)
        self._views.append(now)
        if len(self._views) > STILL:
            self._compare(now, self._views[max(0, len(self._views) - STILL - APART)], grey.shape[0])
        if len(self._views) == STILL + APART:
            self._compare(self._views[STILL - 1], now, grey.shape[0])

    def _compare(self, still: _View, other: _View, height: int) -> None:
        for scale, lasting, old in zip(SCALES, still.lasting, other.wide, strict=True):
            for x, y, width in text_lines(_beyond(lasting[0], old[0]), _beyond(lasting[1], old[1])):
                place = ((x + width / 2) / scale, y / scale, width / scale)
                self._lines.append(Sighting(still.since, still.number, other.number, *place, height))

    def titles(self, cuts: Sequence[int]) -> NDArray[np.int64]:
        """`[start, end)` of titles in frames, int64 [T, 2], sorted and disjoint; `cuts` are the first frames of shots.

        Behind a cut everything is new: a line that comes or goes with one counts only where it is seen within a shot,
        too. Lines at the foot of the picture are subtitles.
        """
        lines = np.array(self._lines, np.float64).reshape(-1, len(Sighting._fields))
        lines = lines[lines[:, 4] < SUBTITLE_TOP * lines[:, 6]]
        lines = lines[np.argsort(lines[:, 0], kind="stable")]
        fade = float(FADE_S * self._rate)
        titles: list[list[int]] = []
        for start, end in _lasting(lines, np.asarray(cuts), float(SAME_TITLE_S * self._rate)):
            first, last = max(0, round(start - fade)), round(end + fade)
            if titles and first <= titles[-1][1]:
                titles[-1][1] = max(last, titles[-1][1])
            else:
                titles.append([first, last])
        return np.array(titles, np.int64).reshape(-1, 2)


def text_lines(rising: Picture, falling: Picture) -> Iterator[tuple[int, int, int]]:
    """Left, top and width of each line of lettering; where there is an edge the masks are 255, else 0."""
    both = np.asarray(cv2.bitwise_or(rising, falling), np.uint8)
    if cv2.countNonZero(both) < MIN_EDGES:
        return
    # Most pictures have no three crowded cells side by side, and cost no more than this.
    across, down = both.shape[1] // CELL[0], both.shape[0] // CELL[1]
    cells = cv2.resize(both[: down * CELL[1], : across * CELL[0]], (across, down), interpolation=cv2.INTER_AREA)
    crowded = cv2.erode(cv2.threshold(cells, CELL_EDGES, 255, cv2.THRESH_BINARY)[1], np.ones((1, 3), np.uint8))
    if not cv2.countNonZero(crowded):
        return
    x, y, w, h = cv2.boundingRect(crowded)
    left, top = max(0, (x - 1) * CELL[0] - MARGIN), max(0, y * CELL[1] - MARGIN)
    part = np.s_[top : (y + h + 1) * CELL[1] + MARGIN, left : (x + w + 2) * CELL[0] + MARGIN]
    closed = cv2.morphologyEx(both[part], cv2.MORPH_CLOSE, np.ones((1, GAP), np.uint8))
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    width, height, area = boxes[:, 2], boxes[:, 3], boxes[:, 4]
    fits = (height >= MIN_HEIGHT) & (height <= MAX_HEIGHT) & (width >= np.maximum(MIN_WIDTH, MIN_ASPECT * height))
    for i in np.flatnonzero(fits & (area >= MIN_SOLID * width * height)):
        x, y, w, h = (int(value) for value in boxes[i, :4])
        box = np.s_[y : y + h, x : x + w]
        strokes = _strokes(rising[part][box], falling[part][box], labels[box] == i)
        if i and strokes >= max(MIN_STROKES, MIN_DENSITY * w / h) and _clear(left + x, w, both.shape[1]):
            yield left + x, top + y, w


def _clear(left: int, width: int, of: int) -> bool:
    """Whether it keeps away from the sides, as titles do and grass does not."""
    return left >= SIDE * of and left + width <= (1 - SIDE) * of


def _strokes(rising: Picture, falling: Picture, own: NDArray[np.bool_]) -> float:
    """How often light and dark take turns along a row, on average."""
    signs = (rising > 0).astype(np.int8) - (falling > 0)
    row, column = np.nonzero((signs != 0) & own)
    sign = signs[row, column]
    return np.count_nonzero((sign[1:] != sign[:-1]) & (row[1:] == row[:-1])) / len(own)


def _edges(grey: Picture, scale: float) -> Edges:
    if scale != 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    smooth = np.asarray(cv2.blur(grey, (1, 3)), np.uint8)
    left, right = smooth[:, :-2], smooth[:, 2:]
    return np.asarray(cv2.subtract(right, left), np.uint8), np.asarray(cv2.subtract(left, right), np.uint8)


def _thick(edges: Edges) -> Edges:
    rising, falling = (cv2.dilate(part, np.ones((3, 3), np.uint8)) for part in edges)
    return np.asarray(rising, np.uint8), np.asarray(falling, np.uint8)


def _least(views: Sequence[Edges]) -> Edges:
    rising, falling = (reduce(cv2.min, parts) for parts in zip(*views, strict=True))
    return np.asarray(rising, np.uint8), np.asarray(falling, np.uint8)


def _beyond(lasting: Picture, other: Picture) -> Picture:
    """255 where an edge of `lasting` is not half as strong in `other`, nor next to it."""
    least = np.maximum(cv2.add(other, other), np.uint8(EDGE - 1))
    return np.asarray(cv2.compare(lasting, least, cv2.CMP_GT), np.uint8)


def _lasting(lines: NDArray[np.float64], cuts: NDArray[np.int64], reach: float) -> Iterator[tuple[float, float]]:
    """First and last frame of each line (rows as in Sighting, by start) seen again in its place within `reach`."""
    start, end, missing, centre, top, width = lines.T[:6]
    # What lies between the last picture without the line and the first with it, or the other way round.
    gap = np.where(missing < start, (missing, start), (end, missing))
    within = np.equal(*np.searchsorted(cuts, gap, side="right"))
    until = np.searchsorted(start, start + reach, side="right")
    for i in range(len(lines)):
        later = np.s_[i + 1 : until[i]]
        same = (start[later] > start[i]) & (np.abs(top[later] - top[i]) <= SAME_PLACE)
        same &= np.abs(centre[later] - centre[i]) < width[i] / 4
        same &= within[later] | within[i]
        if same.any():
            yield float(start[i]), float(end[later][same].max())
