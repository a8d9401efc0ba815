"""How items are grouped: the law holds for any input, ids outlive a new grouping, new items join what they are like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from backend.clusters.adding import add_people, add_places
from backend.clusters.agglomerate import agglomerate
from backend.clusters.grouping import NOISE, UNPLACED, Floats, Grouped, Ints, Law, new_cluster
from backend.clusters.law import binding, identify, obey
from backend.clusters.likeness import cohesion
from backend.clusters.merging import people_that_may_be_one, places_that_may_be_one
from backend.clusters.people import group_people
from backend.clusters.places import group_places
from backend.clusters.reduce import fit_basis, unit
from backend.clusters.tracks import seen_together, tracks
from backend.features.base import FaceBox

NO_PAIRS = np.zeros((0, 2), np.int64)


def free(count: int) -> Law:
    return Law(np.full(count, NOISE, np.int64))


def unplaced(count: int) -> Ints:
    return np.full(count, UNPLACED, np.int64)


def blobs(of_each: int = 20, count: int = 5, spread: float = 0.2, figures: int = 100, seed: int = 0) -> Floats:
    """Made-up groups that nobody could take for another: what is tested is the rule, not how good it is."""
    rng = np.random.default_rng(seed)
    middles = np.random.default_rng(99).normal(size=(count, figures))
    return unit(np.repeat(middles, of_each, axis=0) + spread * rng.normal(size=(of_each * count, figures)))


def as_ids(cluster: Ints) -> Ints:
    """New clusters get the ids 1, 2, …"""
    return np.where(cluster <= new_cluster(0), UNPLACED - cluster, cluster)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Floats, Law, Ints]:
    count = draw(st.integers(0, 24))
    vectors = draw(arrays.arrays(np.float32, (count, 3), elements=st.sampled_from([0.0, 1.0, -1.0, 0.5, np.nan])))
    clusters = st.integers(1, 4)
    held = draw(arrays.arrays(np.int64, count, elements=st.one_of(st.just(NOISE), clusters)))
    places = st.integers(0, max(count - 1, 0))
    pairs = draw(st.lists(st.tuples(places, places), max_size=30)) if count else []
    law = Law(held, np.array(pairs, np.int64).reshape(-1, 2), draw(st.frozensets(clusters)))
    before = draw(arrays.arrays(np.int64, count, elements=st.one_of(st.sampled_from([NOISE, UNPLACED]), clusters)))
    return vectors, law, before


def assert_lawful(found: Grouped, law: Law, known: Ints) -> None:
    held = law.held >= 0
    assert (found.cluster[held] == law.held[held]).all()
    pairs = binding(law)
    both = found.cluster[pairs]
    assert not ((both[:, 0] == both[:, 1]) & (both[:, 0] != NOISE)).any()
    fresh = np.unique(found.cluster[found.cluster < NOISE])
    assert fresh.tolist() == [new_cluster(k) for k in range(len(fresh))][::-1]
    assert set(found.cluster[found.cluster >= 0].tolist()) <= {*known.tolist(), *law.held.tolist()}
    assert np.isfinite(found.confidence).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


@settings(max_examples=300, deadline=None)
@given(cases(), st.data())
def test_no_grouping_whatever_breaks_the_law(case: tuple[Floats, Law, Ints], data: st.DataObject) -> None:
    vectors, law, _ = case
    elements = st.sampled_from([NOISE, UNPLACED, 1, 2, 3, new_cluster(0), new_cluster(1)])
    cluster = data.draw(arrays.arrays(np.int64, len(vectors), elements=elements))
    grouped = Grouped(cluster, np.linspace(0, 1, len(vectors), dtype=np.float32))
    found = obey(grouped, vectors, law)
    held, pairs = law.held >= 0, binding(law)
    assert (found.cluster[held] == law.held[held]).all()
    both = found.cluster[pairs]
    assert not ((both[:, 0] == both[:, 1]) & (both[:, 0] != NOISE)).any()
    apart = np.isin(np.arange(len(vectors)), pairs)
    as_it_was = np.where(cluster == UNPLACED, NOISE, cluster)
    assert (found.cluster[~held & ~apart] == as_it_was[~held & ~apart]).all()
    again = obey(grouped, vectors, law)
    assert (again.cluster == found.cluster).all()


@settings(max_examples=150, deadline=None)
@given(cases())
def test_places_and_people_keep_the_law(case: tuple[Floats, Law, Ints]) -> None:
    vectors, law, before = case
    assert_lawful(group_places(vectors, law, before), law, before)
    place = np.abs(before) % 3 - 1
    pairs = law.cannot[::2]
    found = group_people(vectors, place, pairs, law, before)
    assert_lawful(found, Law(law.held, np.concatenate([law.cannot, pairs]), law.named), before)


@settings(max_examples=100, deadline=None)
@given(cases(), st.integers(0, 24))
def test_what_is_added_keeps_the_law(case: tuple[Floats, Law, Ints], old: int) -> None:
    vectors, law, before = case
    old = min(old, len(vectors))
    lies = np.where(law.held >= 0, law.held, before)[:old]
    lies = np.where(lies == UNPLACED, NOISE, lies)
    for found in (
        add_places(vectors[old:], vectors[:old], lies, law),
        add_people(vectors[old:], vectors[:old], lies, before[old:], NO_PAIRS, law),
    ):
        whole = np.concatenate([lies, found.cluster])
        pairs = binding(law)
        free_and_new = (np.arange(len(whole)) >= old) & (law.held < 0)
        pairs = pairs[free_and_new[pairs].any(axis=1)]
        assert not ((whole[pairs[:, 0]] == whole[pairs[:, 1]]) & (whole[pairs[:, 0]] != NOISE)).any()
        held = law.held[old:] >= 0
        assert (found.cluster[held] == law.held[old:][held]).all()


def test_a_name_stays_with_what_it_was_given_to() -> None:
    vectors = blobs()
    rows = fit_basis(vectors).apply(vectors)
    first = as_ids(group_places(rows, free(100), unplaced(100)).cluster)
    assert len(set(first.tolist())) == 5
    more_rows = np.concatenate([rows, rows[:40]])
    law = Law(np.full(140, NOISE, np.int64), named=frozenset({2, 4}))
    again = group_places(more_rows, law, np.concatenate([first, unplaced(40)])).cluster
    assert (again[:100] == first).all()
    assert (again[100:] == first[:40]).all()


def test_a_named_cluster_keeps_what_is_its_own_inside_a_larger_group() -> None:
    groups, before = np.zeros(12, np.int64), np.array([1] * 6 + [2] * 4 + [UNPLACED] * 2)
    vectors = np.array([[0.0]] * 6 + [[5.0]] * 4 + [[0.5], [4.5]], np.float32)
    named = Law(np.full(12, NOISE, np.int64), named=frozenset({2}))
    assert identify(groups, vectors, named, before).tolist() == [1] * 6 + [2] * 4 + [1, 2]
    assert identify(groups, vectors, free(12), before).tolist() == [1] * 12


def test_what_people_made_one_stays_one_and_one_dragged_item_takes_no_others_along() -> None:
    groups = np.array([0] * 6 + [1] * 5)
    held = np.array([7, *[NOISE] * 5, 7, *[NOISE] * 4])
    merged = identify(groups, np.zeros((11, 2), np.float32), Law(held), np.full(11, 7))
    assert merged.tolist() == [7] * 11
    dragged = identify(groups, np.zeros((11, 2), np.float32), Law(held), np.array([7] * 6 + [7] + [8] * 4))
    assert dragged.tolist() == [7] * 6 + [8] * 5
    parted = identify(groups, np.zeros((11, 2), np.float32), free(11), np.full(11, 7))
    assert parted.tolist() == [7] * 6 + [new_cluster(1)] * 5


def test_who_must_leave_goes_to_the_next_cluster_that_reaches_them_else_to_noise() -> None:
    vectors = np.array([[0.0], [0.2], [0.4], [0.6], [0.1], [9.0]], np.float32)
    cluster = np.array([1, 1, 2, 2, 2, 2])
    law = Law(np.array([NOISE, NOISE, 2, NOISE, NOISE, NOISE]), np.array([[2, 4], [2, 5]]))
    found = obey(Grouped(cluster, np.full(6, 0.9, np.float32)), vectors, law)
    assert found.cluster.tolist() == [1, 1, 2, 2, 1, NOISE]
    assert found.confidence[5] == 0


def test_the_surer_of_two_stays() -> None:
    vectors = np.zeros((3, 2), np.float32)
    law = Law(np.full(3, NOISE, np.int64), np.array([[0, 1]]))
    found = obey(Grouped(np.full(3, 5), np.array([0.2, 0.7, 0.5], np.float32)), vectors, law)
    assert found.cluster.tolist() == [NOISE, 5, 5]


def test_agglomeration_is_average_linkage_of_squared_distances() -> None:
    from sklearn.cluster import AgglomerativeClustering

    rows = np.random.default_rng(3).normal(size=(150, 4)).astype(np.float32)
    squared = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    expected = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=1.7**2)
    labels = expected.fit_predict(squared)
    found = agglomerate(rows, np.arange(150), NO_PAIRS, 1.7)
    assert 1 < labels.max() < 149
    assert ((found[:, None] == found[None]) == (labels[:, None] == labels[None])).all()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
def test_agglomeration_joins_no_pair_that_is_apart(pairs: list[tuple[int, int]]) -> None:
    apart = np.array([pair for pair in pairs if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    found = agglomerate(np.ones((20, 3), np.float32), np.arange(20), apart, 0.5)
    assert (found[apart[:, 0]] != found[apart[:, 1]]).all()
    assert len(apart) > 0 or (found == 0).all()


def test_two_faces_of_one_picture_are_two_people_however_alike() -> None:
    vectors = np.full((4, 128), 0.1, np.float32)
    apart = np.array([[0, 1], [2, 3]])
    found = group_people(vectors, np.zeros(4, np.int64), apart, free(4), unplaced(4)).cluster
    assert found[0] != found[1]
    assert found[2] != found[3]
    assert len(set(found.tolist())) == 2
    assert len(set(group_people(vectors, np.zeros(4, np.int64), NO_PAIRS, free(4), unplaced(4)).cluster.tolist())) == 1


def test_people_in_one_place_are_joined_from_further_apart() -> None:
    vectors = np.zeros((2, 128), np.float32)
    vectors[:, 0], vectors[1, 1] = 1, 0.52
    for place, same in (([1, 1], True), ([1, 2], False), ([NOISE, NOISE], False)):
        found = group_people(vectors, np.array(place), NO_PAIRS, free(2), unplaced(2)).cluster
        assert (found[0] == found[1] != NOISE) == same


def test_new_items_join_what_they_are_like_and_the_rest_among_themselves() -> None:
    vectors, later = blobs(), blobs(of_each=10, count=7, seed=1)
    basis = fit_basis(np.concatenate([vectors, later]))
    old, new = basis.apply(vectors), basis.apply(later)
    lies = np.repeat(np.arange(1, 6), 20)
    found = add_places(new, old, lies, free(170)).cluster
    truth = np.repeat(np.arange(1, 8), 10)
    known = truth <= 5
    assert (found[known] == truth[known]).mean() >= 0.6
    assert (found[known] == truth[known])[found[known] > 0].all()
    assert len(set(found[~known].tolist()) - {NOISE}) == 2
    assert (found[~known] < NOISE).mean() > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("value", [0.0, 1.0, np.nan, np.inf])
def test_few_equal_and_missing_vectors(count: int, value: float) -> None:
    vectors = np.full((count, 6), value, np.float32)
    rows = fit_basis(vectors).apply(vectors)
    assert np.isfinite(rows).all()
    one_place = value == 1 and count >= 3
    assert (group_places(rows, free(count), unplaced(count)).cluster == (new_cluster(0) if one_place else NOISE)).all()
    one_person = value == 1 and count >= 2
    people = group_people(vectors, unplaced(count), NO_PAIRS, free(count), unplaced(count))
    assert (people.cluster == (new_cluster(0) if one_person else NOISE)).all()
    assert add_places(rows, rows, np.full(count, 3), free(2 * count)).cluster.shape == (count,)
    assert 0 <= cohesion(vectors, np.arange(count)) <= 1
    each, film = np.arange(count), np.zeros(count, np.int64)
    assert all(0 < sure <= 1 for *_, sure in places_that_may_be_one(rows, each, free(count), film, each, 5))
    assert all(0 < sure <= 1 for *_, sure in people_that_may_be_one(rows, each, free(count), 1.0, 5))


def test_a_shot_without_a_picture_is_noise_and_the_basis_has_few_directions() -> None:
    vectors = blobs()
    vectors[7] = 0
    basis = fit_basis(vectors)
    rows = basis.apply(vectors)
    assert basis.axes.shape == (100, 32)
    assert not rows[7].any()
    np.testing.assert_allclose(np.linalg.norm(np.delete(rows, 7, axis=0), axis=1), 1, atol=1e-5)
    found = group_places(rows, free(100), unplaced(100)).cluster
    assert found[7] == NOISE
    assert len(set(found[found != NOISE].tolist())) == 5


def face(frame: int, x: float, look: NDArray[np.float32] | None) -> FaceBox:
    return FaceBox(frame, x, 0.2, 0.2, 0.3, 0.99, look)


def test_people_are_followed_through_a_shot() -> None:
    one, other = np.zeros(128, np.float32), np.zeros(128, np.float32)
    one[0], other[0] = 1, 2
    turned = one + np.float32(0.7) * np.eye(128, dtype=np.float32)[5]
    faces = [face(0, 0.1, one), face(0, 0.6, other), face(9, 0.6, other), face(9, 0.12, turned), face(9, 0.9, None)]
    found = tracks(faces)
    assert [track.faces for track in found] == [(0, 3), (1, 2)]
    assert [track.frames for track in found] == [(0, 9), (0, 9)]
    np.testing.assert_allclose(found[0].vector, (one + turned) / 2)
    elsewhere = [face(0, 0.1, one), face(9, 0.7, turned)]
    assert [track.faces for track in tracks(elsewhere)] == [(0,), (1,)]
    assert [track.faces for track in tracks([face(0, 0.1, one), face(0, 0.12, one)])] == [(0,), (1,)]
    assert seen_together([4, 4, 5], [[0, 9], [9], [9]]).tolist() == [[0, 1]]
