"""What is said of likeness: cohesion, covers, what else is meant, names."""

import numpy as np
import pytest

from backend.clusters.grouping import NOISE, Law
from backend.clusters.likeness import cohesion, cover, more, name_suggestions

NO_PAIRS = np.zeros((0, 2), np.int64)


def free(count: int) -> Law:
    return Law(np.full(count, NOISE, np.int64))


def test_the_cover_is_the_middle_and_equal_items_hold_together() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 0]], np.float32)
    assert cover(vectors, np.array([0, 1, 2, 3])) == 1
    assert cohesion(vectors, np.array([0, 0, 0])) == 1
    assert cohesion(vectors, np.array([0, 1])) > cohesion(vectors, np.array([0, 2])) > 0
    with pytest.raises(ValueError, match="no cover"):
        cover(vectors, np.zeros(0, np.int64))


def test_a_correction_reaches_further_only_for_free_items_that_are_more_like_it() -> None:
    vectors = np.array([[0.0], [0.1], [0.2], [0.3], [5.0], [5.1], [5.2], [5.3]], np.float32) + 1
    cluster = np.array([1, 1, 1, 1, 1, 1, 2, 2])
    held = np.array([*[NOISE] * 6, 2, 2])
    places, to, sure = more(vectors, cluster, Law(held), np.array([6, 7]), 1, 2)
    assert sorted(places.tolist()) == [4, 5]
    assert (to == 2).all()
    assert ((sure >= 0.5) & (sure < 1)).all()
    held[4] = 1
    assert more(vectors, cluster, Law(held, np.array([[5, 6]])), np.array([6, 7]), 1, 2)[0].tolist() == []
    cluster[:6] = NOISE
    places, _, _ = more(vectors, cluster, free(8), np.array([4, 7]), NOISE, 2)
    assert sorted(places.tolist()) == [5]


def test_a_name_is_what_half_of_the_shots_show() -> None:
    assert name_suggestions([["kitchen", "room"], ["kitchen"], ["street"]]) == "kitchen"
    assert name_suggestions([["a"], ["b"], ["c"]]) == ""
    assert name_suggestions([["kitchen"], ["kitchen"]], taken=["kitchen"]) == ""
    assert name_suggestions([]) == ""
