"""What people said is law: groups get the ids they had, held items lie where they were put, cannot pairs apart."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from backend.clusters.centres import Centres, centres
from backend.clusters.grouping import NOISE, UNPLACED, Floats, Grouped, Ints, Law, new_cluster

HELD_VOTES = 3
"""An item that a person put somewhere says as much of whose group it is as three that a machine put there."""

JOINED_SHARE = 1 / 3
"""A second group is part of a cluster where so much of it was there before, by a person's word."""


def settle(groups: Ints, confidence: Floats, vectors: Floats, law: Law, before: Ints, least: int) -> Grouped:
    """Groups as clusters under the law: ids of before, everything obeyed, no machine's cluster under `least` items.

    groups      int64 [N]: 0, 1, … or NOISE
    confidence  float32 [N], 0 to 1
    before      int64 [N]: the cluster each was in, NOISE, or UNPLACED
    """
    known = identify(groups, vectors, law, before)
    obeyed = obey(Grouped(known, confidence), vectors, law)
    return numbered(without_small(obeyed, law, least))


def identify(groups: Ints, vectors: Floats, law: Law, before: Ints) -> Ints:
    """The cluster of each item, int64 [N]: each group is the cluster of before that most of it was, or a new one.

    What people put somewhere counts more. Two groups are one cluster only where people made them one: each holds an
    item that was put there. A group that holds most of several clusters with names is divided among them.
    """
    home = np.where(law.held >= 0, law.held, before)
    votes = _votes(groups, home, law)
    owner: dict[int, int] = {}
    taken: set[int] = set()
    for group, cluster in sorted(votes, key=lambda pair: (-votes[pair], pair[1], pair[0])):
        if group not in owner and cluster not in taken:
            owner[group] = cluster
            taken.add(cluster)
    owner |= _joined(groups, home, law, votes, owner)
    found = np.full(len(groups), NOISE, np.int64)
    for k, group in enumerate(np.unique(groups[groups >= 0]).tolist()):
        found[groups == group] = owner.get(group, new_cluster(k))
    for group, claimants in _claims(votes, owner, taken, law).items():
        _divide(found, np.flatnonzero(groups == group), home, vectors, [owner[group], *claimants])
    return found


def _votes(groups: Ints, home: Ints, law: Law) -> dict[tuple[int, int], int]:
    counted = (groups >= 0) & (home >= 0)
    pairs, place = np.unique(np.stack([groups[counted], home[counted]], axis=1), axis=0, return_inverse=True)
    weight = np.where(law.held[counted] >= 0, HELD_VOTES, 1)
    sums = np.bincount(place.ravel(), weight, minlength=len(pairs)).astype(int).tolist()
    return {(group, cluster): votes for (group, cluster), votes in zip(pairs.tolist(), sums, strict=True)}


def _joined(
    groups: Ints, home: Ints, law: Law, votes: dict[tuple[int, int], int], owner: dict[int, int]
) -> dict[int, int]:
    """Groups that are part of a cluster which another group is too: people made them one."""
    best: dict[int, tuple[int, int]] = {}
    for (group, cluster), count in votes.items():
        best[group] = max(best.get(group, (0, 0)), (count, -cluster))
    found = {}
    for group, (_, negative) in best.items():
        inside, cluster = groups == group, -negative
        said = bool((law.held[inside] == cluster).any())
        if owner.get(group) != cluster and said and (home[inside] == cluster).mean() >= JOINED_SHARE:
            found[group] = cluster
    return found


def _claims(
    votes: dict[tuple[int, int], int], owner: dict[int, int], taken: set[int], law: Law
) -> dict[int, list[int]]:
    """Named clusters that got no group, by the group that holds most of each."""
    most: dict[int, tuple[int, int]] = {}
    for (group, cluster), count in votes.items():
        if cluster in law.named and cluster not in taken and group in owner:
            most[cluster] = max(most.get(cluster, (0, 0)), (count, -group))
    found = defaultdict(list)
    for cluster in sorted(most):
        found[-most[cluster][1]].append(cluster)
    return found


def _divide(found: Ints, places: Ints, home: Ints, vectors: Floats, claimants: list[int]) -> None:
    """Items of a group go to the claimant they were in, others to the nearest."""
    own = home[places]
    settled = np.isin(own, claimants)
    found[places[settled]] = own[settled]
    rest = places[~settled]
    if len(rest) and settled.any():
        near = centres(vectors[places[settled]], own[settled])
        found[rest] = near.clusters[near.distances(vectors[rest]).argmin(axis=1)]


