"""Labels are searched without reading most of them, and what is found is what comparing all of them gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.search.copies import Floats
from backend.search.hall import Hall, joined
from backend.search.peaks import Weights, bounds, peaks
from backend.search.service import LISTED
from backend.search.spaces import SPACES
from backend.search.words import best_labelled
from tests.vectors import held_film

CLASSES = SPACES["labels"].dimension


def probabilities(rng: np.random.Generator, rows: int, spread: float) -> Floats:
    """Rows that add up to 1, the flatter the larger `spread`; every seventh is nothing at all, as of a black shot."""
    drawn = rng.gamma(spread, size=(rows, CLASSES)) + 1e-12
    drawn[::7] = 0
    return (drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-9)).astype(np.float32)


def likeness(rng: np.random.Generator) -> Floats:
    """Few classes are near to a question, most are not at all."""
    return np.asarray(rng.beta(0.2, 4, CLASSES) ** 2, np.float32)


def hall_of(films: list[Floats]) -> Hall:
    held = [held_film(number, vectors) for number, vectors in enumerate(films, start=1)]
    return joined(SPACES["labels"], None, (), held)


def compared(hall: Hall, mask: NDArray[np.bool_], query: Floats, least: float) -> dict[int, float]:
    """All that is good enough, by looking at everything."""
    products = np.concatenate([film.vectors @ query for film in hall.films])
    order = np.argsort(-products, kind="stable")
    return {row: float(products[row]) for row in order.tolist() if mask[row] and products[row] >= least}


@pytest.mark.parametrize("spread", [0.002, 0.02, 0.5])
@pytest.mark.parametrize("least", [0.0, 0.02, 0.09])
def test_the_best_labelled_are_those_of_comparing_everything(spread: float, least: float) -> None:
    rng = np.random.default_rng(int(1000 * (spread + least)))
    hall = hall_of([probabilities(rng, count, spread) for count in (700, 0, 40, 900)])
    mask = rng.random(len(hall)) < 0.8
    for _ in range(5):
        query = likeness(rng)
        wanted = compared(hall, mask, query, least)
        found = best_labelled(hall, mask, query, least)
        good = found.products >= least
        assert len(found.rows[good]) == min(len(wanted), LISTED)
        assert np.allclose(found.products[good], list(wanted.values())[:LISTED], atol=1e-6)
        assert mask[found.rows].all()


@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0.001, 2))
def test_no_product_is_outside_its_bounds(seed: int, spread: float) -> None:
    rng = np.random.default_rng(seed)
    rows, query = probabilities(rng, 20, spread), likeness(rng)
    least, most = bounds(peaks(rows), Weights.of(query))
    products = rows.astype(np.float64) @ query.astype(np.float64)
    assert (least - 1e-5 <= products).all()
    assert (products <= most).all()


def test_few_rows_are_read_where_few_are_good() -> None:
    rng = np.random.default_rng(3)
    rows, query = probabilities(rng, 5000, 0.005), likeness(rng)
    least, most = bounds(peaks(rows), Weights.of(query))
    edge = np.sort(least)[-50]
    assert 50 <= (most >= edge).sum() < 500
