"""New items beside old ones: into the clusters that reach them, the rest among themselves; nothing old moves."""

from dataclasses import replace

import numpy as np

from backend.clusters.centres import centres
from backend.clusters.grouping import NOISE, UNPLACED, Floats, Grouped, Ints, Law, new_cluster
from backend.clusters.law import binding, numbered, obey, without_small
from backend.clusters.near import near as near_clusters
from backend.clusters.people import LEAST_TRACKS, REACH_ACROSS, join
from backend.clusters.places import dense, least_shots

SLACK = 1.0
"""What comes to a place lies as near to its shots as those lie to each other."""


def add_places(new: Floats, old: Floats, old_cluster: Ints, law: Law) -> Grouped:
    """Where new shots belong, values [M].

    new          float32 [M, d], of the same basis as old, float32 [N, d]
    old_cluster  int64 [N]: id or NOISE
    law          of all, old ones first: held int64 [N + M], cannot places among them

    An old item that a person's word about a new one drives out is moved by `obey` over all of them, not here.
    """
    near = near_clusters(old, old_cluster).nearest(new, SLACK)
    rest = np.flatnonzero(near.cluster == NOISE)
    groups, confidence = dense(new[rest])
    return _under_law(new, old, old_cluster, law, _with_rest(near, rest, groups, confidence), least_shots(len(new)))


def add_people(
    new: Floats, old: Floats, old_cluster: Ints, place: Ints, together: Ints, law: Law, scale: float = 1.0
) -> Grouped:
    """Where new tracks belong, values [M]; `place` int64 [M] of the new ones, `together` pairs among all N + M."""
    whole = law.with_pairs(together)
    near = _person(new, old, old_cluster, REACH_ACROSS * scale)
    rest = np.flatnonzero(near.cluster == NOISE)
    where = np.full(len(old) + len(new), -1, np.int64)
    where[len(old) + rest] = np.arange(len(rest))
    pairs = where[binding(whole)]
    groups = join(new[rest], place[rest], pairs[(pairs >= 0).all(axis=1)], scale)
    confidence = np.full(len(rest), 0.5, np.float32)
    return _under_law(new, old, old_cluster, whole, _with_rest(near, rest, groups, confidence), LEAST_TRACKS)


def _person(new: Floats, old: Floats, old_cluster: Ints, reach: float) -> Grouped:
    """The person whose tracks are nearest to each new one, on average within reach, or NOISE."""
    known = centres(old, old_cluster)
    there = np.asarray(new).any(axis=1)
    if not len(known.clusters) or not len(new):
        return Grouped(np.full(len(new), NOISE, np.int64), np.zeros(len(new), np.float32))
    squared = known.distances(new) ** 2 + known.spread[None]
    best = squared.argmin(axis=1)
    least = squared[np.arange(len(new)), best]
    inside = there & (least < reach**2)
    sure = np.where(inside, np.clip(1 - least / reach**2 / 2, 0, 1), 0).astype(np.float32)
    return Grouped(np.where(inside, known.clusters[best], NOISE), sure)


def _with_rest(near: Grouped, rest: Ints, groups: Ints, confidence: Floats) -> Grouped:
    cluster, sure = near.cluster.copy(), near.confidence.copy()
    cluster[rest] = np.where(groups >= 0, new_cluster(0) - groups, NOISE)
    sure[rest] = confidence
    return Grouped(cluster, sure)


def _under_law(new: Floats, old: Floats, old_cluster: Ints, law: Law, found: Grouped, least: int) -> Grouped:
    """The law of all, with the old ones as fixed as if a person had put them there."""
    old_held = np.where(law.held[: len(old)] >= 0, law.held[: len(old)], np.where(old_cluster >= 0, old_cluster, NOISE))
    fixed = replace(law, held=np.concatenate([old_held, law.held[len(old) :]]))
    cluster = np.concatenate([np.where(old_cluster <= UNPLACED, NOISE, old_cluster), found.cluster])
    sure = np.concatenate([np.ones(len(old), np.float32), found.confidence])
    obeyed = obey(Grouped(cluster, sure), np.concatenate([old, new]), fixed)
    mine = Grouped(obeyed.cluster[len(old) :], obeyed.confidence[len(old) :])
    known = frozenset(old_cluster[old_cluster >= 0].tolist()) | law.named
    return numbered(without_small(mine, Law(law.held[len(old) :], named=known), least))
