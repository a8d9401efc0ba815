"""What every correction does: items are put elsewhere, links and pairs are kept, what was before is remembered."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import func, insert, update
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.clustering import changed
from backend.clusters.links import Homes, said_of, settle
from backend.clusters.models import Cluster, Clustering, ClusterItem, Correction, FeedbackPair, Link, What
from backend.database import in_parts
from backend.errors import NotFound
from backend.members.service import Principal

WORDS = {"scene": "shot", "character": "appearance"}


class Item(NamedTuple):
    """An item as a correction finds it."""

    id: int
    key: str
    cluster_id: int | None
    origin_id: int | None
    held: bool
    confidence: float


class Move(NamedTuple):
    """An item and the cluster that somebody puts it into; None: it is not of the one where it is."""

    item: Item
    to: int | None


Anchors = Mapping[int, Sequence[Item]]
"""Cluster → the one or two items that stand for it best."""

COLUMNS = [col(getattr(ClusterItem, name)) for name in Item._fields]


def origin(item: Item, home: Homes) -> int | None:
    """The cluster that an item was put into, before that became one with others."""
    return item.origin_id if item.origin_id and home.today(item.origin_id) == item.cluster_id else item.cluster_id


def items_with(session: Session, ids: Iterable[int]) -> dict[int, Item]:
    """Items by id, those that are there."""
    found: dict[int, Item] = {}
    for part in in_parts(ids):
        rows = session.execute(rows_of(*COLUMNS).where(col(ClusterItem.id).in_(part))).all()
        found |= {row[0]: Item._make(row) for row in rows}
    return found


def items_in(session: Session, clusters: Iterable[int]) -> list[Item]:
    """The items of clusters, in order of their ids."""
    found = rows_of(*COLUMNS).where(col(ClusterItem.cluster_id).in_(sorted(clusters))).order_by(col(ClusterItem.id))
    return [Item._make(row) for row in session.execute(found).all()]


def items_of(session: Session, clustering: Clustering, ids: Sequence[int]) -> list[Item]:
    """Items of the project and kind by id, each once; raises NotFound."""
    found: dict[int, Item] = {}
    for part in in_parts(ids):
        own = rows_of(*COLUMNS).where(
            *(col(ClusterItem.id).in_(part), col(ClusterItem.project_id) == clustering.project_id),
            col(ClusterItem.kind) == clustering.kind,
        )
        found |= {row[0]: Item._make(row) for row in session.execute(own).all()}
    missing = next((number for number in ids if number not in found), None)
    if missing is not None:
        word = WORDS[clustering.kind]
        raise NotFound(f"There is no {word} {missing} here; look again, the film may have been analysed anew.")
    return [found[number] for number in dict.fromkeys(ids)]


def anchors_of(session: Session, clusters: Iterable[int]) -> Anchors:
    """The items that stand for clusters: those held there first, then the cover, then the surest."""
    item = ClusterItem
    order = (
        *(col(item.held).desc(), (col(item.id) == func.coalesce(col(Cluster.cover_id), 0)).desc()),
        *(col(item.confidence).desc(), col(item.id)),
    )
    place = func.row_number().over(partition_by=col(item.cluster_id), order_by=order).label("place")
    members = (
        rows_of(*COLUMNS, place)
        .join(Cluster, col(Cluster.id) == col(item.cluster_id))
        .where(col(item.cluster_id).in_(sorted(set(clusters))))
        .subquery()
    )
    found: dict[int, list[Item]] = {}
    for *row, _place in session.execute(
        rows_of(*members.c).where(members.c.place <= 2).order_by(members.c.place)
    ).all():
        item_there = Item._make(row)
        found.setdefault(item_there.cluster_id or 0, []).append(item_there)
    return found


def begin(session: Session, clustering: Clustering, who: Principal, what: What, cluster_id: int | None) -> Correction:
    """The row of a correction, with its id; the clustering has changed."""
    row = Correction(
        project_id=clustering.project_id, kind=clustering.kind, what=what, cluster_id=cluster_id, by=who.name
    )
    session.add(row)
    session.flush()
    changed(session, clustering)
    return row


def put(session: Session, items: Iterable[Item]) -> None:
    """Write where items are."""
    changes = [{**item._asdict(), "placed": True} for item in items]
    if changes:
        session.execute(update(ClusterItem), changes)


def placed(item: Item, to: int | None) -> Item:
    """The item where a person put it; nothing is surer."""
    held = to is not None
    return item._replace(cluster_id=to, origin_id=None, held=held, confidence=float(held))


def remember(correction: Correction, home: Homes, moves: Iterable[Move]) -> None:
    """Write down where items were, and where those went that did not go to the correction's cluster."""
    before = dict(correction.before)
    apart: dict[int | None, list[str]] = {}
    for item, to in moves:
        before[item.key] = [origin(item, home), item.held, item.confidence]
        if to != correction.cluster_id:
            apart.setdefault(to, []).append(item.key)
    known = correction.facts.get("to", [])
    correction.before = before
    correction.facts = {**correction.facts, "to": [*known, *([to, keys] for to, keys in apart.items())]}


