"""Who is in a shot, full profile: MTCNN finds the faces, InceptionResnetV1 (VGGFace2) tells them apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Image, Vectors
from backend.features.faces import Faces
from backend.features.weights import from_url, given_file, headless

WHAT = "InceptionResnetV1 (VGGFace2)"
FILE = "20180402-114759-vggface2.pt"
URL = f"https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/{FILE}"
NAMES = (FILE, "model.safetensors")
SIDE = 160
BATCH = 16


class FaceNetFaces(Faces):
    """Mean number of faces per keyframe (1), and each face with an embedding of 512, length 1.

    `weights` is facenet-pytorch's state dict (.pt or .safetensors; its `logits` are not used) or a folder with it.
    """

    name = "facenet"
    takes_path = True

    def load_embedding(self) -> None:
        """Find, then load the weights strictly; raises MissingWeights."""
        if self.weights is not None:
            path = given_file(self.name, WHAT, self.weights, NAMES)
        else:
            path = from_url(self.name, WHAT, URL, cache=self.cache, offline=self.offline)
        from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

        import torch  # isort: skip
        from facenet_pytorch import InceptionResnetV1  # isort: skip

        network = headless(self.name, WHAT, InceptionResnetV1(), path, "logits.")
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._embedding: Any = network.to(self._device)

    def embed(self, pictures: Sequence[Image], boxes: NDArray[np.float32]) -> Vectors:
        """Embeddings, float32 [faces, 512], of one face per picture; boxes in pixels, float32 [faces, 4]."""
        import torch

        crops = np.stack([crop(picture, box) for picture, box in zip(pictures, boxes, strict=True)])
        pixels = torch.from_numpy((crops.transpose(0, 3, 1, 2).astype(np.float32) - 127.5) / 128)
        with torch.inference_mode():
            parts = [self._embedding(pixels[at : at + BATCH].to(self._device)) for at in range(0, len(pixels), BATCH)]
        return np.asarray(torch.cat(parts).float().cpu().numpy(), np.float32)


def crop(picture: Image, box: NDArray[np.float32]) -> Image:
    """The face, clipped to the picture and scaled to 160 x 160, as facenet_pytorch.extract_face does without margin."""
    import cv2

    height, width = picture.shape[:2]
    left, top = max(int(box[0]), 0), max(int(box[1]), 0)
    right, bottom = max(min(int(box[2]), width), left + 1), max(min(int(box[3]), height), top + 1)
    found = picture[top:bottom, left:right]
    if not found.size:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    return np.asarray(cv2.resize(found, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
