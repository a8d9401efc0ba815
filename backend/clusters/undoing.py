"""Corrections taken back, in any order. What a later one said stays; what they said of it counts as never said."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select as rows_of
from sqlalchemy import update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.clusters.answering import answer, shown
from backend.clusters.changing import Item, Move, begin, items_with, origin, put, remember, went
from backend.clusters.clustering import locked
from backend.clusters.further import correction_named
from backend.clusters.keys import items_named
from backend.clusters.links import Homes, Said, barred, homes, settle, stands
from backend.clusters.models import Cluster, ClusterItem, Correction, Link
from backend.clusters.shapes import Corrected
from backend.database import in_parts, utc_now
from backend.errors import Conflict
from backend.members.service import Principal

if TYPE_CHECKING:
    from backend.resources import Resources


NAMING = ("rename", "new", "split", "merge")


class Lain(NamedTuple):
    """Where a correction found an item, and where it put it."""

    was: int | None
    held: bool
    sure: float
    to: int | None


def undo(session: Session, resources: "Resources", who: Principal, correction_id: int) -> Corrected:
    """Take a correction back; again: the same answer. Commits.

    Items go back to where they were, unless another correction that stands says where they are, or a machine has moved
    them since. Raises NotFound, NotAllowed, Conflict for what takes one back itself.
    """
    correction = correction_named(session, who, correction_id, "curator")
    if correction.what == "undo":
        raise Conflict("This takes a correction back already; say it anew instead.")
    clustering = locked(session, correction.project_id, correction.kind)
    known = session.exec(select(Correction).where(col(Correction.undoes_id) == correction_id)).one_or_none()
    if known is not None:
        number, touched = known.id or 0, _clusters(correction)
        session.rollback()
        return shown(resources, number, touched)
    row = begin(session, clustering, who, "undo", correction.cluster_id)
    row.undoes_id = correction_id
    session.flush()
    session.execute(update(Link).where(col(Link.correction_id) == correction_id).values(ended_by=row.id))
    touched = _clusters(correction) | _put_back(session, correction, row)
    _rename(session, correction)
    row.facts = {**row.facts, "items": correction.facts.get("items", 0)}
    return answer(session, resources, row, touched)


def _clusters(correction: Correction) -> set[int]:
    facts = correction.facts
    found = {correction.cluster_id, *facts.get("merged", []), *facts.get("left", [])}
    found |= {was for was, *_ in correction.before.values()} | {to for to, _ in facts.get("to", [])}
    return {cluster for cluster in found if cluster is not None}


def _put_back(session: Session, correction: Correction, row: Correction) -> set[int]:
    """Put the items where they belong without the correction; the clusters that this changes."""
    project_id, kind = correction.project_id, correction.kind
    named = items_named(session, project_id, kind, correction.before)
    lain = {named[key]: lying for key, lying in _lain(correction).items() if key in named}
    then = homes(session, project_id, kind)
    parted = _part(session, correction)
    now = homes(session, project_id, kind)
    _uncarry(session, then, now, parted)
    items = items_with(session, {*lain, *_said_there(session, now, parted)})
    said = settle(session, now, items, row.id)
    earlier = _earlier(session, correction, items.values()) if lain else []
    closed = barred(session, now, items)
    lies: dict[int, Item] = {}
    for number, item in items.items():
        last, known = said.get(number), lain.get(number)
        where, here = origin(item, now), item._replace(held=False)
        if last is not None and last.cluster_id is not None:
            where, here = last.cluster_id, item._replace(held=True, confidence=1.0)
        elif known is not None and where == known.to and not _later(last, correction):
            first = _origin(item, known, earlier)
            where, here = first.was, here._replace(confidence=first.sure)
        if not here.held and (number, now.today(where)) in closed:
            where, here = None, here._replace(confidence=0.0)
        lies[number] = here._replace(cluster_id=now.today(where), origin_id=where)
    changes = [(items[number], here) for number, here in lies.items() if items[number] != here]
    put(session, (here for _, here in changes))
    remember(row, now, [Move(item, here.origin_id) for item, here in changes])
    touched = {*parted, *(then.today(cluster) for cluster in parted)}
    touched |= {each.cluster_id for pair in changes for each in pair}
    return {cluster for cluster in touched if cluster is not None}


def _later(last: Said | None, correction: Correction) -> bool:
    return last is not None and last.correction_id > (correction.id or 0)


def _lain(correction: Correction) -> dict[str, Lain]:
    to = went(correction)
    return {key: Lain(was, held, sure, to[key]) for key, (was, held, sure) in correction.before.items()}


def _part(session: Session, correction: Correction) -> list[int]:
    """Clusters that it made one are several again: all that it merged."""
    merged: list[int] = correction.facts.get("merged", [])
    if merged:
        session.execute(
            update(Cluster).where(col(Cluster.id).in_(merged)).values(merged_into=None, updated_at=utc_now())
        )
    return merged


def _uncarry(session: Session, then: Homes, now: Homes, parted: Iterable[int]) -> None:
    """What was carried along goes back with them."""
    for cluster in parted:
        own = col(ClusterItem.origin_id).in_(sorted(now.family([cluster])))
        carried = own, col(ClusterItem.cluster_id) == then.today(cluster)
        session.execute(update(ClusterItem).where(*carried).values(cluster_id=cluster))


def _said_there(session: Session, now: Homes, parted: Sequence[int]) -> set[int]:
    """Items of which something was said with clusters that are several again."""
    if not parted:
        return set()
    named = rows_of(col(Link.item_id)).where(
        col(Link.cluster_id).in_(sorted(now.family(parted))), col(Link.item_id).is_not(None)
    )
    return {item or 0 for item in session.execute(named.distinct()).scalars()}


def _earlier(session: Session, correction: Correction, items: Iterable[Item]) -> list[Mapping[str, Lain]]:
    """What corrections did that stood when this one was made and were taken back since, the newest first."""
    undo = aliased(Correction)
    numbers: set[int] = set()
    taken_back = (
        rows_of(col(Correction.id))
        .join(undo, col(undo.undoes_id) == col(Correction.id))
        .where(
            *(col(Correction.project_id) == correction.project_id, col(Correction.kind) == correction.kind),
            *(col(Correction.id) < correction.id, col(undo.id) > correction.id),
        )
    )
    for part in in_parts(item.id for item in items):
        of_items = col(Correction.id).in_(rows_of(col(Link.correction_id)).where(col(Link.item_id).in_(part)))
        numbers |= set(session.execute(taken_back.where(of_items)).scalars().all())
    found = select(Correction).where(col(Correction.id).in_(sorted(numbers))).order_by(col(Correction.id).desc())
    return [_lain(each) for each in session.exec(found).all()]


def _origin(item: Item, lain: Lain, earlier: Iterable[Mapping[str, Lain]]) -> Lain:
    """Where an item lay before all that was said of it and taken back."""
    for correction in earlier:
        known = correction.get(item.key)
        if known is not None and known.to == lain.was:
            lain = known
    return lain


def _rename(session: Session, correction: Correction) -> None:
    """Clusters that it gave a name have the one that was given last by a correction that stands."""
    for cluster_id in correction.facts.get("names", {}):
        cluster = session.get(Cluster, int(cluster_id))
        if cluster is not None:
            cluster.name, cluster.named_by = _name_of(session, int(cluster_id))
            cluster.updated_at = utc_now()
            session.add(cluster)


def _name_of(session: Session, cluster_id: int) -> tuple[str, str]:
    """The name of a cluster, and who gave it."""
    of_cluster = rows_of(col(Correction.facts), stands(col(Correction.id))).where(
        col(Correction.cluster_id) == cluster_id, col(Correction.what).in_(NAMING)
    )
    rows = session.execute(of_cluster.order_by(col(Correction.id))).all()
    names: list[tuple[Any, bool]] = [
        (facts["names"][str(cluster_id)], standing)
        for facts, standing in rows
        if str(cluster_id) in facts.get("names", {})
    ]
    for (_, name, _, by), standing in reversed(names):
        if standing:
            return name, by
    before, _, by, _ = names[0][0]
    return before, by
