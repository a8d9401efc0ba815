"""Which clusters are suggested to be one: places by turns, people who look alike; never what the law keeps apart."""

import numpy as np
import pytest

from backend.clusters.grouping import NOISE, Ints, Law
from backend.clusters.merging import REACH, by_turns, people_that_may_be_one, places_that_may_be_one
from backend.clusters.reduce import unit

SHOTS = 60
VIEWS = unit(np.array([[1, 0.4, 0], [1, -0.4, 0], [-1, 0, 0.6]]))


def free(count: int) -> Law:
    return Law(np.full(count, NOISE, np.int64))


def film_of(places: list[int]) -> tuple[Ints, Ints]:
    """The cluster of each shot, in their order, and all in one film."""
    return np.array(places, np.int64), np.zeros(len(places), np.int64)


def test_two_views_of_a_scene_by_turns_are_one_place_and_a_place_elsewhere_is_another() -> None:
    cluster, film = film_of([1, 2] * 10 + [3] * 20 + [NOISE] * 20)
    vectors = VIEWS[np.where(cluster < 0, 1, cluster) - 1]
    (found,) = places_that_may_be_one(vectors, cluster, free(SHOTS), film, np.arange(SHOTS), 9)
    assert found[:2] == (1, 2)
    assert 0.9 < found[2] <= 1
    forbidden = Law(np.full(SHOTS, NOISE, np.int64), np.array([[3, 0]]))
    assert places_that_may_be_one(vectors, cluster, forbidden, film, np.arange(SHOTS), 9) == []
    unlike = VIEWS[np.where(cluster == 2, 2, 0)]
    assert places_that_may_be_one(unlike, cluster, free(SHOTS), film, np.arange(SHOTS), 9) == [], "nothing alike"
    other = np.where(cluster == 2, 7, film)
    assert places_that_may_be_one(vectors, cluster, free(SHOTS), other, np.arange(SHOTS), 9) == [], "two films"


def test_by_turns_is_as_by_chance_where_all_is_mixed() -> None:
    """In a trailer all places lie beside all others: that says nothing."""
    rng = np.random.default_rng(1)
    cluster = rng.permutation(np.repeat([1, 2, 3, 4], 500))
    film, shot = np.zeros(2000, np.int64), np.arange(2000)
    turns = by_turns(np.array([1, 2, 3, 4]), cluster, film, shot)
    assert np.abs(turns[~np.eye(4, dtype=bool)]).max() < 0.2
    order = rng.permutation(2000)
    again = by_turns(np.array([1, 2, 3, 4]), cluster[order], film[order], shot[order])
    assert again == pytest.approx(turns), "in whatever order the items come"


def test_people_are_suggested_up_to_a_reach_and_not_whom_one_picture_shows() -> None:
    vectors = np.zeros((6, 128), np.float32)
    vectors[2:4, 0], vectors[4:, 0] = 0.9 * REACH, 2.2 * REACH
    cluster = np.array([4, 4, 5, 5, 6, 6])
    (found,) = people_that_may_be_one(vectors, cluster, free(6), 1.0, 9)
    assert found == (4, 5, pytest.approx(1 - 0.81 / 2, abs=1e-4))
    assert len(people_that_may_be_one(vectors, cluster, free(6), 2.5, 9)) == 3, "another embedding lies wider"
    assert people_that_may_be_one(vectors, cluster, free(6).with_pairs(np.array([[1, 2]])), 1.0, 9) == []


@pytest.mark.parametrize("clusters", [[], [NOISE] * 4, [1, 1, 1, NOISE], [1, 2, 1, 2]])
def test_few_clusters_and_nothing_asked(clusters: list[int]) -> None:
    cluster, film = film_of(clusters)
    vectors = np.ones((len(cluster), 3), np.float32)
    shot = np.arange(len(cluster))
    assert places_that_may_be_one(vectors, cluster, free(len(cluster)), film, shot, 0) == []
    assert len(people_that_may_be_one(vectors, cluster, free(len(cluster)), 1.0, 9)) == (2 in clusters)
