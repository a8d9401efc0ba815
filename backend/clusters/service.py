"""What can be asked of clusters: the list of them, what lies in each, what lies in none, which may be one."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from backend.clusters.grouping import NOISE
from backend.clusters.links import law_of
from backend.clusters.merging import people_that_may_be_one, places_that_may_be_one
from backend.clusters.models import Cluster, ClusterItem
from backend.clusters.placing import rows_by_id
from backend.clusters.shapes import ClusterPublic, ItemPublic, MergeSuggestion
from backend.clusters.shown import clusters_shown, figures_query, in_place, items_query, shown_item
from backend.errors import NotFound
from backend.members.models import Role
from backend.members.service import Principal, require_part
from backend.members.shapes import one_spelling

if TYPE_CHECKING:
    from backend.resources import Resources

Sort = Literal["size", "name", "screen-time", "new"]
ItemSort = Literal["time", "sure"]

BY_TIME = (col(ClusterItem.movie_id), col(ClusterItem.shot), col(ClusterItem.track))
ITEM_SORTS: dict[str, tuple[Any, ...]] = {
    "time": BY_TIME,
    "sure": (col(ClusterItem.held).desc(), col(ClusterItem.confidence).desc(), *BY_TIME),
}


@dataclass(frozen=True)
class Wanted:
    """Which clusters are asked for, in what order. `scene`: only people who are in that place, and how much there."""

    project_id: int
    kind: str
    scene: int | None = None
    sort: Sort = "size"
    text: str = ""


class Counted(NamedTuple):
    """Items, clusters that have any, and items in none."""

    items: int
    clusters: int
    noise: int


def cluster_named(session: Session, who: Principal, cluster_id: int, role: Role = "viewer") -> Cluster:
    """A cluster that the asker may see (or more); raises NotFound, NotAllowed."""
    cluster = require_part(session, who, session.get(Cluster, cluster_id), f"cluster {cluster_id}", role)
    if cluster.merged_into is not None or cluster.gone:
        into = f" it was merged into {cluster.merged_into}" if cluster.merged_into else " nothing is left of it"
        raise NotFound(f"The cluster {cluster_id} is no more:{into}.")
    return cluster


def list_clusters(session: Session, wanted: Wanted, limit: int, offset: int) -> tuple[list[ClusterPublic], int]:
    """Clusters of a project, and how many there are."""
    of_kind = col(ClusterItem.project_id) == wanted.project_id, col(ClusterItem.kind) == wanted.kind
    counted = figures_query(and_(*of_kind, col(ClusterItem.cluster_id).is_not(None)), wanted.scene).subquery()
    size, seconds = func.coalesce(counted.c[1], 0), func.coalesce(counted.c[4], 0.0)
    sorts: dict[str, tuple[Any, ...]] = {
        "size": (size.desc(), col(Cluster.id)),
        "name": (col(Cluster.name) == "", func.lower(Cluster.name), size.desc(), col(Cluster.id)),
        "screen-time": (seconds.desc(), col(Cluster.id)),
        "new": (col(Cluster.created_at).desc(), col(Cluster.id).desc()),
    }
    where = [
        col(Cluster.project_id) == wanted.project_id,
        col(Cluster.kind) == wanted.kind,
        col(Cluster.merged_into).is_(None),
        col(Cluster.gone).is_(False),
    ]
    if wanted.text.strip():
        where.append(col(Cluster.id).in_(_called(session, wanted)))
    joined = select(Cluster).join(counted, counted.c[0] == col(Cluster.id), isouter=wanted.scene is None).where(*where)
    total = session.exec(select(func.count()).select_from(joined.subquery())).one()
    rows = session.exec(joined.order_by(*sorts[wanted.sort]).limit(limit).offset(offset)).all()
    return clusters_shown(session, rows, wanted.scene), total


def _called(session: Session, wanted: Wanted) -> list[int]:
    """Clusters with that text in their name, in any letters: some databases know those of ASCII alone."""
    of_kind = col(Cluster.project_id) == wanted.project_id, col(Cluster.kind) == wanted.kind
    names = session.exec(select(Cluster.id, Cluster.name).where(*of_kind, col(Cluster.name) != "")).all()
    text = one_spelling(wanted.text).casefold()
    return [cluster or 0 for cluster, name in names if text in name.casefold()]


def shown(session: Session, cluster: Cluster) -> ClusterPublic:
    """One cluster as the API shows it."""
    return clusters_shown(session, [cluster])[0]


def counted(session: Session, project_id: int, kind: str) -> Counted:
    """How many items there are, in how many clusters, and how many lie in none."""
    of_kind = col(ClusterItem.project_id) == project_id, col(ClusterItem.kind) == kind
    lies = col(ClusterItem.cluster_id)
    asked = select(func.count(), func.count(lies), func.count(lies.distinct())).where(*of_kind)
    items, inside, clusters = session.exec(asked).one()
    return Counted(items, clusters, items - inside)


def members(
    session: Session, cluster: Cluster, scene: int | None, sort: ItemSort, limit: int, offset: int
) -> tuple[list[ItemPublic], int]:
    """Items of a cluster, or of the part of it that is in a place, and how many there are."""
    where = [col(ClusterItem.cluster_id) == cluster.id]
    if scene is not None:
        where.append(in_place(scene))
    return _items(session, where, sort, limit, offset)


def noise(
    session: Session, project_id: int, kind: str, sort: ItemSort, limit: int, offset: int
) -> tuple[list[ItemPublic], int]:
    """Items that no cluster took, and how many there are."""
    where = [
        col(ClusterItem.project_id) == project_id,
        col(ClusterItem.kind) == kind,
        col(ClusterItem.cluster_id).is_(None),
    ]
    return _items(session, where, sort, limit, offset)


def suggestions(
    session: Session, resources: "Resources", project_id: int, kind: str, limit: int
) -> list[MergeSuggestion]:
    """Pairs of clusters that may be one, the surest first."""
    near = resources.likenesses.get(session, project_id, kind)
    rows = rows_by_id(session, project_id, kind, near)
    lies = np.array([NOISE if row.cluster_id is None else row.cluster_id for row in rows], np.int64)
    law = law_of(session, project_id, kind, rows).with_pairs(near.together)
    if kind == "scene":
        film, shot = np.array([(each.movie_id, each.shot) for each in near.where], np.int64).reshape(-1, 2).T
        pairs = places_that_may_be_one(near.rows, lies, law, film, shot, limit)
    else:
        pairs = people_that_may_be_one(near.rows, lies, law, near.scale, limit)
    ids = {cluster for one, other, _ in pairs for cluster in (one, other)}
    found = session.exec(select(Cluster).where(col(Cluster.id).in_(ids)).order_by(col(Cluster.id))).all()
    shown = {cluster.id: cluster for cluster in clusters_shown(session, found)}
    return [
        MergeSuggestion(one=shown[one], other=shown[other], confidence=round(confidence, 4))
        for one, other, confidence in pairs
        if one in shown and other in shown
    ]


def _items(session: Session, where: list[Any], sort: ItemSort, limit: int, offset: int) -> tuple[list[ItemPublic], int]:
    found = items_query().where(*where)
    total = session.execute(found.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
    rows = session.execute(found.order_by(*ITEM_SORTS[sort]).limit(limit).offset(offset)).all()
    return [shown_item(item, movie, shot) for item, movie, shot in rows], total
