"""A list of like shots in the order that corrections have taught: proposed by the plain embedding, ranked by a head."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from backend.clusters.head import Head
from backend.search.copies import Floats
from backend.search.hall import Hall
from backend.search.nearest import find_nearest
from backend.search.sketch import Rows

if TYPE_CHECKING:
    from backend.resources import Resources

RERANKED = 300
"""So many that the plain embedding proposes are put in another order, whichever page is asked for; the rest follows.

As many as the index can be asked for with some to spare.
"""


@dataclass(frozen=True)
class Listed:
    """Rows in order, their scores from 0 to 1, never rising, and how they were found."""

    rows: Rows
    scores: Floats
    how: Literal["exact", "index"]


def listed(
    resources: "Resources", hall: Hall, mask: NDArray[np.bool_], query: Floats, count: int, head: Head | None
) -> Listed:
    """The `count` rows of the mask (bool [N]) most like a query of length 1 (float32 [D])."""
    answer = find_nearest(resources, hall, mask, query, count if head is None else max(count, RERANKED))
    near = answer.near
    plain = np.array([hall.space.score(product) for product in near.products.tolist()], np.float32)
    if head is None:
        return Listed(near.rows, plain, answer.how)
    first = near.rows[:RERANKED]
    products = head.apply(hall.vectors(first)) @ head.apply(query[None])[0]
    order = np.lexsort((first, -products))
    floor = 1 - head.nothing / 2
    scores = np.clip((products[order] - floor) / (1 - floor), 0, 1)
    least = scores[-1] if len(scores) else 0.0
    rows = np.concatenate([first[order], near.rows[RERANKED:]])[:count]
    # What was not ranked anew is less alike than what was, by whatever measure.
    return Listed(rows, np.concatenate([scores, np.minimum(plain[RERANKED:], least)])[:count], answer.how)
