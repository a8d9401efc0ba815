"""Scene grouping: films whose scenes are known, films that tell nothing, and the human truth of scene_boundaries."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backend.analysis.evaluate import evaluate_scenes
from backend.errors import InputError, OutputError, UnknownName
from backend.media.scenes import boundary_chances, group_shots

SCENES = [0, 9, 17, 30]
COUNT = 40


def film(seed: int = 0) -> dict[str, np.ndarray]:
    """Four scenes in four places, 0 … 8, 9 … 16, 17 … 29 and 30 … 39; each shot differs a little from the others."""
    rng = np.random.default_rng(seed)
    places = np.repeat(np.arange(4), np.diff([*SCENES, COUNT]))
    look = rng.gamma(1.0, size=(4, 64))[places] + 0.3 * rng.gamma(1.0, size=(COUNT, 64))
    colour = rng.gamma(0.5, size=(4, 256))[places] + 0.3 * rng.gamma(0.5, size=(COUNT, 256))
    histogram = colour / colour.sum(axis=1, keepdims=True)
    return {"visual": look.astype(np.float32), "colour": histogram.astype(np.float32)}


LENGTHS = np.full(COUNT, 3.0)


@pytest.mark.parametrize("names", [("visual",), ("colour",), ("visual", "colour")], ids="+".join)
@pytest.mark.parametrize("seed", range(3))
def test_finds_the_places_of_a_film(names: tuple[str, ...], seed: int) -> None:
    features = {name: film(seed)[name] for name in names}
    assert group_shots(features, LENGTHS).tolist() == SCENES


def test_units_of_length_and_scale_of_features_do_not_matter() -> None:
    features = {"visual": film()["visual"] * 1e6, "colour": film()["colour"] * 1e-6}
    assert group_shots(features, LENGTHS * 24).tolist() == SCENES


def test_a_dialogue_between_two_places_is_one_scene() -> None:
    rng = np.random.default_rng(1)
    places = rng.gamma(1.0, size=(4, 64))
    order = [0, 0, 0, 0, 0, 0, *([1, 2] * 6), 3, 3, 3, 3, 3, 3]
    look = places[order] + 0.2 * rng.gamma(1.0, size=(len(order), 64))
    assert group_shots({"visual": look.astype(np.float32)}, np.ones(len(order))).tolist() == [0, 6, 18]


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_values_that_are_not_finite_do_no_harm(value: float) -> None:
    features = film()
    features["visual"][::7, :20] = value
    features["colour"][5] = value
    lengths = LENGTHS.copy()
    lengths[3] = value
    assert group_shots(features, lengths).tolist() == SCENES


def test_shots_without_a_picture_do_not_look_alike() -> None:
    look = film()["visual"]
    look[20:26] = np.nan
    assert group_shots({"visual": look}, LENGTHS).tolist() == SCENES


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf, 3e38])
def test_a_film_that_tells_nothing_is_one_scene(count: int, value: float) -> None:
    blocks = {"visual": np.full((count, 8), value, np.float32), "audio": np.zeros((count, 0), np.float32)}
    for features in (blocks, {}):
        assert group_shots(features, np.zeros(count)).tolist() == [0][:count]


def test_a_rare_dissolve_makes_a_boundary_likelier_and_a_common_one_does_not() -> None:
    rng = np.random.default_rng(3)
    features = {"visual": rng.gamma(1.0, size=(COUNT, 64)).astype(np.float32)}
    rare, common = np.zeros(COUNT, bool), np.ones(COUNT, bool)
    rare[20] = True
    without = boundary_chances(features, LENGTHS)
    assert boundary_chances(features, LENGTHS, rare)[20] > 1.5 * without[20]
    np.testing.assert_allclose(boundary_chances(features, LENGTHS, common), without)


def test_chances_agree_with_counting_every_division() -> None:
    rng = np.random.default_rng(4)
    features, lengths = {"visual": rng.gamma(1.0, size=(7, 16)).astype(np.float32)}, rng.uniform(1, 4, 7)
    np.testing.assert_allclose(boundary_chances(features, lengths), _counted(features["visual"], lengths), rtol=1e-3)


def _counted(look: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The chances by going through all 2^(N-1) divisions, from the definition."""
    count = len(look)
    root = np.sqrt(look)
    root = root / np.linalg.norm(root, axis=1, keepdims=True)
    root -= root.mean(axis=0)
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    like = root @ root.T
    like /= like[~np.eye(count, dtype=bool)].std()
    weight = np.sqrt(lengths / np.median(lengths))
    weight /= weight.mean()
    total, chances = 0.0, np.zeros(count)
    for division in range(2 ** (count - 1)):
        starts = [0, *(i + 1 for i in range(count - 1) if division >> i & 1)]
        gain = 0.0
        for a, b in zip(starts, [*starts[1:], count], strict=True):
            inside = sum(weight[i] * weight[j] * like[i, j] for i in range(a, b) for j in range(i + 1, b))
            gain += 2.0 * inside / weight[a:b].sum() - 3.0
        total += np.exp(gain)
        chances[starts[1:]] += np.exp(gain)
    return chances / total