def went(correction: Correction) -> dict[str, int | None]:
    """Where a correction put each item, by key."""
    to: dict[str, int | None] = dict.fromkeys(correction.before, correction.cluster_id)
    for cluster, keys in correction.facts.get("to", []):
        to |= dict.fromkeys(keys, cluster)
    return to


def pin(session: Session, correction: Correction, home: Homes, anchors: Iterable[Item]) -> None:
    """Hold what stands for clusters where it is, so that they do not slip away from what was said of them."""
    found = {item.id: item for item in anchors}
    said = said_of(session, found)
    free = [item for item in found.values() if item.id not in said or said[item.id].cluster_id is None]
    there = [Move(item, origin(item, home)) for item in free]
    put(session, (item._replace(held=True, confidence=1.0) for item in free))
    remember(correction, home, there)
    add_links(session, correction, [(True, item, item.key, cluster) for item, cluster in there])


def place(session: Session, correction: Correction, home: Homes, moves: Sequence[Move]) -> set[int]:
    """Put items where somebody wants them, with links and pairs. Gives the clusters that this changes."""
    targets = {to for _, to in moves if to is not None}
    left = {item.cluster_id for item, to in moves if item.cluster_id is not None and item.cluster_id != to}
    there = anchors_of(session, targets)
    put(session, (placed(*move) for move in moves))
    remember(correction, home, moves)
    anchors = {**there, **anchors_of(session, left)}
    moved = {item.id for item, _ in moves}
    pin(session, correction, home, (of[0] for of in anchors.values() if of[0].id not in moved))
    stands_for = {cluster: of[0].key for cluster, of in anchors.items()}
    for item, to in moves:
        if to is not None:
            stands_for.setdefault(to, item.key)
    links: list[tuple[bool, Item, str, int | None]] = []
    for item, to in moves:
        if to is not None:
            links.append((True, item, stands_for[to], to))
        if item.cluster_id is not None and item.cluster_id != to:
            links.append((False, item, stands_for.get(item.cluster_id, ""), item.cluster_id))
    add_links(session, correction, links)
    add_pairs(session, correction, taught(moves, stands_for, anchors))
    correction.facts = {**correction.facts, "items": len(moves), "left": sorted(left)}
    settle(session, home, moved, correction.id)
    return targets | left


def taught(moves: Sequence[Move], stands_for: Mapping[int, str], anchors: Anchors) -> list[tuple[str, str, str]]:
    """What moves teach: (anchor, positive, negative or "") each.

    What was put somewhere is like what stands for that, unlike what stands for where it was. Of what was only put out
    it is known that those that stay are more like each other than like it.
    """
    pairs = []
    for item, to in moves:
        stay = anchors.get(item.cluster_id or 0, ()) if item.cluster_id != to else ()
        if to is not None and stands_for[to] != item.key:
            pairs.append((item.key, stands_for[to], stay[0].key if stay else ""))
        elif len(stay) > 1:
            pairs.append((stay[0].key, stay[1].key, item.key))
    return pairs


def add_links(session: Session, correction: Correction, links: Iterable[tuple[bool, Item, str, int | None]]) -> None:
    """Keep links: whether the item must, what stands for the cluster, and the cluster."""
    same = {"project_id": correction.project_id, "kind": correction.kind, "correction_id": correction.id}
    rows = [
        {**same, "must": must, "one": item.key, "item_id": item.id, "other": other, "cluster_id": cluster}
        for must, item, other, cluster in links
    ]
    if rows:
        session.execute(insert(Link), rows)


def add_pairs(session: Session, correction: Correction, pairs: Iterable[tuple[str, str, str]]) -> None:
    """Keep what a correction teaches."""
    same = {"project_id": correction.project_id, "kind": correction.kind, "correction_id": correction.id}
    rows = [
        {**same, "anchor": anchor, "positive": positive, "negative": negative} for anchor, positive, negative in pairs
    ]
    if rows:
        session.execute(insert(FeedbackPair), rows)
