"""What people said and still holds: by it items are held, kept apart, and found again after another analysis.

Of each item the last word counts that nobody took back: it is in that cluster, or it was put out and lies free. A
cannot link holds unless somebody put the item into that cluster nevertheless, or made it one with where it is. Nothing
but the corrections that stand decides which links hold, so they may be taken back in any order.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from sqlalchemy import ColumnElement, exists, update
from sqlalchemy import select as rows_of
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from backend.clusters.grouping import NOISE, Ints, Law
from backend.clusters.keys import items_named
from backend.clusters.models import Cluster, ClusterItem, Correction, Link
from backend.database import in_parts


class Placed(Protocol):
    """What the law asks of an item: a row of ClusterItem, or a part of it."""

    @property
    def id(self) -> int | None: ...
    @property
    def key(self) -> str: ...
    @property
    def cluster_id(self) -> int | None: ...
    @property
    def confidence(self) -> float: ...


class Said(NamedTuple):
    """The last word about an item: in which cluster it is (by its name then), None: it was put out of one."""

    correction_id: int
    cluster_id: int | None


class Homes(dict[int, int]):
    """Where merged clusters went."""

    def today(self, cluster: int | None) -> int | None:
        """What a cluster is now."""
        while cluster is not None and cluster in self:
            cluster = self[cluster]
        return cluster

    def family(self, clusters: Iterable[int]) -> set[int]:
        """Clusters with all that were merged into them."""
        wanted = set(clusters)
        return wanted | {merged for merged in self if self.today(merged) in wanted}


def homes(session: Session, project_id: int, kind: str) -> Homes:
    """Where the merged clusters of a project went."""
    merged = rows_of(col(Cluster.id), col(Cluster.merged_into)).where(
        col(Cluster.project_id) == project_id, col(Cluster.kind) == kind, col(Cluster.merged_into).is_not(None)
    )
    return Homes(session.execute(merged).all())


def stands(correction: Any) -> ColumnElement[bool]:
    """Whether nobody took the correction with this id back."""
    undo = aliased(Correction)
    return ~exists().where(col(undo.undoes_id) == correction)


def said_of(session: Session, items: Iterable[int]) -> dict[int, Said]:
    """The last word about each item, of those about which there is any."""
    found: dict[int, Said] = {}
    link = Link
    for part in in_parts(items):
        words = (
            rows_of(col(link.item_id), col(link.correction_id), col(link.must), col(link.cluster_id))
            .where(col(link.item_id).in_(part), col(link.cluster_id).is_not(None), stands(col(link.correction_id)))
            # Of one correction what puts the item somewhere comes last: it says more than where it is not.
            .order_by(col(link.correction_id), col(link.must), col(link.id))
        )
        for item, correction, must, cluster in session.execute(words).all():
            found[item] = Said(correction, cluster if must else None)
    return found


def settle(session: Session, home: Homes, items: Iterable[int], by: int | None = None) -> dict[int, Said]:
    """Write beside the links of some items which of them hold, and give the last word about each.

    by  the correction that changed it, None: each item's last
    """
    wanted = list(dict.fromkeys(items))
    said = said_of(session, wanted)
    ended: dict[int | None, list[int]] = {}
    for part in in_parts(wanted):
        rows = rows_of(
            *(col(Link.id), col(Link.item_id), col(Link.correction_id), col(Link.must), col(Link.cluster_id)),
            col(Link.ended_by),
        ).where(col(Link.item_id).in_(part), col(Link.cluster_id).is_not(None), stands(col(Link.correction_id)))
        for number, item, correction, must, cluster, ended_by in session.execute(rows).all():
            last = said[item]
            inside = last.cluster_id is not None and home.today(last.cluster_id) == home.today(cluster)
            holds = last.correction_id == correction if must else not inside
            if holds != (ended_by is None):
                ended.setdefault(None if holds else by or last.correction_id, []).append(number)
    for value, links in ended.items():
        for part in in_parts(links):
            session.execute(update(Link).where(col(Link.id).in_(part)).values(ended_by=value))
    return said


def barred(session: Session, home: Homes, items: Iterable[int]) -> set[tuple[int, int | None]]:
    """Items with clusters that they cannot be in."""
    found = set()
    for part in in_parts(items):
        cannot = rows_of(col(Link.item_id), col(Link.cluster_id)).where(
            col(Link.item_id).in_(part), col(Link.must).is_(False), col(Link.ended_by).is_(None)
        )
        found |= {(item, home.today(cluster)) for item, cluster in session.execute(cannot).all()}
    return found


def law_of(session: Session, project_id: int, kind: str, items: Sequence[Placed]) -> Law:
    """The law for items of a project, by their places in `items`.

    Where a cluster has a name, or something is not to be in it, and nothing is there (any more) that people put there,
    an item that stands for it is held for the machine's sake.
    """
    place = {item.id: at for at, item in enumerate(items)}
    home = homes(session, project_id, kind)
    held = np.full(len(items), NOISE, np.int64)
    rows = rows_of(col(Link.item_id), col(Link.must), col(Link.cluster_id), col(Link.other)).where(
        *(col(Link.project_id) == project_id, col(Link.kind) == kind, col(Link.ended_by).is_(None)),
        *(col(Link.cluster_id).is_not(None), col(Link.item_id).is_not(None)),
    )
    apart: list[tuple[int, int]] = []
    preferred: dict[int, str] = {}
    for item, must, cluster, other in session.execute(rows.order_by(col(Link.id))).all():
        today = home.today(cluster) or 0
        preferred[today] = other
        if item in place and must:
            held[place[item]] = today
        elif item in place:
            apart.append((place[item], today))
    names = rows_of(col(Cluster.id)).where(
        *(col(Cluster.project_id) == project_id, col(Cluster.kind) == kind, col(Cluster.name) != ""),
        col(Cluster.merged_into).is_(None),
    )
    named = {cluster or 0 for cluster in session.execute(names).scalars()}
    covers = rows_of(col(Cluster.cover_id)).where(col(Cluster.project_id) == project_id, col(Cluster.kind) == kind)
    first = _standing_for(items, held, named | {c for _, c in apart}, preferred, set(session.scalars(covers).all()))
    cannot = sorted({(at, first[cluster]) for at, cluster in apart if cluster in first and first[cluster] != at})
    pairs = np.array(cannot, np.int64).reshape(-1, 2)
    return Law(held, pairs, frozenset(named | set(held[held != NOISE].tolist())))


def _standing_for(
    items: Sequence[Placed], held: Ints, clusters: set[int], preferred: Mapping[Any, str], covers: set[int | None]
) -> dict[int, int]:
    """Of each of these clusters the place of an item that is held in it; held from now on where none was."""
    first: dict[int, int] = {}
    for at in np.flatnonzero(held != NOISE).tolist():
        first.setdefault(int(held[at]), at)
    best: dict[int, tuple[bool, bool, float, int]] = {}
    for at, item in enumerate(items):
        cluster = item.cluster_id
        if cluster in clusters and cluster not in first and held[at] == NOISE:
            rank = (item.key == preferred.get(cluster), item.id in covers, item.confidence, -at)
            best[cluster] = max(best.get(cluster, rank), rank)
    for cluster, (*_, negative) in best.items():
        held[-negative] = cluster
        first[cluster] = -negative
    return first


def restore(session: Session, project_id: int, kind: str, sha256: str) -> bool:
    """After the items of a film were made anew: find those that corrections name, and put them where people did.

    Whether any was moved. The caller holds the row of the clustering, and commits.
    """
    of_film = col(Link.project_id) == project_id, col(Link.kind) == kind, col(Link.one).startswith(f"{sha256}:")
    rows = session.execute(rows_of(col(Link.id), col(Link.one), col(Link.item_id)).where(*of_film)).all()
    named = items_named(session, project_id, kind, {one for _, one, _ in rows})
    others = [{"id": number, "item_id": named.get(one)} for number, one, item in rows if named.get(one) != item]
    if others:
        session.execute(update(Link), others)
    items = sorted(set(named.values()))
    home = homes(session, project_id, kind)
    said = {item: home.today(last.cluster_id) for item, last in settle(session, home, items).items()}
    lying: dict[int, tuple[int | None, bool]] = {}
    for part in in_parts(items):
        rows_now = rows_of(col(ClusterItem.id), col(ClusterItem.cluster_id), col(ClusterItem.held))
        found = session.execute(rows_now.where(col(ClusterItem.id).in_(part))).all()
        lying |= {item: (cluster, held) for item, cluster, held in found}
    closed = barred(session, home, items)
    fixed = [item for item in items if said.get(item) is not None and lying[item] != (said[item], True)]
    loose = [
        (item, None if (item, lying[item][0]) in closed else lying[item][0])
        for item in items
        if said.get(item) is None and (lying[item][1] or (item, lying[item][0]) in closed)
    ]
    changes = [
        {"id": item, "cluster_id": said[item], "held": True, "confidence": 1.0, "placed": True} for item in fixed
    ]
    changes += [{"id": item, "cluster_id": to, "held": False, "confidence": 0.0, "placed": True} for item, to in loose]
    if changes:
        session.execute(update(ClusterItem), changes)
    return bool(changes)
