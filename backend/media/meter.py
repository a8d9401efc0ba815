"""What is measured on every small frame: signals, HSV change, and a miniature by which a frame can be found again."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.media.shots import Measured
from backend.media.signals import FRAME_SIGNALS

Picture = NDArray[np.uint8]
Row = tuple[float, ...]
FINGERPRINT_SHAPE = (9, 16)
ANALYSIS_AREA = 128 * 72
LUMA_BINS = 16
ABRUPT = 14.0

cv2.setNumThreads(0)


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, both even, of the small frame for a picture of this shape: about 128 x 72 pixels."""
    scale = (ANALYSIS_AREA / (width * height)) ** 0.5
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


def _row(hsv: Picture, grey: Picture, hsv_before: Picture, grey_before: Picture) -> Row:
    """The signals of a frame, in the order of FRAME_SIGNALS."""
    pixels = grey.size
    change = cv2.norm(hsv, hsv_before, cv2.NORM_L1) / (3 * pixels)
    motion = cv2.norm(grey, grey_before, cv2.NORM_L1) / pixels
    light, contrast = cv2.meanStdDev(grey)
    histogram = cv2.calcHist([grey], [0], None, [LUMA_BINS], [0, 256])
    measured = (change, motion, float(light[0, 0]), float(contrast[0, 0]), cv2.mean(hsv)[1])
    return (*(value / 255 for value in measured), float(histogram.max()) / pixels)


def _mixture(new: Picture, old: Picture, share: float) -> Picture:
    return new if share == 1 else np.asarray(cv2.addWeighted(new, share, old, 1 - share, 0), np.uint8)


def _between(row: Row, before: Row, skipped: int) -> Iterator[tuple[int, float, Row]]:
    """Rows of the frames left out and of the one decoded after them: number, share of the latter, signals.

    A change is spread evenly, unless even its part is as large as a cut: that stays with the decoded frame.
    """
    frames = skipped + 1
    abrupt = 255 * row[0] >= ABRUPT * frames
    for i in range(frames):
        share = (i + 1) / frames
        moved = tuple(value / frames for value in row[:2]) if not abrupt else row[:2] if share == 1 else (0.0, 0.0)
        rest = tuple(share * new + (1 - share) * old for new, old in zip(row[2:], before[2:], strict=True))
        yield i, share if not abrupt else float(share == 1), (*moved, *rest)


class FrameMeter:
    """Measures frames one after another and keeps the rows: some 500 bytes a frame."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._fingerprints: list[Picture] = []
        self._last: tuple[Picture, Picture] | None = None

    def push(self, number: int, frame: Picture, skipped: int = 0) -> list[Measured]:
        """Measure a small BGR frame. Before it `skipped` frames were left out, the first of them `number`: they are
        given too, as mixtures of their neighbours, so that every frame of the film has its row.
        """
        hsv = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2HSV), np.uint8)
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)
        miniature = np.asarray(cv2.resize(grey, FINGERPRINT_SHAPE[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        before = self._last or (hsv, grey)
        before_miniature = self._fingerprints[-1] if self._fingerprints else miniature
        row = _row(hsv, grey, *before)
        self._last = (hsv, grey)
        seen = []
        parts = _between(row, self._rows[-1], skipped) if skipped else ((0, 1.0, row),)
        for i, share, part in parts:
            self._rows.append(part)
            self._fingerprints.append(_mixture(miniature, before_miniature, share))
            seen.append(Measured(number + i, frame, self._fingerprints[-1], *(255 * value for value in part[:3])))
        return seen

    def motion(self, start: int, end: int) -> NDArray[np.float32]:
        """The column `motion` of the frames `[start, end)`."""
        return np.array([row[1] for row in self._rows[start:end]], np.float32)

    def signals(self) -> NDArray[np.float32]:
        """All rows so far, float32 [frames, 6], columns as in `FRAME_SIGNALS`."""
        return np.array(self._rows, np.float32).reshape(-1, len(FRAME_SIGNALS))

    def fingerprints(self) -> NDArray[np.uint8]:
        """Luma miniatures, uint8 [frames, 9, 16]."""
        return np.array(self._fingerprints, np.uint8).reshape(-1, *FINGERPRINT_SHAPE)
