"""Films held one after the other: whoever joins or leaves, what is found is what comparing all rows finds."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.search.copies import Floats, prepared
from backend.search.filters import Films, Filters
from backend.search.hall import Hall, joined
from backend.search.held import HeldFilm
from backend.search.sketch import nearest
from backend.search.spaces import SPACES
from tests.vectors import held_film

LOOK = SPACES["efficientnet"]
CENTRES = np.abs(np.random.default_rng(0).standard_normal((8, LOOK.dimension)))
PAGES = (1, 20, 50, 100, 150, 300, 500, 1000)


def film(number: int, rows: int) -> HeldFilm:
    """Shots of a few kinds; some are the very same picture in all films, and some are nothing."""
    rng = np.random.default_rng(number)
    vectors = CENTRES[rng.integers(0, 8, rows)] + 0.3 * rng.standard_normal((rows, LOOK.dimension))
    vectors[rng.random(rows) < 0.2] = CENTRES[0]
    vectors[rng.random(rows) < 0.1] = 0
    return held_film(number, prepared(LOOK, vectors))


def found(hall: Hall, mask: NDArray[np.bool_], query: Floats, count: int) -> tuple[list[int], Floats]:
    near = nearest(hall.sketches, mask, query, hall.along, lambda some: hall.products(some, query), count)
    return near.rows.tolist(), near.products


def films_of(held: Sequence[HeldFilm]) -> Films:
    return Films(each.ref for each in held)


def test_a_page_begins_where_the_one_before_ended_though_many_shots_are_equal() -> None:
    hall = joined(LOOK, None, (), [film(number, 150) for number in range(1, 13)])
    mask = hall.mask(films_of(hall.films), Filters())
    for row in np.flatnonzero(mask)[::171].tolist():
        query = hall.vectors(np.array([row]))[0]
        whole, _ = found(hall, mask, query, 1000)
        for count in PAGES:
            assert found(hall, mask, query, count)[0] == whole[:count]


def test_films_that_join_and_leave_change_nothing_of_the_others() -> None:
    hall, number = joined(LOOK, None, (), [film(1, 1)]), 1
    for joins, leave in ((0, 0), (1, 0), (3, 1), (9, 2), (0, 5), (1, 7), (0, 1)):
        fresh = [film(number + k, 3 + 97 * (k % 4)) for k in range(1, joins + 1)]
        number += joins
        hall = joined(LOOK, hall, range(leave, len(hall.films)), fresh)
        asked = hall.films[:: 2 if len(hall.films) > 2 else 1]
        mask = hall.mask(films_of(asked), Filters())
        every = np.concatenate([np.zeros((0, LOOK.dimension), np.float32), *(each.vectors for each in hall.films)])
        wanted = np.array([each in asked for each in hall.films], bool)
        own = np.repeat(wanted, np.diff(hall.starts)) & every.any(axis=1)
        assert mask.tolist() == own.tolist()
        for query in prepared(LOOK, CENTRES[:2]):
            expected = -np.sort(-(every[own] @ query))
            for count in PAGES:
                rows, products = found(hall, mask, query, count)
                assert mask[rows].all()
                np.testing.assert_allclose(products, expected[:count], atol=1e-6)


def test_films_that_are_not_held_are_no_word_for_all() -> None:
    hall = joined(LOOK, None, (), [film(1, 4), film(2, 4)])
    assert hall.places(films_of([film(3, 4)])) is None
    with pytest.raises(ValueError, match="other films"):
        hall.mask(films_of([film(1, 4), film(3, 4)]), Filters())
