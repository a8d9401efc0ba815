"""What people say of clusters, each thing in one transaction that holds the row of the clustering.

The item of which something is said is held from then on, and so is what stands for the cluster that it was compared
with. All of these commit, and raise NotFound, NotAllowed for those who may not, Conflict where it is so already.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import case, update
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.answering import answer
from backend.clusters.changing import (
    WORDS,
    Item,
    Move,
    add_links,
    add_pairs,
    anchors_of,
    begin,
    items_in,
    items_of,
    items_with,
    pin,
    place,
    placed,
    put,
    remember,
)
from backend.clusters.clustering import locked
from backend.clusters.links import Homes, barred, homes, settle
from backend.clusters.models import Cluster, Clustering, ClusterItem, Correction, Kind, Link, What
from backend.clusters.service import cluster_named
from backend.clusters.shapes import Corrected
from backend.database import rows_changed, utc_now
from backend.errors import Conflict, InputError
from backend.members.service import Principal, require_role

if TYPE_CHECKING:
    from backend.resources import Resources


def move(session: Session, resources: "Resources", who: Principal, cluster_id: int, items: Sequence[int]) -> Corrected:
    """Items belong to a cluster, and not to those where they were."""
    clustering, cluster = opened(session, who, cluster_id)
    found = [item for item in items_of(session, clustering, items) if not (item.held and item.cluster_id == cluster_id)]
    if not found:
        raise Conflict(f"They are in {called(cluster)} already, where somebody put them.")
    moves = [Move(item, cluster_id) for item in found]
    return _placed(session, resources, begin(session, clustering, who, "move", cluster_id), moves)


def remove(
    session: Session, resources: "Resources", who: Principal, cluster_id: int, items: Sequence[int]
) -> Corrected:
    """Items do not belong to a cluster: to noise with them, and never here again by a machine."""
    clustering, cluster = opened(session, who, cluster_id)
    found = members_among(items_of(session, clustering, items), cluster)
    moves = [Move(item, None) for item in found]
    return _placed(session, resources, begin(session, clustering, who, "remove", None), moves)


def new(
    session: Session,
    resources: "Resources",
    who: Principal,
    project_id: int,
    kind: Kind,
    items: Sequence[int],
    name: str,
) -> Corrected:
    """Items that are a cluster of their own, of noise or of others."""
    require_role(session, who, project_id, "curator")
    clustering = locked(session, project_id, kind)
    return _made(session, resources, who, clustering, "new", items_of(session, clustering, items), name)


def split(
    session: Session, resources: "Resources", who: Principal, cluster_id: int, items: Sequence[int], name: str
) -> Corrected:
    """Items of a cluster that are another one. Raises Conflict where that would leave nothing."""
    clustering, cluster = opened(session, who, cluster_id)
    found = members_among(items_of(session, clustering, items), cluster)
    if len(found) == len(items_in(session, [cluster_id])):
        raise Conflict(f"That is all of {called(cluster)}; leave some of it there, or give it another name.")
    return _made(session, resources, who, clustering, "split", found, name)


def rename(session: Session, resources: "Resources", who: Principal, cluster_id: int, name: str) -> Corrected:
    """A cluster has a name, or "" none. What stands for it is held, so that the name stays with what was seen."""
    clustering, cluster = opened(session, who, cluster_id)
    if name.strip() == cluster.name:
        raise Conflict(f"{cluster.name} is called that already." if cluster.name else "It has no name.")
    correction = begin(session, clustering, who, "rename", cluster_id)
    name_it(correction, cluster, name, who.name)
    if cluster.name:
        home = homes(session, clustering.project_id, clustering.kind)
        pin(session, correction, home, (of[0] for of in anchors_of(session, [cluster_id]).values()))
    return answer(session, resources, correction, {cluster_id})


def merge(session: Session, resources: "Resources", who: Principal, into: int, clusters: Sequence[int]) -> Corrected:
    """Clusters are one. Its name is that of `into`, else the first that one of the others has.

    What a person has put into any of them is in it; what is not to be in one of them goes to noise.
    """
    clustering, target = opened(session, who, into)
    others = [cluster for cluster in dict.fromkeys(clusters) if cluster != into]
    if not others:
        raise InputError("Name the clusters that are to become one with it.")
    rows = [same_kind(session, who, clustering, cluster) for cluster in others]
    correction = begin(session, clustering, who, "merge", into)
    there = anchors_of(session, [into, *others])
    apart = homes(session, clustering.project_id, clustering.kind)
    for row in rows:
        row.merged_into, row.updated_at = into, utc_now()
        session.add(row)
    session.flush()
    home = homes(session, clustering.project_id, clustering.kind)
    out = _thrown_out(session, home, [into, *others], correction)
    remember(correction, apart, [Move(item, None) for item in out])
    put(session, (placed(item, None) for item in out))
    gone = {item.id for item in out}
    left = [[item for item in there.get(cluster, ()) if item.id not in gone] for cluster in (into, *others)]
    _join(session, correction, apart, [of[0] for of in left if of])
    moved = sum(_carry(session, apart, cluster, into) for cluster in (into, *others))
    correction.facts = {**correction.facts, "merged": others, "items": moved}
    name = target.name or next((row.name for row in rows if row.name), "")
    if name != target.name:
        name_it(correction, target, name, who.name)
    return answer(session, resources, correction, {into, *others})


def opened(session: Session, who: Principal, cluster_id: int) -> tuple[Clustering, Cluster]:
    """A cluster that the asker may correct, with the row that locks it; as it is when nobody else changes it."""
    cluster = cluster_named(session, who, cluster_id, "curator")
    clustering = locked(session, cluster.project_id, cluster.kind)
    session.refresh(cluster)
    return clustering, cluster_named(session, who, cluster_id, "curator")


def same_kind(session: Session, who: Principal, clustering: Clustering, cluster_id: int) -> Cluster:
    """A cluster of the same project and kind as one that is open; raises InputError for another's."""
    cluster = cluster_named(session, who, cluster_id, "curator")
    if (cluster.project_id, cluster.kind) != (clustering.project_id, clustering.kind):
        raise InputError(f"The cluster {cluster_id} is of another project, or one is a place and the other a person.")
    session.refresh(cluster)
    return cluster_named(session, who, cluster_id, "curator")


