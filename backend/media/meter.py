"""What is measured on every small frame: signals, HSV change, and a miniature by which a frame can be found again."""

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.media.shots import Measured
from backend.media.signals import FRAME_SIGNALS

Frame = NDArray[np.uint8]
FINGERPRINT_SHAPE = (9, 16)
ANALYSIS_AREA = 128 * 72
LUMA_BINS = 16

cv2.setNumThreads(0)


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, both even, of the small frame for a picture of this shape: about 128 x 72 pixels."""
    scale = (ANALYSIS_AREA / (width * height)) ** 0.5
    return max(16, 2 * round(width * scale / 2)), max(16, 2 * round(height * scale / 2))


class FrameMeter:
    """Measures frames one after another and keeps the rows; 168 bytes a frame."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._fingerprints: list[NDArray[np.uint8]] = []
        self._last: tuple[Frame, Frame] | None = None

    def push(self, number: int, frame: Frame) -> Measured:
        """Measure a small BGR frame."""
        hsv = cv2.cvtColor(frame, cv2.COLOR_BGR2HSV)
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        pixels = grey.size
        change = motion = 0.0
        if self._last is not None:
            change = cv2.norm(hsv, self._last[0], cv2.NORM_L1) / (3 * pixels)
            motion = cv2.norm(grey, self._last[1], cv2.NORM_L1) / pixels
        mean, deviation = cv2.meanStdDev(grey)
        light, contrast = float(mean[0, 0]), float(deviation[0, 0])
        colour = cv2.mean(hsv)[1]
        histogram = cv2.calcHist([grey], [0], None, [LUMA_BINS], [0, 256])
        row = (change / 255, motion / 255, light / 255, contrast / 255, colour / 255, float(histogram.max()) / pixels)
        self._rows.append(row)
        self._fingerprints.append(cv2.resize(grey, FINGERPRINT_SHAPE[::-1], interpolation=cv2.INTER_AREA))
        self._last = (hsv, grey)
        return Measured(number, frame, grey, change, motion, light)

    def motion(self, start: int, end: int) -> NDArray[np.float32]:
        """The column `motion` of the frames `[start, end)`."""
        return np.array([row[1] for row in self._rows[start:end]], np.float32)

    def signals(self) -> NDArray[np.float32]:
        """All rows so far, float32 [frames, 6], columns as in `FRAME_SIGNALS`."""
        return np.array(self._rows, np.float32).reshape(-1, len(FRAME_SIGNALS))

    def fingerprints(self) -> NDArray[np.uint8]:
        """Luma miniatures, uint8 [frames, 9, 16]."""
        return np.array(self._fingerprints, np.uint8).reshape(-1, *FINGERPRINT_SHAPE)
