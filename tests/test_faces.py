"""Faces: found where facenet-pytorch finds them, embedded as dlib does."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.features import networks
from backend.features.base import ShotMaterial
from backend.features.faces import Faces
from backend.features.mtcnn import FaceFinder
from tests.material import frames_of, picture


def overlap(one: NDArray[np.float64], many: NDArray[np.float64]) -> float:
    """The greatest intersection over union of a box with any of others."""
    low, high = np.maximum(many[:, :2], one[:2]), np.minimum(many[:, 2:4], one[2:4])
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = (many[:, 2:4] - many[:, :2]).prod(axis=1) + (one[2:4] - one[:2]).prod() - shared
    return float((shared / union).max(initial=0))


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("PNet", [(12, 12), (33, 58), (180, 320)]), ("RNet", [(24, 24)]), ("ONet", [(48, 48)])],
)
def test_the_finders_networks_are_facenet_pytorchs(name: str, sizes: list[tuple[int, int]], cache: Path) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

    import torch  # isort: skip
    from facenet_pytorch.models import mtcnn  # isort: skip

    network, session = getattr(mtcnn, name)().eval(), networks.session(f"mtcnn-{name.lower()}", cache)
    for count, size in enumerate(sizes, 1):
        images = np.random.default_rng(count).uniform(-1, 1, (count, 3, *size)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(images))
        for found, wanted in zip(session.run(None, {"images": images}), expected, strict=True):
            np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_the_finder_agrees_with_facenet_pytorch(films: Path, cache: Path) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before facenet-pytorch)

    import torch  # isort: skip
    from facenet_pytorch import MTCNN  # isort: skip

    pictures = frames_of(films / "faces_stage_360p.mp4", range(0, 280, 20))
    reference, finder = MTCNN(min_face_size=24, keep_all=True), FaceFinder(cache)
    matched = clear = 0
    with torch.inference_mode():
        for image in [picture(films), *pictures]:
            boxes, probabilities = reference.detect(image)
            found = finder.find(image[None])[0].astype(np.float64)
            for box, probability in zip(boxes if boxes is not None else [], probabilities, strict=False):
                if probability > 0.95:
                    clear += 1
                    matched += overlap(np.asarray(box, np.float64), found) > 0.8
    assert clear >= 15
    assert matched / clear >= 0.9


def test_the_astronaut_has_one_face(films: Path, extractor) -> None:
    found = extractor("faces").extract([ShotMaterial(0, 1, (picture(films),), (7,))])
    assert found.vectors.tolist() == [[1.0]]
    (face,) = found.faces[0]
    assert face.probability > 0.99
    assert face.frame == 7
    assert face.embedding is not None
    assert face.embedding.shape == (128,)
    # Her face lies in the upper middle of the picture, about a fifth of it wide.
    assert abs(face.x + face.width / 2 - 0.43) < 0.05
    assert abs(face.y + face.height / 2 - 0.23) < 0.08
    assert 0.12 < face.width < 0.3


def test_the_stage_has_faces_and_a_counted_mean(films: Path, extractor) -> None:
    images = frames_of(films / "faces_stage_360p.mp4", (0, 100, 200))
    found = extractor("faces").extract([ShotMaterial(0, 10, tuple(images), (0, 100, 200))])
    assert len(found.faces[0]) >= 3
    assert found.vectors[0, 0] == pytest.approx(len(found.faces[0]) / 3)
    for face in found.faces[0]:
        assert 0 <= face.x <= face.x + face.width <= 1.0001
        assert 0 <= face.y <= face.y + face.height <= 1.0001


def test_no_face_where_there_is_none(films: Path, extractor) -> None:
    images = (np.zeros((180, 320, 3), np.uint8), np.full((180, 320, 3), 128, np.uint8))
    assert extractor("faces").extract([ShotMaterial(0, 1, images, (0, 1))]).vectors.tolist() == [[0.0]]


def test_the_embedding_equals_dlibs_own(films: Path, extractor) -> None:
    import dlib

    maker = extractor("faces")
    assert isinstance(maker, Faces)
    image = picture(films)
    box = np.array([105, 35, 170, 120], np.float32)
    weights = networks.weights_file("dlib-face")
    expected = np.array(dlib.face_recognition_model_v1(str(weights)).compute_face_descriptor(maker._chip(image, box)))
    np.testing.assert_allclose(maker.embed([image], box[None])[0], expected, atol=1e-4)


def test_the_same_face_is_nearer_than_another(films: Path, extractor) -> None:
    image = picture(films)
    changed = np.clip(image[5:300, 12:310].astype(np.float32) * 0.8 + 10, 0, 255).astype(np.uint8)
    stage = frames_of(films / "faces_stage_360p.mp4", (0, 100, 200))
    shots = [ShotMaterial(0, 1, (one,), (0,)) for one in (image, changed, *stage)]
    faces = extractor("faces").extract(shots).faces
    same = np.linalg.norm(faces[0][0].embedding - faces[1][0].embedding)
    others = [np.linalg.norm(faces[0][0].embedding - face.embedding) for found in faces[2:] for face in found]
    assert same < 0.4
    assert min(others) > 0.5
