"""Items into clusters: all anew, or those of a film that came in beside the others.

What takes long happens outside of any transaction. Then the clustering's row is locked: where a person has corrected
something meanwhile, the law as it is now is put over what was found; where items came or went, it is all done again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog
from sqlalchemy import select as rows_of
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.clusters.adding import add_people, add_places
from backend.clusters.clustering import changed, locked
from backend.clusters.figures import off, refigure
from backend.clusters.grouping import NOISE, UNPLACED, Floats, Grouped, Ints, Law, new_cluster
from backend.clusters.items import films_of, keep_in_step
from backend.clusters.law import obey
from backend.clusters.links import law_of
from backend.clusters.models import KINDS, Cluster, Clustering, ClusterItem
from backend.clusters.people import group_people
from backend.clusters.places import group_places
from backend.clusters.vectors import Vectors, reduced, together, vectors_of
from backend.database import utc_now
from backend.errors import Unavailable

if TYPE_CHECKING:
    from backend.resources import Resources

Fence = Callable[[Session], None]
TRIES = 5
GROWS = 2
"""All are clustered anew when there are so many times as many as when that was last done."""

DIGITS = 4
WRITTEN = ("cluster_id", "confidence", "placed")
log = structlog.get_logger("selects.clusters")


class ClustersBusy(Unavailable):
    """Films come and go all the time; the clusters are brought up to date later."""


class Lying(NamedTuple):
    """Where an item is."""

    id: int
    key: str
    cluster_id: int | None
    confidence: float
    held: bool
    placed: bool


@dataclass(frozen=True)
class Seen:
    """How a project's items of a kind lie, what they look like, and what people said of them.

    clustering  how it was then; rows: in order of their ids, the same items as in `vectors`
    near        the vectors as they are grouped
    place       int64 [N], of people: the place that each one's shot lies in, NOISE for none
    """

    clustering: Clustering
    rows: tuple[Lying, ...]
    law: Law
    vectors: Vectors
    near: Vectors
    place: Ints

    @property
    def before(self) -> Ints:
        """The cluster that each item is in, int64 [N]: an id, NOISE, or UNPLACED."""
        return np.array([_cluster_of(row) for row in self.rows], np.int64)

    @property
    def confidence(self) -> Floats:
        """How surely each lies there, float32 [N]."""
        return np.array([row.confidence for row in self.rows], np.float32)

    @property
    def wants_all(self) -> bool:
        """Whether what is there says little of what came in: another space, or many more items."""
        known = self.clustering
        other = (known.space, known.version) != (self.vectors.space, self.vectors.version)
        return bool(self.rows) and (other or len(self.rows) > GROWS * known.full)


def refresh(resources: "Resources", project_id: int, kind: str, fence: Fence = lambda session: None) -> int:
    """Bring the items of a project in step with its films, and cluster all of a kind anew; how many clusters changed.

    Raises ClustersBusy, OutputError.
    """
    _in_step(resources, project_id, (), fence)
    return _placed(resources, project_id, kind, fence, anew=True)


def add_film(resources: "Resources", movie_id: int, project_id: int, fence: Fence = lambda session: None) -> None:
    """Bring the items of a film in step with its analysis and put new ones beside the others, which stay.

    Done twice it changes nothing. Raises ClustersBusy, OutputError.
    """
    _in_step(resources, project_id, (movie_id,), fence)
    for kind in KINDS:
        _placed(resources, project_id, kind, fence, anew=False)


def regroup(resources: "Resources", project_id: int, kind: str, fence: Fence = lambda session: None) -> int:
    """Cluster all items of a kind anew, as the rows have them; how many clusters changed."""
    return _placed(resources, project_id, kind, fence, anew=True)


def _in_step(resources: "Resources", project_id: int, ids: Sequence[int], fence: Fence) -> None:
    with Session(resources.reading) as session:
        films = films_of(session, project_id, ids)
    for film in films:
        with Session(resources.engine) as session:
            fence(session)
            keep_in_step(session, resources.home, project_id, film)
            session.commit()


def _placed(resources: "Resources", project_id: int, kind: str, fence: Fence, *, anew: bool) -> int:
    for _ in range(TRIES):
        with Session(resources.reading) as session:
            seen = _look(session, resources, project_id, kind)
        anew = anew or seen.wants_all
        if anew or (seen.before == UNPLACED).any():
            seen = replace(seen, near=reduced(seen.vectors))
        grouped = _all(resources, seen) if anew else _beside(resources, seen)
        with Session(resources.engine) as session:
            fence(session)
            clustering = locked(session, project_id, kind)
            if not np.array_equal(_ids(session, project_id, kind), seen.vectors.ids):
                continue  # a film came or went
            if clustering.generation != seen.clustering.generation:  # somebody corrected something
                now = _rows(session, project_id, kind)
                grouped = _followed(session, project_id, _as_said(grouped, seen.rows, now))
                seen = replace(seen, rows=now, law=law_of(session, project_id, kind, now))
                grouped = obey(grouped, seen.near.rows, seen.law)
            touched = write(session, seen, grouped, clustering)
            if anew:
                clustering.space, clustering.version = seen.vectors.space, seen.vectors.version
                clustering.full, clustering.made_at = len(seen.rows), utc_now()
                touched |= _there(session, project_id, kind)
            refigure(session, resources, project_id, kind, touched | set(off(session, project_id, kind)), seen.vectors)
            session.commit()
            return len(touched)
    raise ClustersBusy


def _look(session: Session, resources: "Resources", project_id: int, kind: str) -> Seen:
    # The generation first: what changes after this line is found out when it is compared.
    clustering = session.get(Clustering, (project_id, kind)) or Clustering(project_id=project_id, kind=kind)
    session.expunge_all()
    vectors = vectors_of(session, resources, project_id, kind)
    rows = rows_by_id(session, project_id, kind, vectors)
    return Seen(
        clustering=clustering,
        rows=rows,
        law=law_of(session, project_id, kind, rows),
        vectors=vectors,
        near=vectors,
        place=_places(session, project_id, vectors) if kind == "character" else np.zeros(0, np.int64),
    )


def rows_by_id(session: Session, project_id: int, kind: str, vectors: Vectors) -> tuple[Lying, ...]:
    """How items lie, in the order of their vectors; one that went meanwhile lies nowhere."""
    lying = {row.id: row for row in _rows(session, project_id, kind)}
    return tuple(lying.get(each.id) or Lying(each.id, "", None, 0.0, False, False) for each in vectors.where)


def _all(resources: "Resources", seen: Seen) -> Grouped:
    """All items anew."""
    near = seen.near
    if near.kind == "scene":
        return group_places(near.rows, seen.law, seen.before)
    return group_people(near.rows, seen.place, together(resources, near), seen.law, seen.before, near.scale)


def _beside(resources: "Resources", seen: Seen) -> Grouped:
    """Items that were never placed beside the others, which stay where they are unless the law says otherwise."""
    before, near = seen.before, seen.near
    fresh = before == UNPLACED
    as_it_is = Grouped(before, seen.confidence)
    if not fresh.any():
        return as_it_is
    order = np.argsort(fresh, kind="stable")
    rank = np.argsort(order)
    law = replace(seen.law, held=seen.law.held[order], cannot=rank[seen.law.cannot])
    new, old = near.rows[fresh], near.rows[~fresh]
    if near.kind == "scene":
        found = add_places(new, old, before[~fresh], law)
    else:
        pairs = rank[together(resources, near)]
        found = add_people(new, old, before[~fresh], seen.place[fresh], pairs, law, near.scale)
    as_it_is.cluster[fresh], as_it_is.confidence[fresh] = found.cluster, found.confidence
    return obey(as_it_is, near.rows, seen.law)


def write(session: Session, seen: Seen, grouped: Grouped, clustering: Clustering) -> set[int]:
    """What lies elsewhere now than the rows say; the clusters that this changes."""
    fresh = np.unique(grouped.cluster[grouped.cluster <= new_cluster(0)])[::-1].tolist()
    made = [Cluster(project_id=clustering.project_id, kind=clustering.kind) for _ in fresh]
    session.add_all(made)
    session.flush()
    ids: dict[int, int | None] = {NOISE: None, UNPLACED: None}
    ids |= {new: cluster.id for new, cluster in zip(fresh, made, strict=True)}
    sure = [round(value, DIGITS) for value in grouped.confidence.tolist()]
    touched: set[int] = {cluster.id for cluster in made if cluster.id}
    changes = []
    for place, (row, cluster) in enumerate(zip(seen.rows, grouped.cluster.tolist(), strict=True)):
        now = Lying(row.id, row.key, ids.get(cluster, cluster), sure[place], row.held, True)
        if now != row:
            changes.append({"id": now.id, **{name: getattr(now, name) for name in WRITTEN}})
        if now.cluster_id != row.cluster_id:
            touched |= {each for each in (now.cluster_id, row.cluster_id) if each is not None}
    if changes:
        session.execute(update(ClusterItem), changes)
        changed(session, clustering)
    return touched


def _cluster_of(row: Lying) -> int:
    if row.cluster_id is not None:
        return row.cluster_id
    return NOISE if row.placed else UNPLACED


def _rows(session: Session, project_id: int, kind: str) -> tuple[Lying, ...]:
    columns = [col(getattr(ClusterItem, name)) for name in Lying._fields]
    found = rows_of(*columns).where(col(ClusterItem.project_id) == project_id, col(ClusterItem.kind) == kind)
    return tuple(Lying._make(row) for row in session.execute(found.order_by(col(ClusterItem.id))).all())


def _ids(session: Session, project_id: int, kind: str) -> Ints:
    found = select(ClusterItem.id).where(col(ClusterItem.project_id) == project_id, col(ClusterItem.kind) == kind)
    return np.array(session.exec(found.order_by(col(ClusterItem.id))).all(), np.int64)


def _places(session: Session, project_id: int, vectors: Vectors) -> Ints:
    """The place that each person's shot lies in, int64 [N]."""
    item = ClusterItem
    asked = rows_of(col(item.movie_id), col(item.shot), col(item.cluster_id)).where(
        col(item.project_id) == project_id, col(item.kind) == "scene", col(item.cluster_id).is_not(None)
    )
    lies = {(movie, shot): cluster for movie, shot, cluster in session.execute(asked).all()}
    return np.array([lies.get((each.movie_id, each.shot), NOISE) for each in vectors.where], np.int64)


