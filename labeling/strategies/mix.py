"""The default: a few of each kind, and always some by chance alone.

A draw of k has two parts. The random slice is drawn first, from the whole pool, each item as likely as any other;
nothing that is known of an item enters, not even the caps. The rest is taken from an order of the pool that does not
depend on that slice, from the top, passing over what the slice holds. So the chance that a draw includes an item is
known exactly (`inclusion`), and what came by the slice is a fair sample of the pool.

Until there are 100 labels the order is that of typical items; after that top scores and diverse uncertain ones take
turns. No film has more than a third and no scene more than an eighth of the ordered part, where others are left. Where
two models share the queue, the top scores are a team draft of both (`interleave`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.strategies import diverse_uncertain, typical
from labeling.strategies.caps import capped
from labeling.strategies.inclusion import inclusion
from labeling.strategies.interleave import TEAMS, team_draft
from labeling.strategies.pool import Draw, Floats, Indices, Pool, asked_for, read
from labeling.strategies.ranking import best_first

COLD_LABELS = 100
COLD_RANDOM_SHARE = 0.3
RANDOM_SHARE = 0.15
TOP_SHARE = 0.5
FILM_SHARE = 1 / 3
SCENE_SHARE = 1 / 8

RANDOM, TOP = "random", "top-score"


@dataclass(frozen=True)
class Mixed:
    """A draw, and by which strategy each item came; what two would have drawn came by the random slice.

    teams   whose list a top score came from where two models share the draw, else ""
    """

    indices: Indices
    propensities: Floats
    slices: tuple[str, ...]
    teams: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One of the ways a draw can go: how likely, how many by chance, in which order the others, and by which
    strategy and of which team each would come, [N].
    """

    chance: float
    random_count: int
    order: Indices
    names: NDArray[np.str_]
    teams: NDArray[np.str_]


def select(pool: Any, k: int, rng: np.random.Generator) -> Draw:
    """k by slices, in no order: who stops early has seen a fair part of each."""
    mixed = draw(pool, k, rng)
    return mixed.indices, mixed.propensities


def draw(pool: Any, k: int, rng: np.random.Generator) -> Mixed:
    """The same as `select`, with the slice of each."""
    pool = read(pool)
    k = asked_for(pool, k)
    if not k:
        return Mixed(np.zeros(0, np.int64), np.zeros(0), ())
    ways = plans(pool, k)
    way = ways[int(rng.choice(len(ways), p=[w.chance for w in ways]))]
    by_chance = rng.permutation(len(pool))[: way.random_count]
    others = way.order[~np.isin(way.order, by_chance)][: k - way.random_count]
    indices = rng.permutation(np.concatenate([by_chance, others])).astype(np.int64)
    randomly = set(by_chance.tolist())
    slices = tuple(RANDOM if i in randomly else str(way.names[i]) for i in indices.tolist())
    teams = tuple("" if i in randomly else str(way.teams[i]) for i in indices.tolist())
    chances = sum((w.chance * inclusion(w.order, k, w.random_count) for w in ways), np.zeros(len(pool)))
    return Mixed(indices, np.minimum(chances[indices].round(12), 1.0), slices, teams)


def plans(pool: Pool, k: int) -> list[Plan]:
    """All ways a draw of k can go. Chances add up to 1.

    The slice has 15 % in the mean also where that is no whole number: of single items every seventh or so is random.
    """
    cold = pool.labels < COLD_LABELS
    wanted = k * (COLD_RANDOM_SHARE if cold else RANDOM_SHARE)
    low = int(wanted)
    counts = [(low, 1 - (wanted - low)), (low + 1, wanted - low)]
    ordered = math.ceil(k - wanted)
    orders = _cold(pool, k, ordered) if cold else _warm(pool, k, ordered)
    return [Plan(chance / len(orders), count, *order) for count, chance in counts for order in orders if chance > 0]


Order = tuple[Indices, NDArray[np.str_], NDArray[np.str_]]
"""Rows in order, the strategy of each row, and its team."""


def _cold(pool: Pool, k: int, ordered: int) -> list[Order]:
    return [(_capped(typical.order(pool, ordered), pool, k), np.full(len(pool), "typical"), np.full(len(pool), ""))]


def _warm(pool: Pool, k: int, ordered: int) -> list[Order]:
    """Top scores and diverse uncertain ones in turns; a lot decides which of them leads, for draws of one."""
    diverse = _places(_capped(diverse_uncertain.order(pool, math.ceil(ordered * (1 - TOP_SHARE))), pool, k)) / (
        1 - TOP_SHARE
    )
    orders = []
    for best, teams in _tops(pool, k):
        top = _places(best) / TOP_SHARE
        for first, second in ((top, diverse + 0.5), (top + 0.5, diverse)):
            order = np.argsort(np.minimum(first, second), kind="stable")
            names = np.where(first <= second, TOP, "diverse-uncertain")
            orders.append((_capped(order, pool, k), names, np.where(names == TOP, teams, "")))
    return orders


def _tops(pool: Pool, k: int) -> list[tuple[Indices, NDArray[np.str_]]]:
    """Top scores in order with the team of each row: one way, or where two models share the draw the two of a draft."""
    # Capped before they are joined: one climax at the head of the scores would leave its turns to the others.
    champion = _capped(best_first(pool.probabilities), pool, k)
    if pool.rivals is None:
        return [(champion, np.full(len(pool), ""))]
    rival = _capped(best_first(pool.rivals), pool, k)
    return [team_draft(champion, rival, first) for first in TEAMS]


def _capped(order: Indices, pool: Pool, k: int) -> Indices:
    return capped(order, pool, max(1, int(k * FILM_SHARE)), max(1, int(k * SCENE_SHARE)))


def _places(order: Indices) -> Floats:
    """Rank of each item in `order`."""
    ranks = np.empty(len(order))
    ranks[order] = np.arange(len(order))
    return ranks
