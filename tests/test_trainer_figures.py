"""Figures against scikit-learn and by hand, and what their intervals promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score, roc_auc_score

from trainer.evaluate import Comparison, Moments, figure, recall_table, recalled
from trainer.evidence import figures
from trainer.evidence.figures import Judged
from trainer.learners.calibrate import temperature

COARSE = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 3)), min_size=4, max_size=60)


def judged(labels: np.ndarray, films: np.ndarray) -> Judged:
    return Judged(labels.astype(float), np.unique(films, return_inverse=True)[1].astype(np.int64))


@settings(max_examples=60, deadline=None)
@given(COARSE)
def test_ranking_figures_are_those_of_scikit_learn(rows: list[tuple[bool, int, int]]) -> None:
    labels, scores, films = (np.array(column) for column in zip(*rows, strict=True))
    one = judged(labels, films)
    draws = figures.draws_of(one.count, 3, seed=1)
    found, precision = figures.ranked(one, scores.astype(float), draws)
    for draw, area, mean in zip(draws, found, precision, strict=True):
        weights = draw[one.films].astype(float)
        if np.sum(weights * labels) == 0 or np.sum(weights * ~labels) == 0:
            assert np.isnan(area)
            continue
        there = weights > 0
        given = (labels[there], scores[there], weights[there])
        assert area == pytest.approx(roc_auc_score(given[0], given[1], sample_weight=given[2]))
        assert mean == pytest.approx(average_precision_score(given[0], given[1], sample_weight=given[2]))


def test_ndcg_is_that_of_scikit_learn_and_only_of_films_with_an_approval() -> None:
    rng = np.random.default_rng(2)
    films = np.repeat([0, 1, 2], [30, 12, 8])
    labels, scores = rng.random(50) < 0.3, rng.integers(0, 9, 50).astype(float)
    labels[films == 2] = False
    found = figures.ndcg_by_film(judged(labels, films), scores)
    for film in (0, 1):
        inside = films == film
        wanted = ndcg_score([labels[inside].astype(float)], [scores[inside]], k=5)
        assert found[film] == pytest.approx(wanted)
    assert np.isnan(found[2])


def test_brier_and_calibration_by_hand() -> None:
    one = judged(np.array([1, 0, 1, 1]), np.array([0, 0, 1, 1]))
    chances = np.array([0.9, 0.4, 0.6, 0.8])
    draws = np.array([[1, 1], [2, 0]])
    np.testing.assert_allclose(figures.brier(one, chances, draws), [(0.01 + 0.16 + 0.16 + 0.04) / 4, 0.085])
    np.testing.assert_allclose(figures.calibration_error(one, chances, draws)[0], (0.1 + 0.4 + 0.4 + 0.2) / 4)


def test_calibrated_chances_are_off_by_no_more_than_luck() -> None:
    rng = np.random.default_rng(3)
    chances = rng.random(20_000)
    one = judged(rng.random(20_000) < chances, rng.integers(0, 20, 20_000))
    off = float(figures.calibration_error(one, chances, np.ones((1, 20), np.int64))[0])
    luck = figures.calibration_by_luck(chances)
    assert 0.3 * luck < off < 2 * luck
    assert figures.calibration_error(one, chances**2, np.ones((1, 20), np.int64))[0] > 10 * luck


@pytest.mark.parametrize("films", [2, 3, 5, 12])
def test_noise_is_better_than_chance_no_more_often_than_the_interval_promises(films: int) -> None:
    """Films with shares of approvals of their own: 250 tries, each at 2.5 % below."""
    surely = 0
    for seed in range(250):
        rng = np.random.default_rng([films, seed])
        of = np.repeat(np.arange(films), 30)
        labels = rng.random(len(of)) < rng.uniform(0.2, 0.6, films)[of]
        scores = rng.normal(size=len(of)) + rng.normal(0, 0.5, films)[of]
        one = judged(labels, of)
        found = figure(figures.auc(one, scores, figures.draws_of(films, 150, seed)), (0.0, 1.0), len(of), films)
        surely += found is not None and found.low > 0.5
    assert surely <= 250 * 0.025 + 3 * np.sqrt(250 * 0.025)


def test_one_film_says_nothing_of_others() -> None:
    one = judged(np.array([1, 0, 1, 0]), np.zeros(4))
    found = figure(figures.auc(one, np.array([4.0, 1, 3, 2]), figures.draws_of(1, 50, 0)), (0.0, 1.0), 4, 1)
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


def test_differences_are_paired() -> None:
    """Two contenders that differ by a hair on every film differ surely, though both vary much from film to film."""
    rng = np.random.default_rng(4)
    films = np.repeat(np.arange(12), 60)
    labels = rng.random(720) < 0.4
    good = labels * rng.uniform(0, 3, 12)[films] + rng.normal(size=720)
    compared = Comparison(judged(labels, films), {"good": good, "worse": good + 0.8 * rng.normal(size=720)}, 0.4, 0)
    apart, own = compared.difference("good", "worse"), compared.figure("good", "auc")
    assert apart is not None
    assert own is not None
    assert 0 < apart.low < apart.high < 0.1
    assert own.high - own.low > 2 * (apart.high - apart.low)
    assert compared.figure("chance", "auc") == figure(np.full(9, 0.5), (0, 1), 720, 12)


def test_a_moment_is_found_by_a_window_that_shows_half_of_it() -> None:
    start = np.arange(20) * 100.0
    moments = Moments(
        np.arange(21), np.zeros(21, int), np.arange(21) == 20, np.append(start, 340.0), np.append(start, 400.0) + 80
    )
    scores = -np.abs(np.arange(21) - 4.0)
    assert recalled(moments, scores, top=1) == [1.0], "window 4 shows 400 to 480 of 340 to 480"
    assert recalled(moments, -scores, top=1) == [1.0], "the moment itself is ranked first"
    scores[20], scores[4] = -100, -100
    assert recalled(moments, scores, top=1) == [0.0]
    few = Moments(np.arange(3), np.zeros(3, int), np.array([True, False, False]), np.zeros(3), np.ones(3))
    assert recall_table(few, {"any": np.zeros(3)}, 0) == {}, "ten of three windows are all of them"


def test_the_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(5)
    margins = rng.normal(0, 2, 5000)
    targets = (rng.random(5000) < 1 / (1 + np.exp(-margins))).astype(float)
    assert temperature(3 * margins, targets, np.ones(5000)) == pytest.approx(3, rel=0.1)
    assert temperature(np.zeros(0), np.zeros(0), np.zeros(0)) == 1
