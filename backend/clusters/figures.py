"""What is said of clusters in figures: how many items, how long, how alike, which stands for them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from backend.clusters.likeness import cohesion, cover
from backend.clusters.models import Cluster, ClusterItem
from backend.clusters.vectors import Vectors, vectors_of
from backend.database import utc_now

if TYPE_CHECKING:
    from backend.resources import Resources

DIGITS = 4
CLOSE_S = 0.001
MANY = 5000
"""Vectors of more items than these are found by reading all."""


def refigure(
    session: Session,
    resources: "Resources",
    project_id: int,
    kind: str,
    cluster_ids: Iterable[int],
    known: Vectors | None = None,
) -> None:
    """Make the figures of clusters right, as their items lie now; `known` has vectors of them all, not reduced.

    One that is left without items and without a name is gone from then on, and back as soon as it has some. Hold the
    row of the clustering. Commits nothing.
    """
    session.flush()
    wanted = sorted(set(cluster_ids))
    if not wanted:
        return
    members = _members(session, project_id, kind, wanted)
    ids = [item for own in members.values() for item, _ in own]
    vectors = known or vectors_of(session, resources, project_id, kind, ids if len(ids) < MANY else None)
    clusters = select(Cluster).where(col(Cluster.id).in_(wanted), col(Cluster.project_id) == project_id)
    for cluster in session.exec(clusters.order_by(col(Cluster.id)).with_for_update()).all():
        _set(cluster, members.get(cluster.id or 0, []), vectors)
        session.add(cluster)
    session.flush()


def off(session: Session, project_id: int, kind: str) -> list[int]:
    """Clusters whose figures are not those of their items: a film of theirs was deleted."""
    item = ClusterItem
    counted = (
        rows_of(col(item.cluster_id), func.count(), func.sum(item.seconds))
        .where(col(item.project_id) == project_id, col(item.kind) == kind, col(item.cluster_id).is_not(None))
        .group_by(col(item.cluster_id))
    )
    now = {cluster: (size, seconds) for cluster, size, seconds in session.execute(counted).all()}
    said = rows_of(col(Cluster.id), col(Cluster.size), col(Cluster.screen_time_s)).where(
        col(Cluster.project_id) == project_id, col(Cluster.kind) == kind
    )
    found = []
    for cluster, size, seconds in session.execute(said).all():
        count, lasting = now.get(cluster, (0, 0.0))
        if count != size or abs(lasting - seconds) > CLOSE_S:
            found.append(cluster)
    return found


def _members(
    session: Session, project_id: int, kind: str, clusters: Sequence[int]
) -> dict[int, list[tuple[int, float]]]:
    """Items and how long each is, by cluster."""
    item = ClusterItem
    asked = (
        rows_of(col(item.cluster_id), col(item.id), col(item.seconds))
        .where(col(item.project_id) == project_id, col(item.kind) == kind, col(item.cluster_id).in_(clusters))
        .order_by(col(item.id))
    )
    found: dict[int, list[tuple[int, float]]] = {}
    for cluster, number, seconds in session.execute(asked).all():
        found.setdefault(cluster, []).append((number, seconds))
    return found


def _set(cluster: Cluster, own: Sequence[tuple[int, float]], vectors: Vectors) -> None:
    places = vectors.places(np.array([number for number, _ in own], np.int64))
    said = {
        "size": len(own),
        "screen_time_s": round(sum(seconds for _, seconds in own), DIGITS),
        "cohesion": round(cohesion(vectors.rows, places, vectors.nothing), DIGITS),
        "cover_id": int(vectors.ids[cover(vectors.rows, places)]) if own else None,
        "gone": not own and (cluster.merged_into is not None or not cluster.name),
    }
    if any(getattr(cluster, name) != value for name, value in said.items()):
        for name, value in said.items():
            setattr(cluster, name, value)
        cluster.updated_at = utc_now()