def members_among(items: Sequence[Item], cluster: Cluster) -> Sequence[Item]:
    """The same, if all are in the cluster; raises Conflict."""
    other = next((item for item in items if item.cluster_id != cluster.id), None)
    if other is not None:
        raise Conflict(f"The {WORDS[cluster.kind]} {other.id} is not in {called(cluster)} any more; look again.")
    return items


def called(cluster: Cluster) -> str:
    """What a sentence calls a cluster."""
    return cluster.name or f"{'place' if cluster.kind == 'scene' else 'person'} {cluster.id}"


def name_it(correction: Correction, cluster: Cluster, name: str, by: str) -> None:
    """Give a cluster a name, and remember what it was called."""
    name = name.strip()
    by = by if name else ""
    said = {str(cluster.id): [cluster.name, name, cluster.named_by, by]}
    correction.facts = {**correction.facts, "names": {**correction.facts.get("names", {}), **said}}
    cluster.name, cluster.named_by, cluster.updated_at = name, by, utc_now()


def _made(
    session: Session,
    resources: "Resources",
    who: Principal,
    clustering: Clustering,
    what: What,
    items: Sequence[Item],
    name: str,
) -> Corrected:
    cluster = Cluster(project_id=clustering.project_id, kind=clustering.kind)
    session.add(cluster)
    session.flush()
    correction = begin(session, clustering, who, what, cluster.id)
    if name.strip():
        name_it(correction, cluster, name, who.name)
    return _placed(session, resources, correction, [Move(item, cluster.id) for item in items])


def _placed(session: Session, resources: "Resources", correction: Correction, moves: Sequence[Move]) -> Corrected:
    touched = place(session, correction, homes(session, correction.project_id, correction.kind), moves)
    return answer(session, resources, correction, touched)


def _thrown_out(session: Session, home: Homes, clusters: Sequence[int], correction: Correction) -> list[Item]:
    """Items that a machine put into clusters that are one now, though they are not to be in a part of it."""
    family = rows_of(col(Link.item_id)).where(
        *(col(Link.must).is_(False), col(Link.item_id).is_not(None)),
        col(Link.cluster_id).in_(sorted(home.family(clusters[:1]))),
    )
    named = {item or 0 for item in session.execute(family.distinct()).scalars()}
    settle(session, home, named, correction.id)
    closed = barred(session, home, named)
    inside = items_with(session, named).values()
    return [item for item in inside if item.cluster_id in clusters and (item.id, clusters[0]) in closed]


def _carry(session: Session, apart: Homes, cluster: int, into: int) -> int:
    """Items of a cluster become another's, and know where they came from; how many moved."""
    item, own = col(ClusterItem.origin_id), sorted(apart.family([cluster]))
    changes = {"cluster_id": into, "origin_id": case((item.in_(own), item), else_=cluster)}
    moved = rows_changed(session, update(ClusterItem).where(col(ClusterItem.cluster_id) == cluster).values(changes))
    return moved if cluster != into else 0


def _join(session: Session, correction: Correction, apart: Homes, anchors: Sequence[Item]) -> None:
    """What stands for each of the clusters belongs together, and is held."""
    pin(session, correction, apart, anchors)
    add_links(session, correction, [(True, item, anchors[0].key, None) for item in anchors[1:]])
    add_pairs(session, correction, [(item.key, anchors[0].key, "") for item in anchors[1:]])
