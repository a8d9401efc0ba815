"""The full profile's loaders: true formats, strict loading, vectors equal to the libraries' own, clear errors."""

import json
import pickle
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from backend.errors import MissingWeights
from backend.features.base import ShotMaterial
from backend.features.facenet import FaceNetFaces
from backend.features.openclip import OpenClip
from backend.features.registry import EXTRACTORS
from backend.features.videomae import VideoMae, prepared
from tests import checkpoints
from tests.material import smooth_picture as image

FULL = ("videomae", "openclip", "facenet")


# -- VideoMAE


PUBLISHED = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, PUBLISHED),
        ({"image_mean": [0.5, 0.4, 0.6], "image_std": [0.5, 0.3, 0.2]}, ([0.5, 0.4, 0.6], [0.5, 0.3, 0.2])),
        ({"crop_size": {"height": 64, "width": 64}}, PUBLISHED),
    ],
    ids=["nothing said", "own scale", "scale not said"],
)
def test_videomae_equals_transformers(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    said: dict[str, Any] | None,
    expected: tuple[list[float], list[float]],
) -> None:
    folder, (mean, deviation) = checkpoints.save_videomae(tmp_path), expected
    if said is not None:
        (folder / "preprocessor_config.json").write_text(json.dumps(said))
    capfd.readouterr()
    maker = VideoMae(weights=folder)
    maker.load()
    assert capfd.readouterr() == ("", "")
    clip = np.stack([image(seed, 72, 128) for seed in range(16)])
    found = maker.extract([ShotMaterial(0, 1, clip=clip)]).vectors[0]

    import torch
    from transformers import VideoMAEImageProcessor, VideoMAEModel

    network = VideoMAEModel.from_pretrained(folder).eval()
    processor = VideoMAEImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}, image_mean=mean, image_std=deviation
    )
    theirs = processor(list(clip), return_tensors="pt")["pixel_values"]
    pixels = prepared(clip, 64, (np.array(mean, np.float32), np.array(deviation, np.float32)))
    with torch.inference_mode():
        exact = network(pixel_values=torch.from_numpy(pixels)[None]).last_hidden_state.mean(dim=1)[0].numpy()
    np.testing.assert_allclose(found, exact, atol=1e-5)
    assert theirs.shape == (1, 16, 3, 64, 64)
    # Scaling is another library's, so pixels differ by rounding: the same picture, cut out at the same place.
    assert np.abs(theirs[0].numpy() - pixels).mean() < 0.03


@pytest.mark.parametrize(
    "said", ['{"image_mean": [0.5]}', '{"image_std": [0, 0, 0]}', '{"image_mean": "x"}', "[1", "7"]
)
def test_videomae_with_an_impossible_scale_is_refused(tmp_path: Path, said: str) -> None:
    folder = checkpoints.save_videomae(tmp_path)
    (folder / "preprocessor_config.json").write_text(said)
    with pytest.raises(MissingWeights, match=r"preprocessor_config\.json"):
        VideoMae(weights=folder).load()


@pytest.mark.parametrize("change", [{"hidden_size": 384}, {"num_frames": 8}])
def test_videomae_of_another_shape_is_refused(tmp_path: Path, change: dict[str, int]) -> None:
    folder = checkpoints.save_videomae(tmp_path, **change)
    with pytest.raises(MissingWeights, match="768 and 16 are needed"):
        VideoMae(weights=folder).load()


def test_videomae_lacking_a_tensor_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = checkpoints.save_videomae(tmp_path)
    state = load_file(folder / "model.safetensors")
    name = next(name for name in state if name.startswith("videomae.") and name.endswith("intermediate.dense.weight"))
    state.pop(name)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingWeights, match=r"intermediate\.dense\.weight"):
        VideoMae(weights=folder).load()


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors"])
def test_videomae_broken_files_are_one_sentence(tmp_path: Path, broken: str) -> None:
    folder = checkpoints.save_videomae(tmp_path)
    (folder / broken).write_bytes(b"\x00 not this")
    with pytest.raises(MissingWeights, match="VideoMAE-base"):
        VideoMae(weights=folder).load()


# -- FaceNet


def test_facenet_equals_facenet_pytorch(tmp_path: Path, films: Path) -> None:
    path = checkpoints.save_facenet(tmp_path)
    maker = FaceNetFaces(weights=path)
    maker.load()
    bgr = cv2.imread(str(films / "astronaut.png"))
    assert bgr is not None
    picture = np.asarray(
        cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), (320, 320), interpolation=cv2.INTER_AREA), np.uint8
    )
    found = maker.extract([ShotMaterial(0, 1, (picture,), (0,))])
    assert found.vectors.tolist() == [[1.0]]
    (face,) = found.faces[0]
    assert face.embedding is not None
    assert face.embedding.shape == (512,)

    import torch
    from facenet_pytorch import InceptionResnetV1
    from facenet_pytorch.models.utils.detect_face import extract_face

    network = InceptionResnetV1().eval()
    state = torch.load(path, weights_only=True)
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith("logits")})
    box = np.array([face.x, face.y, face.x + face.width, face.y + face.height]) * 320
    pixels = torch.as_tensor(extract_face(picture, box, image_size=160, margin=0))
    with torch.inference_mode():
        expected = network(((pixels.float() - 127.5) / 128)[None])[0].numpy()
    assert face.embedding @ expected > 0.999
    assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-4)


def test_facenet_loads_strictly(tmp_path: Path) -> None:
    import torch

    path = checkpoints.save_facenet(tmp_path)
    state = torch.load(path, weights_only=True)
    state["last_linear.weight"] = state["last_linear.weight"][:256]
    torch.save(state, path)
    with pytest.raises(MissingWeights, match=r"last_linear\.weight"):
        FaceNetFaces(weights=path).load()


# -- errors of all three


@pytest.mark.parametrize("name", FULL)
def test_a_path_without_weights_is_one_sentence(name: str, tmp_path: Path) -> None:
    for path in (tmp_path / "no where", tmp_path):
        with pytest.raises(MissingWeights) as caught:
            EXTRACTORS[name](weights=path).load()
        sentence = caught.value.detail
        assert str(tmp_path) in sentence
        assert f'SELECTS_MODELS__PATHS=\'{{"{name}": "/path/to/weights"}}\'' in sentence
        assert "\n" not in sentence


class Evil:
    """Runs code when it is unpickled plainly."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize(("name", "maker"), [("openclip", OpenClip), ("facenet", FaceNetFaces)])
def test_a_pickle_with_code_is_not_run(name: str, maker: type[Any], tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(MissingWeights, match="not a file of weights"):
        maker(weights=path).load()
    assert not mark.exists()


def test_a_videomae_pickle_with_code_is_not_run(tmp_path: Path) -> None:
    folder = checkpoints.save_videomae(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    mark = tmp_path / "ran"
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(MissingWeights, match="VideoMAE-base"):
        VideoMae(weights=folder).load()
    assert not mark.exists()
