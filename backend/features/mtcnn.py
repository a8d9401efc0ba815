"""Face detection with MTCNN (Zhang et al. 2016, facenet-pytorch's weights) on onnxruntime and numpy.

The steps are those of facenet_pytorch's detect_face; tests/test_faces.py holds the two against each other.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.features.keyframes import pixels
from backend.features.networks import session

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Images = NDArray[np.uint8]

CELL, STRIDE, FACTOR = 12, 2, 0.709
THRESHOLDS = (0.7, 0.7, 0.7)
MEAN, SCALE = (127.5,) * 3, 1 / 128
SLICE = 16


class FaceFinder:
    """Finds faces in RGB pictures; `min_face` is the smallest side looked for, in pixels."""

    def __init__(self, cache: Path | None, min_face: int = 24) -> None:
        self._min_face = min_face
        self._pnet = session("mtcnn-pnet", cache)
        self._rnet = session("mtcnn-rnet", cache)
        self._onet = session("mtcnn-onet", cache)

    def find(self, images: Images) -> list[Floats]:
        """Per picture of RGB uint8 [n, height, width, 3]: float32 [faces, 5] = left, top, right, bottom, probability.

        Pixels, not clipped to the picture; the most probable face comes first.
        """
        boxes, owner = self._propose(images)
        boxes, owner = self._refine(images, boxes, owner)
        boxes, owner = self._decide(images, boxes, owner)
        order = np.argsort(-boxes[:, 4], kind="stable")
        boxes, owner = boxes[order], owner[order]
        return [boxes[owner == picture] for picture in range(len(images))]

    def _propose(self, images: Images) -> tuple[Floats, Ints]:
        found, small = [], images
        for scale in _scales(images.shape[1:3], self._min_face):
            small = _shrunk(small, round(images.shape[2] * scale), round(images.shape[1] * scale))
            found.append(self._propose_at(small, scale))
        boxes = np.concatenate([box for box, _ in found] or [np.zeros((0, 9), np.float32)])
        owner = np.concatenate([own for _, own in found] or [np.zeros(0, np.int64)])
        kept = _suppress(boxes, owner, 0.7)
        boxes, owner = boxes[kept], owner[kept]
        size = boxes[:, [2, 3]] - boxes[:, [0, 1]]
        corners = boxes[:, :4] + boxes[:, 5:] * np.concatenate([size, size], axis=1)
        return _square(np.concatenate([corners, boxes[:, 4:5]], axis=1)), owner

    def _propose_at(self, small: Images, scale: float) -> tuple[Floats, Ints]:
        moves, scores = self._pnet.run(None, {"images": pixels(small, MEAN, SCALE)})
        owner, row, column = np.nonzero(scores[:, 1] >= THRESHOLDS[0])
        score = scores[owner, 1, row, column]
        corner = np.stack([column, row], axis=1).astype(np.float32) * STRIDE
        box = np.concatenate([np.floor((corner + 1) / scale), np.floor((corner + CELL) / scale)], axis=1)
        boxes = np.concatenate([box, score[:, None], moves[owner, :, row, column]], axis=1)
        kept = _suppress(boxes, owner, 0.5)
        return boxes[kept].astype(np.float32), owner[kept]

    def _refine(self, images: Images, boxes: Floats, owner: Ints) -> tuple[Floats, Ints]:
        moves, scores, kept = self._judge(self._rnet, images, boxes, owner, 24, THRESHOLDS[1])
        boxes, owner = np.concatenate([boxes[kept, :4], scores[:, None]], axis=1), owner[kept]
        kept = _suppress(boxes, owner, 0.7)
        return _square(_moved(boxes[kept], moves[kept])), owner[kept]

    def _decide(self, images: Images, boxes: Floats, owner: Ints) -> tuple[Floats, Ints]:
        moves, scores, kept = self._judge(self._onet, images, boxes, owner, 48, THRESHOLDS[2])
        boxes, owner = _moved(np.concatenate([boxes[kept, :4], scores[:, None]], axis=1), moves), owner[kept]
        kept = _suppress_nested(boxes, owner, 0.7)
        return boxes[kept], owner[kept]

    def _judge(
        self, network: Any, images: Images, boxes: Floats, owner: Ints, side: int, threshold: float
    ) -> tuple[Floats, Floats, Ints]:
        """Moves and scores of the boxes that pass, and their indices."""
        crops, whole = _crops(images, boxes, owner, side)
        parts = [
            network.run(["moves", "scores"], {"images": pixels(crops[at : at + SLICE], MEAN, SCALE)})
            for at in range(0, len(crops), SLICE)
        ]
        if not parts:
            return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
        moves, scores = (np.concatenate(part) for part in zip(*parts, strict=True))
        passed = np.flatnonzero(scores[:, 1] > threshold)
        return moves[passed], scores[passed, 1], whole[passed]


def _scales(size: Sequence[int], min_face: int) -> list[float]:
    scale, scales = CELL / min_face, []
    while min(size) * scale >= CELL:
        scales.append(scale)
        scale *= FACTOR
    return scales


def _shrunk(images: Images, width: int, height: int) -> Images:
    """One level of the pyramid, made from the level above: a quarter of the time of starting from the picture."""
    return np.stack([cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA) for image in images])


def _crops(images: Images, boxes: Floats, owner: Ints, side: int) -> tuple[Images, Ints]:
    """Each box cut out (clipped to its picture) and scaled, uint8 [k, side, side, 3]; indices of those not empty."""
    height, width = images.shape[1:3]
    corners = np.trunc(boxes[:, :4]).astype(np.int64)
    left, top = np.maximum(corners[:, 0], 1) - 1, np.maximum(corners[:, 1], 1) - 1
    right, bottom = np.minimum(corners[:, 2], width), np.minimum(corners[:, 3], height)
    whole = np.flatnonzero((right > left) & (bottom > top))
    out = np.empty((len(whole), side, side, 3), np.uint8)
    for place, k in enumerate(whole):
        crop = images[owner[k], top[k] : bottom[k], left[k] : right[k]]
        out[place] = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return out, whole


def _suppress(boxes: Floats, owner: Ints, limit: float) -> Ints:
    """Greedy non-maximum suppression inside each picture; indices kept, best first."""
    if not len(boxes):
        return np.zeros(0, np.int64)
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:4] - boxes[:, :2]], axis=1).astype(np.float64)
    kept = cv2.dnn.NMSBoxesBatched(sides.tolist(), boxes[:, 4].tolist(), owner.tolist(), 0.0, limit)
    return np.asarray(kept, np.int64).reshape(-1)


def _suppress_nested(boxes: Floats, owner: Ints, limit: float) -> Ints:
    """The same, by the share of the smaller box: a face inside a face goes."""
    kept: list[int] = []
    area = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    for k in np.argsort(-boxes[:, 4], kind="stable"):
        same = [other for other in kept if owner[other] == owner[k]]
        low = np.maximum(boxes[same, :2], boxes[k, :2])
        high = np.minimum(boxes[same, 2:4], boxes[k, 2:4])
        shared = np.maximum(high - low + 1, 0).prod(axis=1)
        if not np.any(shared / np.minimum(area[same], area[k]) > limit):
            kept.append(int(k))
    return np.array(kept, np.int64)


def _moved(boxes: Floats, moves: Floats) -> Floats:
    """The boxes, each corner moved by its share of the box's size."""
    size = boxes[:, 2:4] - boxes[:, :2] + 1
    corners = boxes[:, :4] + moves * np.concatenate([size, size], axis=1)
    return np.concatenate([corners, boxes[:, 4:5]], axis=1).astype(np.float32)


def _square(boxes: Floats) -> Floats:
    """The boxes widened to squares about their middle."""
    size = boxes[:, 2:4] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True, initial=0)
    low = boxes[:, :2] + size / 2 - side / 2
    return np.concatenate([low, low + side, boxes[:, 4:5]], axis=1).astype(np.float32)