def _there(session: Session, project_id: int, kind: str) -> set[int]:
    """All clusters that have items."""
    item = ClusterItem
    asked = rows_of(col(item.cluster_id)).where(
        col(item.project_id) == project_id, col(item.kind) == kind, col(item.cluster_id).is_not(None)
    )
    return {cluster for (cluster,) in session.execute(asked.distinct()).all()}


def _as_said(grouped: Grouped, then: Sequence[Lying], now: Sequence[Lying]) -> Grouped:
    """The same, with what was put elsewhere meanwhile where it is now."""
    cluster, confidence = grouped.cluster.copy(), grouped.confidence.copy()
    for place, (before, after) in enumerate(zip(then, now, strict=True)):
        if (before.cluster_id, before.held) != (after.cluster_id, after.held):
            cluster[place], confidence[place] = _cluster_of(after), after.confidence
    return Grouped(cluster, confidence)


def _followed(session: Session, project_id: int, grouped: Grouped) -> Grouped:
    """The same where clusters have become others meanwhile."""
    asked = rows_of(col(Cluster.id), col(Cluster.merged_into)).where(
        col(Cluster.project_id) == project_id, col(Cluster.merged_into).is_not(None)
    )
    into = dict(session.execute(asked).all())
    cluster = grouped.cluster.copy()
    for known in np.unique(cluster[cluster >= 0]).tolist():
        now, seen = known, {known}
        while now in into and into[now] not in seen:
            now = into[now]
            seen.add(now)
        cluster[grouped.cluster == known] = now
    return Grouped(cluster, grouped.confidence)