def test_a_film_of_three_thousand_shots_is_quick() -> None:
    rng = np.random.default_rng(0)
    shapes = {"visual": 1280, "colour": 256, "audio": 128}
    features = {name: rng.random((3000, width), np.float32) for name, width in shapes.items()}
    begun = time.process_time()
    group_shots(features, rng.random(3000) + 0.1)
    assert time.process_time() - begun < 5.0


def test_shapes_and_names_are_checked() -> None:
    with pytest.raises(InputError, match="visual"):
        group_shots({"visual": np.zeros((3, 4), np.float32)}, np.ones(4))
    with pytest.raises(InputError, match="transitions"):
        group_shots({}, np.ones(4), np.zeros(3, bool))
    with pytest.raises(UnknownName, match="colour, hsv"):
        group_shots({"smell": np.zeros((4, 4), np.float32)}, np.ones(4))


def store(path: Path, **more: np.ndarray) -> None:
    """A film in the format of scene_boundaries."""
    ends = np.arange(1, COUNT + 1) * 50
    np.savez(path, shots=np.stack([ends - 50, ends - 1], axis=1).astype(np.int32), **more)


def test_evaluate_writes_what_it_returns_and_never_reads_the_truth(tmp_path: Path) -> None:
    truth = np.array([object()] * COUNT)  # cannot be read without unpickling
    store(tmp_path / "one.npz", vgg19=film()["visual"].astype(np.float16), scene_start=truth)
    store(tmp_path / "two.npz", hsv=film()["colour"].astype(np.float16))
    store(tmp_path / "neither.npz")
    scenes = evaluate_scenes(tmp_path, tmp_path / "new" / "predicted.json")
    assert scenes == {"one": SCENES, "two": SCENES, "neither": [0]}
    assert json.loads((tmp_path / "new" / "predicted.json").read_text()) == scenes


@pytest.mark.parametrize("kind", ["empty", "cut", "text", "flipped", "pickle", "no shots", "shape", "rows"])
def test_a_broken_film_is_named_and_nothing_is_written(tmp_path: Path, kind: str) -> None:
    store(tmp_path / "a_good.npz", hsv=film()["colour"])
    broken = tmp_path / "broken.npz"
    store(broken, hsv=film()["colour"])
    whole = broken.read_bytes()
    if kind in ("empty", "cut", "text", "flipped"):
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes(255 - byte for byte in whole[middle : middle + 64]) + whole[middle + 64 :]
        content = {"empty": b"", "cut": whole[:-100], "text": b"not a film", "flipped": flipped}
        broken.write_bytes(content[kind])
    elif kind == "pickle":
        np.savez(broken, shots=np.array([{"a": 1}]))
    elif kind == "no shots":
        np.savez(broken, hsv=film()["colour"])
    elif kind == "shape":
        np.savez(broken, shots=np.zeros(4))
    else:
        store(broken, hsv=film()["colour"][:-1])
    with pytest.raises(InputError, match=r"broken\.npz"):
        evaluate_scenes(tmp_path, tmp_path / "predicted.json")
    assert not (tmp_path / "predicted.json").exists()


def test_a_folder_without_films_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        evaluate_scenes(tmp_path / "nowhere", tmp_path / "predicted.json")
    with pytest.raises(InputError, match="No films"):
        evaluate_scenes(tmp_path, tmp_path / "predicted.json")
    store(tmp_path / "one.npz")
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError, match="predicted"):
        evaluate_scenes(tmp_path, tmp_path / "taken" / "predicted.json")


def test_human_truth_is_met_better_than_by_any_baseline(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "scene_boundaries"
    evaluate_scenes(data, tmp_path / "predicted.json")
    command = [sys.executable, str(data / "scene_score.py"), str(data), str(tmp_path / "predicted.json")]
    scored = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["summary"]
    assert scored["f1_1"] > 0.57
    assert scored["f1_0"] > 0.391
    assert scored["f_co"] > 0.671
