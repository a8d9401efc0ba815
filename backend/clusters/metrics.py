"""Figures of places and people for /metrics, counted from the rows when they are asked for."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import case, func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from backend.clusters.models import Cluster, ClusterItem, Correction

OF = ["project", "kind"]


def cluster_figures(session: Session) -> Iterable[Metric]:
    """Clusters with items, items by where they lie, and corrections that were made, of each project and kind."""
    yield _items(session)
    clusters = GaugeMetricFamily("selects_clusters", "Places and people that have items.", labels=OF)
    there = select(Cluster.project_id, Cluster.kind, func.count()).where(col(Cluster.size) > 0)
    for project_id, kind, count in session.exec(there.group_by(col(Cluster.project_id), col(Cluster.kind))).all():
        clusters.add_metric([str(project_id), kind], count)
    yield clusters
    made = CounterMetricFamily("selects_cluster_corrections", "Corrections, with those that take back.", labels=OF)
    of = col(Correction.project_id), col(Correction.kind)
    for project_id, kind, count in session.exec(select(*of, func.count()).group_by(*of)).all():
        made.add_metric([str(project_id), kind], count)
    yield made


def _items(session: Session) -> Metric:
    said = "Shots and appearances: in a cluster, in noise, or waiting to be placed."
    items = GaugeMetricFamily("selects_cluster_items", said, labels=[*OF, "where"])
    item = ClusterItem
    inside, waiting = col(item.cluster_id).is_not(None), ~col(item.placed) & col(item.cluster_id).is_(None)
    of = col(item.project_id), col(item.kind)
    counted = rows_of(*of, func.count(), *(func.sum(case((which, 1), else_=0)) for which in (inside, waiting)))
    for project_id, kind, count, placed, new in session.execute(counted.group_by(*of)).all():
        for where, value in (("cluster", placed), ("noise", count - placed - new), ("waiting", new)):
            items.add_metric([str(project_id), kind, where], value)
    return items
