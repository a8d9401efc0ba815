"""How much of a picture is lettering: titles and credits, found by the shape of text lines."""

import cv2
import numpy as np
from numpy.typing import NDArray

STROKE = 40
LINE_KERNEL = cv2.getStructuringElement(cv2.MORPH_RECT, (9, 1))
MIN_LINE_WIDTH, MIN_LINE_HEIGHT, MAX_LINE_HEIGHT = 14, 3, 30
MIN_ASPECT, MIN_FILL = 2.0, 0.45


def lettering_share(picture: NDArray[np.uint8]) -> float:
    """Share of the picture's rows and columns that text lines take, 0 … 1.

    `picture` is RGB uint8, about 320 wide. Thin bright strokes (a white top-hat) that close to flat, filled boxes
    wider than high are lines of text; this is the classic morphological detector, not a reader.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    strokes = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, cv2.getStructuringElement(cv2.MORPH_RECT, (9, 9)))
    mask = cv2.threshold(strokes, STROKE, 255, cv2.THRESH_BINARY)[1]
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, LINE_KERNEL)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    width, height, area = boxes[1:, 2], boxes[1:, 3], boxes[1:, 4]
    lines = (width >= MIN_LINE_WIDTH) & (height >= MIN_LINE_HEIGHT) & (height <= MAX_LINE_HEIGHT)
    lines &= (width >= MIN_ASPECT * height) & (area >= MIN_FILL * width * height)
    return float((width * height)[lines].sum()) / grey.size
