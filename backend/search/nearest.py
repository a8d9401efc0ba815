"""The nearest rows among those that may be found: exactly by their sketches, or proposed by Chroma and then compared.

Where the switch lies, and why: docs/decisions/0012-search.md.
"""

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlmodel import Session

from backend.search.chroma import ChromaUnavailable, NoCollection
from backend.search.copies import Floats, parse_id
from backend.search.hall import Hall
from backend.search.models import VectorCollection
from backend.search.sketch import Near, Rows, best, nearest

if TYPE_CHECKING:
    from backend.resources import Resources

EXACT_ROWS = 300_000
"""Up to here all allowed rows are compared; beyond, Chroma is asked if its answer is likely to hold enough of them."""

MORE, LEAST_MORE, MOST = 1.5, 12, 500
"""Chroma is asked for this many times as many as are wanted, and some more; never for more than MOST."""

log = structlog.get_logger("selects.search")


@dataclass(frozen=True)
class Answer:
    """The nearest rows, and how they were found."""

    near: Near
    how: Literal["exact", "index"]


def find_nearest(
    resources: "Resources", hall: Hall, mask: NDArray[np.bool_], query: Floats, count: int, exact_rows: int = EXACT_ROWS
) -> Answer:
    """The `count` rows of the mask (bool [N]) nearest to a query of length 1 (float32 [D]), the nearest first."""
    allowed = int(np.count_nonzero(mask))
    if allowed > exact_rows:
        near = _proposed(resources, hall, mask, query, count, allowed)
        if near is not None:
            return Answer(near, "index")
    near = nearest(hall.sketches, mask, query, hall.along, lambda some: hall.products(some, query), count)
    return Answer(near, "exact")


def _proposed(
    resources: "Resources", hall: Hall, mask: NDArray[np.bool_], query: Floats, count: int, allowed: int
) -> Near | None:
    """What Chroma proposes, as far as the mask lets it, compared exactly; None where that is too few."""
    wanted = ceil(MORE * count * len(hall) / allowed) + LEAST_MORE
    if wanted > MOST:
        return None
    try:
        ids = _ask(resources, hall.space.name, query, wanted)
    except ChromaUnavailable as problem:
        log.warning("searching without Chroma", problem=problem.detail)
        return None
    rows = rows_of_ids(hall, ids)
    rows = rows[mask[rows]]
    if len(rows) < min(count, allowed):
        return None
    return best(rows, hall.products(rows, query), count)


def rows_of_ids(hall: Hall, ids: list[str]) -> Rows:
    """The rows that ids name, in all films that have them; what is not held (a film just deleted) is left out."""
    named = [(hall.by_vectors.get((sha256, inputs), ()), row) for sha256, inputs, row in map(parse_id, ids)]
    found = [int(hall.starts[k]) + row for films, row in named for k in films if row < len(hall.films[k].shot_of)]
    return np.array(found, np.int64)


def _ask(resources: "Resources", space: str, query: Floats, count: int) -> list[str]:
    name = resources.gallery.collections.get(space) or _collection(resources, space)
    try:
        return resources.chroma.nearest(name, query[None], count)[0]
    except NoCollection:  # it was rebuilt under another name
        return resources.chroma.nearest(_collection(resources, space), query[None], count)[0]


def _collection(resources: "Resources", space: str) -> str:
    with Session(resources.reading) as session:
        known = session.get(VectorCollection, space)
    if known is None:
        raise NoCollection
    resources.gallery.collections[space] = known.name
    return known.name
