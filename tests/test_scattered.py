"""Rows that lie scattered over many arrays: their products are those of the rows, each by itself."""

import numpy as np
import pytest

from backend.search.scattered import address_of, products


@pytest.mark.parametrize("dimension", [1, 7, 384, 1280])
def test_products_are_those_of_the_rows(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    films = [rng.standard_normal((rows, dimension)).astype(np.float32) for rows in (1, 5, 300)]
    query = rng.standard_normal(dimension).astype(np.float32)
    query.flags.writeable = False
    named = [(film, row) for film in range(3) for row in range(len(films[film]))]
    drawn = [named[at] for at in rng.permutation(len(named))[:100]]
    addresses = np.array([address_of(films[film]) + 4 * dimension * row for film, row in drawn])
    found = products(addresses, query)
    np.testing.assert_allclose(found, [films[film][row] @ query for film, row in drawn], rtol=1e-4, atol=1e-4)
    alone = [products(addresses[at : at + 1], query)[0] for at in range(len(addresses))]
    assert found.tolist() == alone
    assert len(products(addresses[:0], query)) == 0


def test_rows_that_do_not_follow_each_other_are_refused() -> None:
    rows = np.zeros((4, 6), np.float32)
    for wrong in (rows[:, ::2], rows.T, rows.astype(np.float64)):
        with pytest.raises(ValueError, match="one after the other"):
            address_of(wrong)
