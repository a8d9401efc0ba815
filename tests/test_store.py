"""The store of features: what is put comes back, or counts as missing."""

import threading
from pathlib import Path

import numpy as np
import pytest

from backend.errors import OutputError
from backend.features.base import Extracted, FaceBox
from backend.features.dialogue import Dialogue
from backend.features.efficientnet import EfficientNetLite0
from backend.features.faces import Faces
from backend.features.mel import LogMel
from backend.features.store import FeatureStore, digest


def made_faces() -> Extracted:
    """Three shots with two, none and one faces; one face is not embedded."""
    rng = np.random.default_rng(0)
    vector = rng.random(128, dtype=np.float32)
    one = FaceBox(3, 0.25, 0.5, 0.125, 0.25, 0.9375, vector)
    two = FaceBox(4, 0.5, 0.5, 0.0625, 0.125, 0.96875)
    return Extracted(np.array([[2], [0], [1]], np.float32), ((one, two), (), (FaceBox(9, 0, 0, 1, 1, 1, vector),)))


def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    store, put = FeatureStore(tmp_path), made_faces()
    assert store.get("a" * 64, Faces, inputs="x") is None
    path = store.put("a" * 64, Faces, put, inputs="x")
    found = store.get("a" * 64, Faces, inputs="x")
    assert found is not None
    assert np.array_equal(found.vectors, put.vectors)
    assert found.vectors.dtype == np.float32
    assert [len(faces) for faces in found.faces] == [2, 0, 1]
    face = found.faces[0][0]
    assert (face.frame, face.x, face.y, face.width, face.height, face.probability) == (
        3,
        0.25,
        0.5,
        0.125,
        0.25,
        0.9375,
    )
    assert face.embedding is not None
    assert np.array_equal(face.embedding, put.faces[0][0].embedding)
    assert found.faces[0][1].embedding is None
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no temporary file stays"


def test_the_store_keeps_films_inputs_and_versions_apart(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs=digest("shots"))
    assert store.get("a" * 64, LogMel, inputs=digest("shots")) is not None
    assert store.get("a" * 64, LogMel, inputs=digest("other shots")) is None
    assert store.get("b" * 64, LogMel, inputs=digest("shots")) is None

    class Newer(LogMel):
        version = LogMel.version + 1

    assert store.get("a" * 64, Newer, inputs=digest("shots")) is None
    moved = store.path("b" * 64, LogMel, inputs=digest("shots"))
    moved.parent.mkdir()
    moved.write_bytes(path.read_bytes())
    assert store.get("b" * 64, LogMel, inputs=digest("shots")) is None, "a file in another film's place is not believed"


@pytest.mark.parametrize("keep", [0, 3, 100, -8, -1])
def test_a_broken_file_counts_as_missing(tmp_path: Path, keep: int) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs="x")
    path.write_bytes(path.read_bytes()[:keep])
    assert store.get("a" * 64, LogMel, inputs="x") is None
    store.put("a" * 64, LogMel, Extracted(np.ones((2, 128), np.float32)), inputs="x")
    assert store.get("a" * 64, LogMel, inputs="x") is not None


def test_a_flipped_byte_is_noticed(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    path = store.put("a" * 64, Faces, made_faces(), inputs="x")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :])
        found = store.get("a" * 64, Faces, inputs="x")
        assert found is None or (np.array_equal(found.vectors, made_faces().vectors) and len(found.faces) == 3)


def test_two_writers_and_a_reader_get_along(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    values = Extracted(np.random.default_rng(0).random((200, 1280), dtype=np.float32))
    store.put("a" * 64, EfficientNetLite0, values, inputs="x")
    wrong: list[object] = []

    def write() -> None:
        for _ in range(10):
            store.put("a" * 64, EfficientNetLite0, values, inputs="x")

    def read() -> None:
        for _ in range(30):
            found = store.get("a" * 64, EfficientNetLite0, inputs="x")
            if found is None or not np.array_equal(found.vectors, values.vectors):
                wrong.append(found)

    threads = [threading.Thread(target=work) for work in (write, write, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(list((tmp_path / ("a" * 64)).iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        FeatureStore(tmp_path / "file").put("a" * 64, Dialogue, Extracted(np.zeros((0, 384), np.float32)), inputs="x")


def test_digest_tells_inputs_apart() -> None:
    shots = np.array([[0, 10], [11, 20]])
    assert digest(shots, "adaptive") == digest(shots.copy(), "adaptive")
    others = (digest(shots.T.copy(), "adaptive"), digest(shots, "content"), digest(shots.astype(np.int32), "adaptive"))
    assert len({digest(shots, "adaptive"), *others}) == 4
    assert digest("ab", "c") != digest("a", "bc")
