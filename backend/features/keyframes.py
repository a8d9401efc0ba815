"""From shots with several keyframes each to one list of pictures, and back to one row per shot."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Image, ShotMaterial, Vectors


def flatten(shots: Sequence[ShotMaterial]) -> tuple[list[Image], NDArray[np.int64]]:
    """All keyframes in order, and for each the index of its shot, int64 [keyframes]."""
    images = [image for shot in shots for image in shot.keyframes]
    owner = np.repeat(np.arange(len(shots)), [len(shot.keyframes) for shot in shots])
    return images, owner.astype(np.int64)


def batches(images: Sequence[Image], size: int) -> Iterator[tuple[list[int], NDArray[np.uint8]]]:
    """Pictures of equal shape together, at most `size` at a time: their indices and uint8 [n, height, width, 3]."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for k, image in enumerate(images):
        by_shape.setdefault(image.shape, []).append(k)
    for places in by_shape.values():
        for at in range(0, len(places), size):
            part = places[at : at + size]
            yield part, np.stack([images[k] for k in part])


def pixels(images: NDArray[np.uint8], mean: Sequence[float], scale: float) -> NDArray[np.float32]:
    """What an image network takes: (uint8 [n, height, width, 3] - mean) * scale → float32 [n, 3, height, width]."""
    import cv2

    return np.asarray(cv2.dnn.blobFromImages(list(images), scale, mean=tuple(mean)), np.float32)


def mean_by_shot(values: Vectors, owner: NDArray[np.int64], shots: int) -> Vectors:
    """Mean over each shot's rows: float32 [rows, dimension] → [shots, dimension]; zeros where a shot has none."""
    total = np.zeros((shots, values.shape[1]), np.float64)
    np.add.at(total, owner, values)
    count = np.bincount(owner, minlength=shots).astype(np.float64)
    return (total / np.maximum(count, 1)[:, None]).astype(np.float32)
