"""Weak labels: which windows of a film a trailer or an edit makes positive, and which negative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.scoring.presets import MAX_S, MIN_S
from labeling.references.labels import (
    FAR,
    FAR_S,
    LEAST_S,
    NEGATIVE_WEIGHT,
    POSITIVE_WEIGHT,
    SHOWN,
    Shown,
    WeakLabel,
    joined,
    weak_labels,
)
from tests.test_scoring import make_film

FILM_S = 1800
FILM = make_film(FILM_S)


def held_s(one: Shown, labels: list[WeakLabel]) -> float:
    """Seconds of an interval that lie in some positive."""
    spans = joined([(label.start_s, label.end_s) for label in labels]).tolist()
    return sum(max(0.0, min(one.end_s, end) - max(one.start_s, start)) for start, end in spans)


def apart_s(label: WeakLabel, one: Shown) -> float:
    return max(one.start_s - label.end_s, label.start_s - one.end_s)


intervals = st.builds(
    lambda start, length, sure: Shown(start, min(start + length, FILM_S), sure),
    st.floats(0, FILM_S - 5),
    st.floats(0.5, 8),
    st.floats(0.725, 1),
)


@settings(max_examples=60)
@given(st.lists(intervals, min_size=1, max_size=12), st.lists(intervals, max_size=3))
def test_windows_hold_what_is_shown_or_keep_far_from_it(shown: list[Shown], avoided: list[Shown]) -> None:
    labels = weak_labels(FILM, shown, avoided)
    positives, negatives = ([label for label in labels if label.label == value] for value in (1, 0))
    cuts = set(FILM.shots.ravel().tolist())
    for label in labels:
        assert {label.start_frame, label.end_frame} <= cuts
        assert MIN_S - 1e-6 <= label.end_s - label.start_s <= MAX_S + 1e-6
        assert label.start_s == pytest.approx(label.start_frame / 24)
    for one in shown:
        # But for a crumb at each end of a window that cuts it.
        assert held_s(one, positives) >= one.end_s - one.start_s - 2.0 - LEAST_S
    for label in positives:
        assert label.source == SHOWN
        assert POSITIVE_WEIGHT * 0.725 - 1e-6 <= label.weight <= POSITIVE_WEIGHT
    for label in negatives:
        assert label.source == FAR
        assert 0 < label.weight <= NEGATIVE_WEIGHT
        assert all(apart_s(label, one) >= FAR_S - 1e-6 for one in (*shown, *avoided))
        assert all(label.start_s >= one.end_s or label.end_s <= one.start_s for one in positives)
    ends = [negatives[0].start_s] if negatives else []
    for label in negatives:
        assert label.start_s >= ends[-1]
        ends.append(label.end_s)
    assert sum(label.weight for label in negatives) <= sum(label.weight for label in positives) + 1e-4
    assert len({(label.start_frame, label.end_frame) for label in labels}) == len(labels)


def test_a_window_holds_as_much_as_it_can() -> None:
    shown = [Shown(start, start + 2.0) for start in (600, 607, 615, 640, 655, 1200)]
    positives = [label for label in weak_labels(FILM, shown) if label.label]
    assert len(positives) == 2
    assert positives[0].start_s <= 600
    assert positives[0].end_s >= 657
    assert positives[1].start_s <= 1200 <= positives[1].end_s - 2


def test_unsure_intervals_weigh_less() -> None:
    sure, less = (weak_labels(FILM, [Shown(600, 603, confidence)])[0].weight for confidence in (1.0, 0.8))
    assert (sure, less) == (POSITIVE_WEIGHT, pytest.approx(0.8 * POSITIVE_WEIGHT))


def test_what_is_not_shown_anywhere_labels_nothing() -> None:
    assert weak_labels(FILM, []) == ()
    assert weak_labels(FILM, [], [Shown(5, 9)]) == ()


def test_an_edit_of_the_whole_film_leaves_no_negatives() -> None:
    labels = weak_labels(FILM, [Shown(0, FILM_S)])
    assert {label.label for label in labels} == {1}
    assert held_s(Shown(0, FILM_S), list(labels)) > FILM_S - MIN_S


def test_titles_and_credits_are_no_windows() -> None:
    film = make_film(FILM_S, bands_s={"credits": np.array([[900.0, FILM_S]])})
    labels = weak_labels(film, [Shown(100, 104), Shown(1000, 1004)])
    assert max(label.end_s for label in labels) <= 900
    assert sum(label.label for label in labels) == 1


@pytest.mark.parametrize("seconds", [3, 20, 61])
def test_short_films(seconds: int) -> None:
    labels = weak_labels(make_film(seconds), [Shown(1, 2.5)])
    assert [label.label for label in labels] == [1]
    assert labels[0].start_s <= 1
