"""Rows as the API shows them: items with their pictures, clusters with figures, a cover, and where they appear."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, and_, case, func
from sqlalchemy import select as rows_of
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from backend.clusters.likeness import name_suggestions
from backend.clusters.models import Cluster, ClusterItem, Kind
from backend.clusters.shapes import Box, ClusterPublic, ItemPublic, Strip
from backend.library.models import Movie, Shot
from backend.library.places import keyframe_address

SEEN_SHARE = 1 / 1000
"""Spans that lie nearer than this share of the film are drawn as one."""

NAMED_BY = 200
"""So many items of a cluster say what it may be called."""


class Figures(NamedTuple):
    """Of a cluster, or of the part of it that is in one place."""

    size: int
    held: int
    films: int
    seconds: float


def in_place(scene: int) -> ColumnElement[bool]:
    """Whether an item's shot lies in a place."""
    other = aliased(ClusterItem)
    here = rows_of(col(other.id)).where(
        col(other.movie_id) == col(ClusterItem.movie_id),
        col(other.shot) == col(ClusterItem.shot),
        col(other.kind) == "scene",
        col(other.cluster_id) == scene,
    )
    return here.exists()


def figures_of(session: Session, clusters: Iterable[int], scene: int | None = None) -> dict[int, Figures]:
    """Figures of clusters as their items are; of those in a place where one is named."""
    asked = figures_query(col(ClusterItem.cluster_id).in_(list(clusters)), scene)
    return {row[0]: Figures(*row[1:]) for row in session.execute(asked).all()}


def figures_query(which: ColumnElement[bool], scene: int | None = None) -> Any:
    """The statement: cluster, size, held, films, seconds."""
    item = ClusterItem
    held = func.sum(case((col(item.held), 1), else_=0))
    figures = (func.count(), held, func.count(col(item.movie_id).distinct()), func.sum(item.seconds))
    asked = rows_of(col(item.cluster_id), *figures).where(which).group_by(col(item.cluster_id))
    return asked if scene is None else asked.where(in_place(scene))


def items_query() -> Any:
    """The statement that reads items with their film and shot: narrow it, then `shown_item` each row."""
    return (
        rows_of(ClusterItem, Movie, Shot)
        .join(Movie, col(Movie.id) == col(ClusterItem.movie_id))
        .join(Shot, and_(col(Shot.movie_id) == col(ClusterItem.movie_id), col(Shot.number) == col(ClusterItem.shot)))
    )


def items_shown(session: Session, ids: Sequence[int]) -> list[ItemPublic]:
    """Items by id, in this order; those that are gone are left out."""
    rows = session.execute(items_query().where(col(ClusterItem.id).in_(list(ids)))).all()
    found = {item.id: shown_item(item, movie, shot) for item, movie, shot in rows}
    return [found[number] for number in ids if number in found]


def shown_item(item: ClusterItem, movie: Movie, shot: Shot) -> ItemPublic:
    """One item."""
    box = Box(x=item.x, y=item.y, width=item.width, height=item.height) if item.kind == "character" else None
    return ItemPublic(
        id=item.id or 0,
        kind=cast(Kind, item.kind),
        cluster=item.cluster_id,
        movie_id=item.movie_id,
        movie_title=movie.title,
        shot=item.shot,
        track=item.track,
        frame=item.frame,
        start_frame=shot.start_frame,
        end_frame=shot.end_frame,
        start_s=shot.start_s,
        end_s=shot.end_s,
        picture=keyframe_address(item.movie_id, movie.sha256, item.frame),
        box=box,
        confidence=item.confidence,
        held=item.held,
    )


def clusters_shown(session: Session, clusters: Sequence[Cluster], scene: int | None = None) -> list[ClusterPublic]:
    """Clusters in this order; with `scene`, figures, cover and strip are of the part of each that is in that place."""
    ids = [cluster.id or 0 for cluster in clusters]
    figures = figures_of(session, ids, scene)
    covers = _covers(session, clusters, scene)
    strips = _strips(session, ids, scene)
    names = _suggestions(session, clusters)
    shown = []
    for cluster in clusters:
        number = cluster.id or 0
        of = figures.get(number, Figures(0, 0, 0, 0.0))
        shown.append(
            ClusterPublic(
                id=number,
                kind=cast(Kind, cluster.kind),
                name=cluster.name,
                suggestion=names.get(number, ""),
                size=of.size,
                held=of.held,
                films=of.films,
                screen_time_s=round(of.seconds, 4),
                cohesion=cluster.cohesion,
                cover=covers.get(number),
                strip=strips.get(number, []),
                updated_at=cluster.updated_at,
            )
        )
    return shown


