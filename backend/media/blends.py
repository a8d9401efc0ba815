"""Dissolves and fades: two pictures that turn into each other linearly."""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_DIFFERENCE = 25.0
MAX_RESIDUE = 0.25
QUIET_FRAMES = 5


class BlendDetector:
    """Finds the middle of gradual transitions from luma miniatures.

    Over `2 * reach + 1` frames, the inner ones at a quarter, a half and three quarters must be that mixture of the two
    outer ones (the linear model of a dissolve; black or white at one end makes it a fade), and the outer ones must
    differ. A moving camera or a cut fits no mixture. Thresholds are measured in docs/decisions/0002-shots.md.
    """

    def __init__(self, reach: int) -> None:
        self._reach = max(4, reach)
        self._frames: deque[NDArray[np.float32]] = deque(maxlen=2 * self._reach + 1)
        self._weight = self._moment = 0.0
        self._quiet = 0

    def push(self, number: int, miniature: NDArray[np.uint8], last_cut: int) -> list[int]:
        """Take the miniature of frame `number` and the latest cut known; gives middles of ended transitions."""
        self._frames.append(miniature.astype(np.float32))
        middle = number - self._reach
        clear_of_cuts = abs(middle - last_cut) > self._reach + 1
        difference = self._difference() if len(self._frames) == self._frames.maxlen and clear_of_cuts else 0.0
        if difference:
            self._weight += difference
            self._moment += difference * middle
            self._quiet = 0
            return []
        self._quiet += 1
        return self.finish() if self._quiet >= QUIET_FRAMES else []

    def finish(self) -> list[int]:
        """The middle of the transition that is still running (centre of gravity of the difference), if there is one."""
        found = [round(self._moment / self._weight)] if self._weight else []
        self._weight = self._moment = 0.0
        return found

    def _difference(self) -> float:
        """How much the outer frames differ, 0 … 255, or 0 where the inner ones are no mixture of them."""
        first, last, half = self._frames[0], self._frames[-1], self._reach // 2
        difference = cv2.norm(last, first, cv2.NORM_L1) / first.size
        if difference <= MIN_DIFFERENCE:
            return 0.0
        for at, share in ((half, 0.25), (self._reach, 0.5), (self._reach + half, 0.75)):
            mixture = (1 - share) * first + share * last
            if cv2.norm(self._frames[at], mixture, cv2.NORM_L1) / first.size >= MAX_RESIDUE * difference:
                return 0.0
        return difference
