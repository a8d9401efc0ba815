"""What alignment looks at: the miniatures of a film or a trailer, cut to a window of the picture and normalised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backend.media.timeline import Timeline

ROWS, COLUMNS = 9, 16
CELLS = ROWS * COLUMNS
FLAT = 3.0
"""Standard deviation of luma, in levels, below which a picture says nothing (black, fades, plain grounds)."""
GRID_HZ = 12.0
"""How often film and trailer are looked at in the search; what is found is then fitted to single frames."""
BAR_LEVEL = 24
DARK_LEVEL = 20
LARGEST_BAR = 0.4
ASYMMETRY = 0.03
BLEEDS = 0.1
"""So far, in cells, a bar darkens what borders on it: miniatures are scaled twice."""

Descriptors = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A window of the picture, in shares of its height and width."""

    top: float = 0.0
    bottom: float = 1.0
    left: float = 0.0
    right: float = 1.0

    @property
    def height(self) -> float:
        """Share of the picture's height."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Share of the picture's width."""
        return self.right - self.left

    def inside(self, other: "Box") -> "Box":
        """This window, given in shares of `other`, in shares of the picture."""
        return Box(
            other.top + self.top * other.height,
            other.top + self.bottom * other.height,
            other.left + self.left * other.width,
            other.left + self.right * other.width,
        )


WHOLE = Box()


@dataclass(frozen=True)
class Footage:
    """A film or a trailer as far as alignment looks at it. F frames, N shots.

    miniatures  uint8 [F, 9, 16], `Scan.fingerprints`
    shots       int64 [N, 2], `[start, end)` in frames
    box         the picture without the black bars around it
    aspect      width by height of the stored picture, bars included, in pixels
    """

    miniatures: NDArray[np.uint8]
    shots: NDArray[np.int64]
    timeline: Timeline
    box: Box = WHOLE
    aspect: float = 16 / 9

    @property
    def content_aspect(self) -> float:
        """Width by height of the picture without its bars."""
        return self.aspect * self.box.width / self.box.height

    @property
    def clear(self) -> Box:
        """The window of the cells that lie wholly inside `box`."""
        top, bottom = _whole_cells(ROWS, self.box.top, self.box.bottom)
        left, right = _whole_cells(COLUMNS, self.box.left, self.box.right)
        return Box(top, bottom, left, right)

    @cached_property
    def starts_s(self) -> NDArray[np.float64]:
        """When each frame starts, and when the last one ends; float64 [F + 1]."""
        return self.timeline.seconds_of(np.arange(len(self.miniatures) + 1))

    @cached_property
    def middles_s(self) -> NDArray[np.float64]:
        """The middle of each frame in seconds, float64 [F]."""
        return (self.starts_s[:-1] + self.starts_s[1:]) / 2

    def frames_at(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """The frame on screen at each time, clipped to those there are."""
        found = np.searchsorted(self.starts_s, seconds, side="right") - 1
        return np.clip(found, 0, len(self.miniatures) - 1).astype(np.int64)

    @cached_property
    def grid(self) -> NDArray[np.int64]:
        """The frames in the middle of each 1 / GRID_HZ seconds."""
        steps = np.arange(int(self.starts_s[-1] * GRID_HZ), dtype=np.float64)
        return self.frames_at((steps + 0.5) / GRID_HZ)

    def described(self, frames: NDArray[np.int64], window: Box) -> Descriptors:
        """What the frames show inside `window` (shares of the picture), float32 [n, 144]: see `descriptors`."""
        return descriptors(self.miniatures[frames], window, self.clear)


def descriptors(miniatures: NDArray[np.uint8], window: Box, content: Box = WHOLE) -> Descriptors:
    """Luma inside `window`, with mean 0 and length 1 for each picture, so that light and contrast do not count.

    A picture that is nearly plain stays shorter than 1: it is like nothing. Cells that reach out of `content`, into the
    bars, are not read.
    """
    cells = miniatures.reshape(len(miniatures), CELLS).astype(np.float32)
    if window != WHOLE:
        rows = _stretch(ROWS, window.top, window.bottom, content.top, content.bottom)
        columns = _stretch(COLUMNS, window.left, window.right, content.left, content.right)
        cells = cells @ np.kron(rows, columns).T.astype(np.float32)
    cells -= cells.mean(axis=1, keepdims=True)
    cells /= np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), FLAT * CELLS**0.5)
    return cells


def _whole_cells(cells: int, first: float, last: float) -> tuple[float, float]:
    low = np.ceil(first * cells + BLEEDS) if first > 0 else 0.0
    high = np.floor(last * cells - BLEEDS) if last < 1 else cells
    return float(low) / cells, float(high) / cells


def _stretch(cells: int, start: float, end: float, first: float, last: float) -> NDArray[np.float64]:
    """The matrix [cells, cells] that reads as many cells out of `[start, end)` of a line of cells, by straight lines
    between their middles; only from cells inside `[first, last)`.
    """
    middles = (start + (np.arange(cells) + 0.5) / cells * (end - start)) * cells - 0.5
    middles = np.clip(middles, round(first * cells), round(last * cells) - 1)
    low = np.minimum(middles.astype(int), cells - 2)
    matrix = np.zeros((cells, cells))
    matrix[np.arange(cells), low] = 1 - (middles - low)
    matrix[np.arange(cells), low + 1] += middles - low
    return matrix


def find_bars(pictures: Sequence[NDArray[np.uint8]]) -> Box:
    """The window inside the black bars that most pictures [height, width, 3] have; dark pictures do not count.

    Bars lie opposite each other and are alike; what is dark at one side only belongs to the picture.
    """
    light = [picture.max(axis=2) for picture in pictures if picture.mean() > DARK_LEVEL]
    if not light:
        return WHOLE
    vertical = _bars([np.percentile(picture, 95, axis=1) for picture in light])
    horizontal = _bars([np.percentile(picture, 95, axis=0) for picture in light])
    return Box(vertical, 1 - vertical, horizontal, 1 - horizontal)


def _bars(lines: Sequence[NDArray[np.float64]]) -> float:
    """Share of the line of each of the two bars, 0 where there are none."""
    ends = np.array([[np.argmax(line > BAR_LEVEL), np.argmax(line[::-1] > BAR_LEVEL)] for line in lines])
    first, second = np.median(ends / len(lines[0]), axis=0)
    alike = abs(first - second) <= ASYMMETRY and max(first, second) <= LARGEST_BAR
    return float(max(first, second)) if alike and min(first, second) > 0 else 0.0


def without_bars(footage: Footage, pictures: Sequence[NDArray[np.uint8]]) -> Footage:
    """The footage with the window that its keyframe pictures show."""
    return replace(footage, box=find_bars(pictures))
