"""Words for pictures: labels of shots, and queries ranked against them, with the real networks on real films."""

import threading
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from backend.features import label_words, labels, networks
from backend.features.base import ShotMaterial, Vectors
from backend.features.label_words import best_label, label_scores, label_texts, label_vectors
from backend.features.labels import CLASSES, Labels, classes, squeezed, top_labels
from backend.features.minilm import TextEncoder

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="module")
def encoder(cache: Path) -> TextEncoder:
    return TextEncoder(cache)


@pytest.fixture(scope="module")
def labeller(cache: Path) -> Labels:
    maker = Labels(cache=cache)
    maker.load()
    return maker


@pytest.fixture(scope="module")
def frame(films: Path) -> Callable[[str, float], Picture]:
    """A frame of a film, RGB, 320 wide."""

    def get(name: str, at_s: float) -> Picture:
        with av.open(str(films / name)) as film:
            stream = film.streams.video[0]
            film.seek(int(at_s / stream.time_base), stream=stream)
            for found in film.decode(stream):
                if found.time >= at_s:
                    return np.asarray(found.reformat(320, 320 * found.height // found.width, "rgb24").to_ndarray())
        raise AssertionError(f"{name} ends before {at_s}")

    return get


# -- texts -----------------------------------------------------------------------------------------------------


def test_texts_that_mean_the_same_are_near(encoder: TextEncoder) -> None:
    found = encoder.vectors(["Where is the dragon?", "Have you seen the dragon anywhere?", "", "The invoice is due."])
    assert found.shape == (4, 384)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0, 1], atol=1e-5)
    assert found[0] @ found[1] > 0.6 > 0.3 > found[0] @ found[3]
    assert encoder.vectors([]).shape == (0, 384)


def test_many_threads_share_one_encoder(cache: Path) -> None:
    """They meet at the opening; all get what one alone gets."""
    encoder, texts = TextEncoder(cache), [f"line {k} of the film" for k in range(8)]
    found: dict[int, Vectors] = {}
    threads = [threading.Thread(target=lambda k=k: found.update({k: encoder.vectors(texts)})) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = TextEncoder(cache).vectors(texts)
    assert len(found) == 4
    assert all(np.array_equal(one, expected) for one in found.values())


# -- labels ----------------------------------------------------------------------------------------------------


def test_labels_equal_timm_with_its_classifier(labeller: Labels, films: Path) -> None:
    import torch

    from backend.features.networks_torch import load_efficientnet, load_efficientnet_classes

    weights = networks.weights_file("efficientnet-lite0")
    network = torch.nn.Sequential(load_efficientnet(weights), load_efficientnet_classes(weights))
    found = cv2.imread(str(films / "astronaut.png"))
    assert found is not None
    image = cv2.cvtColor(found, cv2.COLOR_BGR2RGB).astype(np.uint8)
    pixels = torch.from_numpy(squeezed(image).transpose(2, 0, 1)[None]).float() / 127.5 - 1
    with torch.inference_mode():
        expected = network(pixels)[0].numpy()
    shot = ShotMaterial(0, 1, (image,), (0,))
    row = labeller.extract([shot]).vectors[0]
    np.testing.assert_allclose(row, expected, atol=1e-5)
    assert row.sum() == pytest.approx(1, abs=1e-4)


def test_classes_stand_in_the_order_of_the_weights(labeller: Labels, frame: Callable[[str, float], Picture]) -> None:
    """An order of its own would name everything wrongly; here the picture settles it."""
    assert len(classes()) == CLASSES
    assert [classes()[k][0] for k in (0, 331, 999)] == ["tench", "hare", "toilet tissue"]
    singer = ShotMaterial(0, 1, (frame("faces_stage_360p.mp4", 4.0),), (0,))
    (found,) = top_labels(labeller.extract([singer]).vectors, count=8, least=0.02)
    assert {"suit", "Windsor tie", "bow tie"} & {label.name for label in found}
    assert [label.probability for label in found] == sorted((label.probability for label in found), reverse=True)


def test_improbable_labels_are_not_listed() -> None:
    row = np.zeros((2, CLASSES), np.float32)
    row[0, [331, 0]] = 0.7, 0.1
    assert top_labels(row) == [(labels.Label("hare", pytest.approx(0.7)),), ()]


# -- labels by words -------------------------------------------------------------------------------------------


def test_the_rabbit_is_found_among_shots_of_a_film(
    labeller: Labels, encoder: TextEncoder, cache: Path, frame: Callable[[str, float], Picture]
) -> None:
    """Of nine shots of Big Buck Bunny: the first three show the standing rabbit, the last two the credits."""
    moments = [163.0, 167.0, 175.5, 12.5, 187.0, 395.5, 424.0, 500.0, 550.0]
    shots = [ShotMaterial(0, 1, (frame("big_buck_bunny_360p.mp4", at_s),), (0,)) for at_s in moments]
    found = labeller.extract(shots).vectors
    known = label_vectors(encoder, cache, cache / "nowhere")
    scores = label_scores(found, known, encoder.vectors(["rabbit", "text"]))
    assert scores.shape == (2, 9)
    assert 0 <= scores.min() <= scores.max() <= 1
    assert set(np.argsort(-scores[0])[:2]) <= {0, 1, 2}
    assert set(np.argsort(-scores[1])[:2]) == {7, 8}
    best = int(scores[0].argmax())
    assert best_label(found[best], known, encoder.vectors(["rabbit"])[0]) in {"hare", "wood rabbit", "Angora"}


def test_vectors_of_labels_are_made_once(encoder: TextEncoder, cache: Path, tmp_path: Path) -> None:
    """Encoding them takes seconds, so they are kept; a broken file is made anew, but not by one who may not write."""
    nowhere, file = tmp_path / "nowhere", cache / label_words.file_name()
    made = label_vectors(encoder, cache, nowhere)
    before, whole = file.stat().st_mtime_ns, file.read_bytes()
    assert np.array_equal(label_vectors(encoder, None, cache), made), "the installation's, where set-up made it"
    assert np.array_equal(label_vectors(encoder, cache, nowhere), made)
    assert file.stat().st_mtime_ns == before
    assert np.array_equal(made[331], encoder.vectors([label_texts()[331]])[0])
    file.write_bytes(whole[:5000])
    assert np.array_equal(label_vectors(encoder, cache, nowhere), made)
    assert file.read_bytes() == whole
