"""Training of framing: splits, figures, equal runs, what is written; on stills of films, with labels by eye."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backend.analysis.stills import FramesRequest, StoredStill, write_stills
from backend.errors import InputError, OutputError
from backend.features.framing.judge import load_judge
from backend.features.framing.network import Shape, cnn, grey, last_maps
from tests.command import selects, selects_json
from tests.test_framing_labels import COMMITTED
from trainer.framing.figures import Counts, wilson
from trainer.framing.learning import Setting, activation_maps, learn_cnn, learn_head
from trainer.framing.material import film_names
from trainer.framing.report import require_place
from trainer.framing.search import BASELINE, TRIED, choose
from trainer.framing.splits import halves, mixed, thinned, unwatched
from trainer.framing.train import Asked

SMALL = Setting(Shape(filters=(4, 8), hidden=8, dropout=0.0), epochs=12, rate=3e-3)


def made(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures with a bright disc in the middle, or without one: what any network can tell."""
    rng = np.random.default_rng(seed)
    yes = np.arange(count) % 3 == 0
    y, x = np.mgrid[:128, :128]
    disc = ((y - 64) ** 2 + (x - 64) ** 2 < 30**2).astype(np.float32)
    pixels = rng.uniform(0, 0.3, (count, 1, 128, 128)).astype(np.float32)
    pixels[yes, 0] += 0.6 * disc
    return pixels, yes


# -- figures and splits


def test_figures_are_counted() -> None:
    yes = np.array([1, 1, 1, 0, 0, 0, 0], bool)
    said = np.array([1, 1, 0, 1, 0, 0, 0], bool)
    counts = Counts.of(yes, said)
    assert (counts.tp, counts.fp, counts.fn, counts.tn) == (2, 1, 1, 3)
    assert counts.figures == {"recall": (2, 3), "precision": (2, 3), "false_positive_rate": (1, 4)}
    assert counts.youden == pytest.approx(2 / 3 - 1 / 4)
    assert Counts(0, 0, 3, 4).to_json()["precision"] == {"value": None, "low": 0.0, "high": 1.0, "of": 0}


def test_intervals_are_wilsons() -> None:
    """Against the table of Newcombe (1998): 81 of 263, and 0 of 20."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_every_still_is_tested_once_by_what_did_not_see_it() -> None:
    film = np.repeat([0, 1, 2, 3], 10)
    yes = np.tile([True] + 4 * [False], 8)
    for folds in (mixed(yes, 0), unwatched(film, yes), halves(film, yes)):
        assert sorted(np.concatenate([test for _, test in folds]).tolist()) == list(range(40))
        assert all(not set(learn) & set(test) and len(learn) + len(test) == 40 for learn, test in folds)
    assert all(
        len(set(film[test])) == 1 and not set(film[learn]) & set(film[test]) for learn, test in unwatched(film, yes)
    )
    assert all(not set(film[learn]) & set(film[test]) for learn, test in halves(film, yes))


def test_a_film_is_not_tested_where_the_others_teach_nothing() -> None:
    film, yes = np.repeat([0, 1], 4), np.array([1, 0, 0, 0, 0, 0, 0, 0], bool)
    assert [sorted(set(film[test].tolist())) for _, test in unwatched(film, yes)] == [[1]]


@pytest.mark.parametrize(("drop", "left"), [(0.0, 30), (0.6, 12), (0.99, 1)])
def test_negatives_are_dropped_and_positives_never(drop: float, left: int) -> None:
    yes = np.arange(40) < 10
    kept = thinned(np.arange(40), yes, drop, seed=3)
    assert int(yes[kept].sum()) == 10
    assert int((~yes[kept]).sum()) == left


# -- learning


def test_a_cnn_learns_and_equal_seeds_are_equal() -> None:
    pixels, yes = made(36, 1)
    one, two, other = (learn_cnn(pixels, yes, SMALL, seed) for seed in (5, 5, 6))
    assert all(np.array_equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    assert not all(np.array_equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
    fresh, truth = made(30, 2)
    assert ((one.of_pixels(fresh) >= 0.5) == truth).mean() >= 0.9


def test_the_network_looks_where_the_difference_is() -> None:
    pixels, yes = made(36, 1)
    judge = learn_cnn(pixels, yes, SMALL, 5)
    maps = activation_maps(judge, pixels[yes])
    assert maps.shape == (12, 64, 64)
    assert 0 <= maps.min() <= maps.max() <= 1
    middle, edge = maps[:, 16:48, 16:48].mean(), maps[:, :8].mean()
    assert middle > edge


def test_the_last_maps_are_behind_the_last_convolution() -> None:
    import torch

    for setting in TRIED:
        network = cnn(setting.shape)
        at = last_maps(setting.shape)
        assert isinstance(network[at - 1], torch.nn.ReLU)
        assert isinstance(network[at], torch.nn.MaxPool2d)
        assert network(torch.zeros(2, 1, 128, 128)).shape == (2, 1)


def test_a_head_learns() -> None:
    rng = np.random.default_rng(0)
    yes = np.arange(60) % 4 == 0
    vectors = rng.normal(size=(60, 40)).astype(np.float32)
    vectors[yes, :3] += 3
    judge = learn_head(vectors, yes, 0)
    assert ((judge.of_vectors(vectors) >= judge.threshold) == yes).mean() >= 0.95


def test_the_search_chooses_on_films_it_then_learns_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two settings, one of which cannot learn, the other is chosen."""
    stuck, able = replace(SMALL, epochs=0), replace(SMALL, epochs=30)
    monkeypatch.setattr("trainer.framing.search.TRIED", (stuck, able))
    pixels, yes = made(48, 1)
    chosen, scores = choose(pixels, yes, np.arange(48) % 2, 0.0, 5, augment=False)
    assert chosen == able
    assert scores[1] > scores[0]
    assert choose(pixels, yes, np.zeros(48, np.int64), 0.0, 5, augment=True) == (replace(BASELINE, augment=True), [])


