"""Who learns and who examines: no film on both sides, whatever the snapshot says of it."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.snapshots import made
from trainer.evidence.card import examine, split_of
from trainer.fit import Asked, Trained, train
from trainer.learners.split import (
    CLIP,
    STALE_S,
    group_films,
    make_split,
    recent_random,
    training_weights,
    validation_films,
)
from trainer.material.slots import slot_rows
from trainer.progress import Progress
from trainer.snapshot import Snapshot


def labelled(snapshot: Snapshot) -> np.ndarray:
    return snapshot.labels >= 0


def trained(snapshot: Snapshot, **asked: object) -> Trained:
    return train(snapshot, Asked(**asked), Progress(None), threading.Event())  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(0, 99), st.integers(0, 2))
def test_no_film_is_on_two_sides(films: int, seed: int, frozen: int) -> None:
    snapshot = made(120, films + frozen, seed=seed)
    out = np.isin(snapshot.movies, [f"film {film}" for film in range(frozen)])
    snapshot = replace(snapshot, holdout=out)
    split = make_split(snapshot, labelled(snapshot), seed, 5)
    for movie in np.unique(snapshot.movies):
        assert len(np.unique(split.folds[snapshot.movies == movie])) == 1
    assert set(split.train) | set(split.held) == set(np.flatnonzero(labelled(snapshot)))
    assert not set(snapshot.movies[split.train]) & set(snapshot.movies[split.held])
    assert split.count == min(5, films)
    assert set(split.folds[split.train]) == set(range(split.count))
    kept = validation_films(split.films[split.train], snapshot.labels[split.train].astype(float), seed)
    assert not set(split.films[split.train][kept]) & set(split.films[split.train][~kept])


def twice(snapshot: Snapshot, film: str) -> Snapshot:
    """One film once more under another name."""
    again = np.append(np.arange(len(snapshot)), np.flatnonzero(snapshot.movies == film))
    longer = snapshot.take(again)
    movies = longer.movies.copy()
    movies[len(snapshot) :] = "another name"
    return replace(longer, movies=movies)


def test_a_film_under_two_names_is_one_film() -> None:
    snapshot = twice(made(200, 6), "film 3")
    films, names = group_films(snapshot)
    assert "another name = film 3" in names
    assert len(np.unique(films)) == 6
    split = make_split(snapshot, labelled(snapshot), 0, 6)
    sides = split.folds[np.isin(snapshot.movies, ["film 3", "another name"])]
    assert len(np.unique(sides)) == 1
    assert any("another name = film 3" in remark for remark in split.remarks)
    frozen = replace(snapshot, holdout=snapshot.movies == "another name")
    kept = make_split(frozen, labelled(frozen), 0, 6)
    assert "film 3" not in set(snapshot.movies[kept.train]), "its copy is frozen"


def test_films_that_have_only_coarse_or_black_windows_in_common_stay_two() -> None:
    rng = np.random.default_rng(0)
    coarse = made(300, 6, unlabelled=0)
    features = rng.integers(0, 2, (300, 8)).astype(np.float32)
    assert len(group_films(replace(coarse, features=features))[1]) == 6
    black = coarse.features.copy()
    black[::3] = 0.5
    assert len(group_films(replace(coarse, features=black))[1]) == 6


def test_a_film_on_both_sides_of_the_holdout_is_not_learnt_from() -> None:
    snapshot = made(200, 6, unlabelled=0)
    leaked = replace(snapshot, holdout=(snapshot.movies == "film 0") | (np.arange(200) == 199))
    split = make_split(leaked, labelled(leaked), 0, 5)
    assert set(snapshot.movies[split.held]) == {"film 0", "film 5"}
    assert any("1 films have rows on both sides" in remark for remark in split.remarks)


def test_weights_are_those_of_the_pool_clipped_with_mean_one() -> None:
    snapshot = made(100, 4, unlabelled=0, propensities=[1.0] * 90 + [0.5] * 5 + [0.001] * 4 + [np.nan])
    found = training_weights(snapshot)
    assert found.mean() == pytest.approx(1)
    ratio = found / found[0]
    np.testing.assert_allclose(ratio[[0, 90, 95, 99]], [1, 2, CLIP, 1], rtol=1e-5)
    assert training_weights(replace(snapshot, weights=3 * snapshot.weights)) == pytest.approx(found)


def test_what_was_asked_by_chance_and_lately() -> None:
    snapshot = made(40, 4, unlabelled=0, decided_at=np.append(np.full(39, 1e9), 1e9 + STALE_S + 1))
    newest = recent_random(snapshot, labelled(snapshot))
    assert set(np.flatnonzero(newest)) <= {39}
    undated = replace(snapshot, decided_at=np.full(40, np.nan))
    np.testing.assert_array_equal(recent_random(undated, labelled(undated)), snapshot.strategies == "random")


def test_frozen_films_are_judged_by_a_model_that_learnt_from_none_of_them() -> None:
    snapshot = made(400, 10)
    snapshot = replace(snapshot, holdout=np.isin(snapshot.movies, ["film 0", "film 1", "film 2"]))
    asked = Asked(propose="linear")
    found = trained(snapshot, propose="linear")
    said = split_of(found)
    assert said["holdout_films"] == ["film 0", "film 1", "film 2"]
    assert set(said["train_films"]) & set(said["holdout_films"]) == set()
    values = examine(found, asked, None, np.linspace(0, 1, 9)).values
    assert values["figures_of"] == "holdout"
    assert values["figures"]["challenger"]["auc"]["films"] == 3
    assert {"random", "holdout", "films"} == set(values["slices"])
    turned = snapshot.labels.copy()
    turned[snapshot.holdout & (turned >= 0)] ^= 1
    other = trained(replace(snapshot, labels=turned), propose="linear")
    for name, tensor in found.tensors.items():
        np.testing.assert_array_equal(tensor, other.tensors[name])


def test_a_leak_between_films_would_be_seen() -> None:
    """Labels are noise, but every film has a copy: who learns from the copy knows the answers. The split must not."""
    noise = made(240, 6, signal=0, seed=3, unlabelled=0)
    copies = np.char.add(noise.movies.astype(str), " again").astype(object)
    both = noise.take(np.append(np.arange(240), np.arange(240)))
    both = replace(both, movies=np.append(noise.movies, copies))
    found = trained(both)
    assert found.split.count == 5
    assert len(found.split.names) == 6
    values = examine(found, Asked(), None, np.linspace(0, 1, 9)).values
    assert values["figures"]["mlp"]["auc"]["value"] < 0.62
    assert values["figures"]["boosting"]["auc"]["value"] < 0.62
    assert not values["gate"]["passed"]


def test_a_genre_learns_from_its_own_films() -> None:
    snapshot = made(100, 4, genres=[("sci-fi",)] * 60 + [("drama", "sci-fi")] * 40)
    own, _, _, _ = slot_rows(snapshot, "compelling/Drama")
    assert len(own) == 40
    assert len(slot_rows(snapshot, "compelling/sci-fi")[0]) == 100


def test_the_viral_side_is_a_calibrated_line_on_engagement() -> None:
    rng = np.random.default_rng(0)
    base = made(200, 8)
    engaged = 1 / (1 + np.exp(-(base.features[:, 0] + 0.3 * rng.normal(size=200))))
    snapshot = replace(base, viral=np.where(rng.random(200) < 0.8, engaged, np.nan))
    found = trained(snapshot, slot="viral")
    assert found.kind == "linear"
    assert "mlp" not in found.chances
    verdict = examine(found, Asked(slot="viral"), None, np.linspace(0, 1, 9))
    assert verdict.verdict.passed, verdict.verdict.reasons
    assert verdict.values["figures"]["challenger"]["auc"]["low"] > 0.7
    known = np.isfinite(snapshot.viral)
    assert np.corrcoef(found.chances["challenger"][known], snapshot.viral[known])[0, 1] > 0.8
    few = trained(replace(snapshot, viral=np.where(np.arange(200) % 10 < 2, snapshot.viral, np.nan)), slot="viral")
    refused = examine(few, Asked(slot="viral"), None, np.linspace(0, 1, 9)).verdict
    assert any("50 are needed" in reason for reason in refused.reasons)
