"""Where a frame lies in time: integer frames, a rational rate, and a table of pts where the rate varies."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

ROUNDING_S = 1e-6


@dataclass(frozen=True)
class Timeline:
    """Frame numbers of one video stream and the seconds they stand for; second 0 is the first frame.

    `pts` (int64 [frames + 1], in `time_base`, first entry 0, last entry the end of the last frame) is given
    only where the rate varies.
    """

    rate: Fraction
    frames: int
    time_base: Fraction | None = None
    pts: NDArray[np.int64] | None = None

    @property
    def duration_s(self) -> float:
        """Length of the video in seconds."""
        return self.seconds(self.frames)

    def exact(self, frame: int) -> Fraction:
        """Start of `frame` (0 … frames; `frames` is the end of the film) in seconds, as a fraction."""
        if self.pts is None or self.time_base is None:
            return Fraction(frame) / self.rate
        return int(self.pts[min(max(frame, 0), self.frames)]) * self.time_base

    def seconds(self, frame: int) -> float:
        """Start of `frame` in seconds."""
        return float(self.exact(frame))

    def seconds_of(self, frames: NDArray[np.integer]) -> NDArray[np.float64]:
        """Start times in seconds of an array of frame numbers, same shape."""
        if self.pts is None or self.time_base is None:
            return np.asarray(frames, np.float64) * (self.rate.denominator / self.rate.numerator)
        ticks = self.pts[np.clip(frames, 0, self.frames)]
        return np.asarray(ticks, np.float64) * float(self.time_base)

    def frame_at(self, second: float) -> int:
        """The frame on screen at `second`, clipped to 0 … frames; starts rounded to microseconds are still starts."""
        second += ROUNDING_S
        if self.pts is None or self.time_base is None:
            frame = int(np.floor(second * self.rate.numerator / self.rate.denominator))
        else:
            tick = second / float(self.time_base)
            frame = int(np.searchsorted(self.pts, tick, side="right")) - 1
        return min(max(frame, 0), self.frames)