def test_grey_pictures_are_squares() -> None:
    made_grey = grey([np.full((90, 160, 3), 255, np.uint8), np.zeros((50, 20, 3), np.uint8)])
    assert made_grey.shape == (2, 1, 128, 128)
    assert (made_grey[0].min(), made_grey[1].max()) == (1.0, 0.0)


def test_what_cannot_be_done_is_said_before_the_work(tmp_path: Path) -> None:
    for drop in (-0.1, 1.0, float("nan")):
        with pytest.raises(InputError, match="--drop-negatives"):
            Asked(drop)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Cannot write"):
        require_place(tmp_path / "file")


def test_films_of_one_title_are_told_apart() -> None:
    named = (("a" * 64, "Trailer"), ("b" * 64, "Trailer"), ("b" * 64, "Trailer"), ("c" * 64, "Other"))
    stills = [StoredStill(film, title, 0, 0.0, "", 8.0, 360, "") for film, title in named]
    assert film_names(stills) == ("Trailer (aaaaaaaa)", "Trailer (bbbbbbbb)", "Other")


# -- the command, on labels that were made by eye


@pytest.fixture(scope="module")
def trained(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of a few stills of the stage, Sintel's trailer and people walking."""
    folder = tmp_path_factory.mktemp("trained")
    for name, every_s in (("faces_stage_360p", 2.0), ("sintel_trailer_204p", 1.5), ("people_walking_432p", 20.0)):
        write_stills(FramesRequest((films / f"{name}.mp4",), folder / "stills", every_s), folder / "home")
    asked = ("--labels", COMMITTED, "--out", folder / "out", "--drop-negatives", "0.6")
    found = selects_json("framing", "train", folder / "stills", *asked, home=folder / "home", OMP_NUM_THREADS="1")
    assert found == json.loads((folder / "out" / "metrics.json").read_text())
    return folder


def test_training_counts_every_still_on_both_splits(trained: Path) -> None:
    found = json.loads((trained / "out" / "metrics.json").read_text())
    labelled = {title: film["labelled"] for title, film in found["films"].items()}
    assert labelled == {"faces_stage_360p": 5, "people_walking_432p": 7, "sintel_trailer_204p": 35}
    assert found["asked"]["drop_negatives"] == 0.6
    assert found["labels_without_a_still"] == 148 - 47
    for by_kind in found["splits"].values():
        assert set(by_kind) == {"rule", "cnn", "head"}
        for counted in by_kind.values():
            assert sum(counted[name] for name in ("tp", "fp", "fn", "tn")) == 47
    by_film = found["by_film"]["sintel_trailer_204p"]
    assert all(sum(counts.values()) == 35 for counts in by_film.values())


def test_the_page_shows_figures_galleries_and_maps(trained: Path) -> None:
    page = (trained / "out" / "report.html").read_text()
    for words in (
        "Unwatched films",
        "Mixed",
        "True positives",
        "False positives",
        "False negatives",
        "sintel_trailer_204p",
    ):
        assert words in page
    assert page.count("where the network looked") > 3
    assert re.search(r"learnt from\.\s+101 labels", page)
    assert "http" not in page.replace("http-equiv", "")


def test_trained_judges_judge_films(trained: Path, films: Path) -> None:
    for kind in ("cnn", "head"):
        judge = load_judge(trained / "out" / kind)
        assert (judge.kind, judge.threshold) == (kind, 0.5)
        asked = (films / "faces_stage_360p.mp4", "--model", trained / "out" / kind)
        (found,) = selects_json("framing", "scenes", *asked, home=trained / "home")
        assert (found["judged_by"], found["movie"]["shots"], found["scenes"]) == (kind, 5, [])


def test_a_judge_that_was_damaged_is_refused(trained: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("card.json", "model.safetensors"):
        (broken / name).write_bytes((trained / "out" / "cnn" / name).read_bytes())
    with (broken / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="not the file that its card describes"):
        load_judge(broken)


def test_labels_that_teach_nothing_are_refused(trained: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    for rows, said in (
        ([], "none is a medium close-up"),
        (["f" * 64 + ",x,1,yes,medium"], "None of the 1 labelled frames is a still"),
    ):
        labels.write_text("\n".join(["film,title,frame,medium_close_up,scale", *rows]) + "\n")
        asked = ("framing", "train", trained / "stills", "--labels", labels, "--out", tmp_path / "out")
        wrong = selects(*asked, home=trained / "home")
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert said in wrong.stderr
    assert not (tmp_path / "out").exists()
