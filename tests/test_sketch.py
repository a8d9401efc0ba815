"""Exact neighbours by bounds: the same as comparing everything, whatever the vectors, directions and masks."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.search import coarse
from backend.search.coarse import BLOCK, OUTSIDE, Coarse
from backend.search.sketch import Sketches, best, directions, nearest, sketch

Floats = NDArray[np.float32]


def units(rows: NDArray[np.floating]) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def by_all(vectors: Floats, mask: NDArray[np.bool_], query: Floats, count: int) -> Floats:
    return -np.sort(-(vectors[mask] @ query))[:count]


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 900),
    dimension=st.integers(2, 60),
    along=st.integers(1, 40),
    count=st.integers(1, 60),
    share=st.floats(0, 1),
    spread=st.sampled_from([0.02, 0.3, 3.0]),
)
def test_the_same_as_comparing_everything(
    seed: int, rows: int, dimension: int, along: int, count: int, share: float, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((5, dimension))
    vectors = units(centres[rng.integers(0, 5, rows)] + spread * rng.standard_normal((rows, dimension)))
    vectors[rng.random(rows) < 0.05] = 0
    mask = rng.random(rows) < share
    query = units(centres[:1] + rng.standard_normal((1, dimension)))[0]
    ways = directions(vectors, along)
    near = nearest(Sketches.of(sketch(vectors, ways)), mask, query, ways, lambda some: vectors[some] @ query, count)
    expected = by_all(vectors, mask, query, count)
    assert mask[near.rows].all()
    assert len(set(near.rows.tolist())) == len(near.rows) == len(expected)
    np.testing.assert_allclose(near.products, expected, atol=1e-5)
    np.testing.assert_allclose(vectors[near.rows] @ query, near.products, atol=1e-6)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.one_of(st.integers(0, 40), st.integers(BLOCK - 2, 3 * BLOCK + 2)),
    figures=st.integers(1, 41),
    size=st.sampled_from([1e-6, 0.01, 1.0]),
)
def test_a_coarse_bound_is_never_too_low_and_not_much_too_high(seed: int, rows: int, figures: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    kept = units(rng.standard_normal((rows, figures + 1)) * size ** rng.random(figures + 1))
    kept[:, -1] = np.abs(kept[:, -1])
    kept[rng.random(rows) < 0.05] = 0
    query = units(rng.standard_normal((1, figures + 1)))[0]
    query[-1] = abs(query[-1])
    mask = np.repeat(rng.random(-(-rows // 100)) < 0.5, 100)[:rows]
    bounds, products = Coarse.of(kept).bounds(mask, query), kept @ query
    assert (bounds[~mask] == OUTSIDE).all()
    over = (bounds - products)[mask]
    # Half a step is lost of each figure, and in the worst case another half by rounding; of the length a whole one.
    assert (over >= -1e-5).all()
    assert (over <= (np.abs(query).sum() + query[-1]) / 127 + 1e-5).all()


def test_where_nothing_can_be_kept_the_bounds_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.caching.CacheImpl._locator_classes", [])
    kept, mask, most = Coarse.of(np.eye(3, dtype=np.float32)), np.ones(3, bool), np.empty(3, np.float32)
    coarse._kernel.__wrapped__()(kept.steps, kept.step, mask, np.array([1, 0, 0], np.float32), most)
    np.testing.assert_allclose(most, kept.bounds(mask, np.array([1, 0, 0], np.float32)))


@pytest.mark.parametrize("runs", [1, 3, 200])
def test_a_question_about_some_films_finds_what_comparing_everything_finds(runs: int) -> None:
    """Films stand together; what lies between them is not read, whether they end with a block or with the last row."""
    rng = np.random.default_rng(runs)
    vectors = units(rng.standard_normal((450_123 if runs == 200 else 20_123, 12)))
    mask = np.zeros(len(vectors), bool)
    for start in np.linspace(0, len(vectors) - 1500, runs).astype(int):
        mask[start : start + 1200] = rng.random(1200) < 0.9
    mask[-1] = True
    query, ways = vectors[-1], directions(vectors, 6)
    near = nearest(Sketches.of(sketch(vectors, ways)), mask, query, ways, lambda some: vectors[some] @ query, 20)
    assert mask[near.rows].all()
    assert near.rows[0] == len(vectors) - 1
    np.testing.assert_allclose(near.products, by_all(vectors, mask, query, 20), atol=1e-5)


def test_directions_of_other_vectors_cost_time_but_no_neighbour() -> None:
    rng = np.random.default_rng(0)
    vectors = units(rng.standard_normal((500, 30)))
    ways = directions(units(rng.standard_normal((40, 30))), 5)
    mask = np.ones(500, bool)
    near = nearest(
        Sketches.of(sketch(vectors, ways)), mask, vectors[7], ways, lambda some: vectors[some] @ vectors[7], 20
    )
    assert near.rows[0] == 7
    np.testing.assert_allclose(near.products, by_all(vectors, mask, vectors[7], 20), atol=1e-5)


def test_a_rest_that_single_precision_loses_still_counts() -> None:
    """Of rows that lie along the directions but for 0.0004: rounding takes more than its square from a sum near 1."""
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.standard_normal((400, 61)))[0].T
    ways, query = np.ascontiguousarray(axes[:60].T, np.float32), axes[60].astype(np.float32)
    beside = rng.random((4000, 1)) * 4e-4
    vectors = units(units(rng.standard_normal((4000, 60)) @ axes[:60]) + beside * query)
    near = nearest(
        Sketches.of(sketch(vectors, ways)), np.ones(4000, bool), query, ways, lambda some: vectors[some] @ query, 20
    )
    np.testing.assert_allclose(near.products, by_all(vectors, np.ones(4000, bool), query, 20), atol=5e-8)


def test_few_vectors_of_a_real_film_are_read(shared_data: Path) -> None:
    """What it is for: with the shots of all films of scene_boundaries, less than a fifth is read in full."""
    stored = [np.load(file) for file in sorted((shared_data / "scene_boundaries").glob("*.npz"))]
    vectors = units(np.concatenate([film["vgg19"].astype(np.float32) for film in stored if "vgg19" in film.files]))
    ways = directions(vectors)
    sketches, mask = Sketches.of(sketch(vectors, ways)), np.ones(len(vectors), bool)
    read = []
    for row in range(0, len(vectors), 97):
        query, asked = vectors[row], list[int]()

        def products(some: NDArray[np.int64], query: Floats = query, asked: list[int] = asked) -> Floats:
            asked.append(len(some))
            return np.asarray(vectors[some] @ query)

        near = nearest(sketches, mask, query, ways, products, 20)
        np.testing.assert_allclose(near.products, by_all(vectors, mask, query, 20), atol=1e-5)
        read.append(sum(asked))
    assert np.mean(read) < 0.2 * len(vectors)


@pytest.mark.parametrize("count", [1, 3, 10])
def test_equal_products_come_in_the_order_of_rows(count: int) -> None:
    rows, products = np.array([5, 2, 9, 1]), np.array([0.5, 0.5, 0.9, 0.5], np.float32)
    assert best(rows, products, count).rows.tolist()[:2] == ([9] if count == 1 else [9, *sorted(rows[rows != 9])][:2])