def _covers(session: Session, clusters: Sequence[Cluster], scene: int | None) -> Mapping[int, ItemPublic]:
    """By cluster the item that stands for it; in a place that which most surely belongs to the cluster."""
    if scene is None:
        covers = {cluster.cover_id: cluster.id or 0 for cluster in clusters if cluster.cover_id is not None}
        shown = items_shown(session, list(covers))
        return {covers[item.id]: item for item in shown if item.cluster == covers[item.id]}
    item = ClusterItem
    asked = (
        rows_of(col(item.cluster_id), col(item.id))
        .where(col(item.cluster_id).in_([cluster.id for cluster in clusters]), in_place(scene))
        .order_by(col(item.confidence), col(item.id).desc())
    )
    best = dict(session.execute(asked).all())
    found = {each.id: each for each in items_shown(session, list(best.values()))}
    return {cluster: found[number] for cluster, number in best.items() if number in found}


def _strips(session: Session, clusters: Sequence[int], scene: int | None) -> Mapping[int, list[Strip]]:
    item = ClusterItem
    span = col(Shot.start_s), col(Shot.end_s)
    asked = (
        rows_of(col(item.cluster_id), col(Movie.id), col(Movie.title), col(Movie.duration_s), *span)
        .join(Movie, col(Movie.id) == col(item.movie_id))
        .join(Shot, and_(col(Shot.movie_id) == col(item.movie_id), col(Shot.number) == col(item.shot)))
        .where(col(item.cluster_id).in_(clusters))
        .order_by(col(item.cluster_id), col(Movie.id), col(Shot.number))
    )
    if scene is not None:
        asked = asked.where(in_place(scene))
    found: dict[int, list[Strip]] = {}
    for cluster, movie_id, title, duration_s, start_s, end_s in session.execute(asked).all():
        strips = found.setdefault(cluster, [])
        if not strips or strips[-1].movie_id != movie_id:
            strips.append(Strip(movie_id=movie_id, movie_title=title, duration_s=duration_s, spans=[]))
        _join(strips[-1].spans, round(start_s, 3), round(end_s, 3), SEEN_SHARE * duration_s)
    return found


def _join(spans: list[tuple[float, float]], start_s: float, end_s: float, near_s: float) -> None:
    """Put a span at the end of others, or lengthen the last where it lies next to it."""
    if spans and start_s - spans[-1][1] <= near_s:
        spans[-1] = spans[-1][0], max(end_s, spans[-1][1])
    else:
        spans.append((start_s, end_s))


def _suggestions(session: Session, clusters: Sequence[Cluster]) -> Mapping[int, str]:
    """Names for places that have none, from what their shots seem to show."""
    nameless = [cluster.id or 0 for cluster in clusters if cluster.kind == "scene" and not cluster.name]
    if not nameless:
        return {}
    item = ClusterItem
    surest = (col(item.confidence).desc(), col(item.id))
    place = func.row_number().over(partition_by=col(item.cluster_id), order_by=surest).label("place")
    members = rows_of(col(item.cluster_id), col(item.movie_id), col(item.shot), place).where(
        col(item.cluster_id).in_(nameless)
    )
    best = members.subquery()
    asked = (
        rows_of(best.c.cluster_id, col(Shot.labels))
        .join(best, and_(col(Shot.movie_id) == best.c.movie_id, col(Shot.number) == best.c.shot))
        .where(best.c.place <= NAMED_BY)
    )
    labels: dict[int, list[list[str]]] = {}
    for cluster, shown in session.execute(asked).all():
        labels.setdefault(cluster, []).append([str(label[0]) for label in shown])
    return {cluster: name_suggestions(each) for cluster, each in labels.items()}