def obey(grouped: Grouped, vectors: Floats, law: Law) -> Grouped:
    """The same, with the law kept: held items where they were put, no cannot pair in one cluster.

    A free item that must leave goes to the nearest cluster that takes it, within that cluster's own radius, else to
    noise. A cannot pair that a person has put into one cluster is void: that was said of these very items. Of two
    free items the surer one stays. The result is the same for the same input.
    """
    held = law.held >= 0
    cluster = np.where(held, law.held, grouped.cluster)
    cluster[(cluster <= UNPLACED) & (cluster > new_cluster(0))] = NOISE
    sure = np.where(held, 1, np.nan_to_num(grouped.confidence, nan=0.0).clip(0, 1)).astype(np.float32)
    against = binding(law)
    apart = against[_together(cluster, against)]
    if len(apart):
        _part(cluster, sure, vectors, held, against, np.unique(apart))
    sure[cluster == NOISE] = 0
    return Grouped(cluster, sure)


def binding(law: Law) -> Ints:
    """The cannot pairs that hold, int64 [C, 2]: of two items, not both put into one cluster by people."""
    pairs = np.asarray(law.cannot, np.int64).reshape(-1, 2)
    inside = (pairs >= 0).all(axis=1) & (pairs < len(law.held)).all(axis=1) & (pairs[:, 0] != pairs[:, 1])
    pairs = pairs[inside]
    one, other = law.held[pairs[:, 0]], law.held[pairs[:, 1]]
    return np.asarray(pairs[(one < 0) | (one != other)], np.int64)


def _together(cluster: Ints, pairs: Ints) -> NDArray[np.bool_]:
    one, other = cluster[pairs[:, 0]], cluster[pairs[:, 1]]
    return np.asarray((one == other) & (one != NOISE), np.bool_)


def _part(cluster: Ints, sure: Floats, vectors: Floats, held: NDArray[np.bool_], against: Ints, places: Ints) -> None:
    """Move free items at these places until none is beside one that it cannot be with."""
    partners = _partners(against)
    waiting = places[~held[places]]
    settled = np.ones(len(cluster), bool)
    settled[waiting] = False
    near = centres(vectors[settled], cluster[settled])
    for place in waiting[np.lexsort((waiting, -sure[waiting]))].tolist():
        closed = {int(cluster[other]) for other in partners[place] if settled[other]}
        if int(cluster[place]) in closed:
            cluster[place], sure[place] = _elsewhere(near, vectors[place], closed)
        settled[place] = True


def _partners(pairs: Ints) -> dict[int, list[int]]:
    found = defaultdict(list)
    for one, other in pairs.tolist():
        found[one].append(other)
        found[other].append(one)
    return found


def _elsewhere(near: Centres, vector: Floats, closed: Iterable[int]) -> tuple[int, float]:
    """The nearest open cluster that reaches the vector and how surely, or noise."""
    confidence = near.confidence(vector[None])[0]
    confidence[np.isin(near.clusters, list(closed))] = 0
    if not len(confidence) or confidence.max() <= 0:
        return NOISE, 0.0
    best = int(confidence.argmax())
    return int(near.clusters[best]), float(confidence[best])


def without_small(grouped: Grouped, law: Law, least: int) -> Grouped:
    """Clusters of fewer than `least` items go to noise, unless they have a name or a person put something there."""
    clusters, counts = np.unique(grouped.cluster, return_counts=True)
    kept = np.union1d(law.held, np.fromiter(law.named, np.int64, len(law.named)))
    small = np.isin(grouped.cluster, np.setdiff1d(clusters[counts < least], kept))
    cluster = np.where(small, NOISE, grouped.cluster)
    return Grouped(cluster, np.where(cluster == NOISE, 0, grouped.confidence).astype(np.float32))


def numbered(grouped: Grouped) -> Grouped:
    """New clusters numbered from the first on, in order of their first items."""
    fresh, first, place = np.unique(grouped.cluster, return_index=True, return_inverse=True)
    order = np.full(len(fresh), 0, np.int64)
    new = np.flatnonzero(fresh <= new_cluster(0))
    order[new[np.argsort(first[new])]] = np.arange(len(new))
    ids = np.where(fresh <= new_cluster(0), UNPLACED - 1 - order, fresh)
    return Grouped(ids[place.ravel()], grouped.confidence)
