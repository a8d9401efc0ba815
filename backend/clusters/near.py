"""Which cluster reaches an item: where its few nearest are about as near as the cluster's own items are to theirs."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backend.clusters.centres import between
from backend.clusters.grouping import NOISE, Floats, Grouped, Ints

NEIGHBOURS = 3
"""The distance to a cluster is that to its so-many-th nearest item."""

LOOKED_AT = 20
"""Of so many nearest items the clusters are looked at."""

USUAL = 0.9
"""A cluster's reach is the distance at which so many of its own items have their neighbours."""

LEAST_REACH = 1e-3
"""Equal vectors are no further apart by reckoning."""

PROBED = 1000
"""So many items of a large cluster say how far it reaches."""

BLOCK_PAIRS = 1_000_000
"""Larger tables leave the processor's cache, and take several times as long."""


@dataclass(frozen=True)
class Near:
    """Clustered items, float32 [M, d], their clusters, int64 [M]: places in `ids`, int64 [K].

    needed  int64 [K]: how many of a cluster's items must be near
    reach   float32 [K]: how near; as usual for the others where it has too few items to tell
    """

    rows: Floats
    cluster: Ints
    ids: Ints
    needed: Ints
    reach: Floats

    def nearest(self, vectors: Floats, slack: float) -> Grouped:
        """The nearest cluster within `slack` times whose reach each row lies, float32 [N, d]; NOISE where none is."""
        found = np.full(len(vectors), NOISE, np.int64)
        sure = np.zeros(len(vectors), np.float32)
        there = np.flatnonzero(np.asarray(vectors).any(axis=1))
        if not len(self.ids):
            return Grouped(found, sure)
        for places in _blocks(there, len(self.rows)):
            found[places], sure[places] = self._of_block(vectors[places], slack)
        return Grouped(found, sure)

    def _of_block(self, vectors: Floats, slack: float) -> tuple[Ints, Floats]:
        away = between(vectors, self.rows)
        looked = min(LOOKED_AT, away.shape[1])
        close = np.argpartition(away, looked - 1, axis=1)[:, :looked]
        away = np.take_along_axis(away, close, axis=1)
        order = np.lexsort((close, away), axis=1)
        close, away = np.take_along_axis(close, order, axis=1), np.take_along_axis(away, order, axis=1)
        cluster = self.cluster[close]
        best, share = np.full(len(vectors), NOISE, np.int64), np.full(len(vectors), np.inf, np.float32)
        for k in range(looked):
            here = cluster[:, k]
            count = (cluster[:, : k + 1] == here[:, None]).sum(axis=1)
            relative = away[:, k] / self.reach[here]
            first = (best == NOISE) & (count == self.needed[here]) & (relative <= slack)
            best[first], share[first] = self.ids[here[first]], relative[first]
        return best, np.where(best != NOISE, 0.5 - 0.25 * share / slack, 0).astype(np.float32)


def near(vectors: Floats, cluster: Ints) -> Near:
    """Of items, float32 [N, d], those that lie in a cluster, int64 [N] (what is not NOISE or UNPLACED)."""
    inside = np.flatnonzero(((cluster >= 0) | (cluster < -2)) & np.asarray(vectors).any(axis=1))
    ids, place, size = np.unique(cluster[inside], return_inverse=True, return_counts=True)
    place, rows = place.ravel().astype(np.int64), np.ascontiguousarray(vectors[inside], np.float32)
    needed = np.minimum(NEIGHBOURS, size).astype(np.int64)
    reach = np.zeros(len(ids), np.float32)
    for k, members in enumerate(np.split(np.argsort(place, kind="stable"), np.cumsum(size)[:-1])):
        if len(members) > 1:
            reach[k] = _reach(rows[members], int(min(NEIGHBOURS, len(members) - 1)))
    large = reach[size > NEIGHBOURS]
    reach[size <= NEIGHBOURS] = np.median(large) if len(large) else 0
    return Near(rows, place, ids.astype(np.int64), needed, np.maximum(reach, LEAST_REACH))


def _reach(rows: Floats, neighbour: int) -> float:
    """How far most rows are from their so-many-th neighbour."""
    probes = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), PROBED)).astype(np.int64))
    away = np.concatenate(
        [np.partition(between(rows[p], rows), neighbour, axis=1)[:, neighbour] for p in _blocks(probes, len(rows))]
    )
    return float(np.quantile(away, USUAL))


def _blocks(places: Ints, width: int) -> Iterator[Ints]:
    """Places, so many at a time that a table of them and `width` others stays small."""
    step = max(1, BLOCK_PAIRS // max(width, 1))
    for at in range(0, len(places), step):
        yield places[at : at + step]
