"""A project whose shots lie in clusters, as rows: no film behind them, and vectors only where a test says so."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from backend.clusters.corrections import merge, move, new, remove, rename, split
from backend.clusters.models import Cluster, ClusterItem
from backend.clusters.shapes import Corrected
from backend.clusters.undoing import undo
from backend.library.models import Movie, Project, Shot
from backend.members.service import Principal, owner, principal
from backend.resources import Resources
from backend.search.copies import FilmKey, prepared, write_copy
from backend.search.spaces import SPACES

RATE = 25
SHOT_FRAMES = 100


@dataclass(frozen=True)
class Table:
    """A project with items, and somebody who corrects where they lie."""

    resources: Resources
    who: Principal
    project: int
    kind: str = "scene"

    def session(self) -> Session:
        return Session(self.resources.engine)

    def items(self) -> list[ClusterItem]:
        """All items, by id."""
        with Session(self.resources.reading) as session:
            of_project = col(ClusterItem.project_id) == self.project, col(ClusterItem.kind) == self.kind
            return list(session.exec(select(ClusterItem).where(*of_project).order_by(col(ClusterItem.id))).all())

    def lies(self) -> dict[int, tuple[int | None, bool]]:
        """Where each item is, and whether it is held there."""
        item = ClusterItem
        asked = rows_of(col(item.id), col(item.cluster_id), col(item.held)).where(
            col(item.project_id) == self.project, col(item.kind) == self.kind
        )
        with Session(self.resources.reading) as session:
            return {number: (cluster, held) for number, cluster, held in session.execute(asked.order_by(col(item.id)))}

    def clusters(self) -> dict[int, Cluster]:
        """All rows of clusters."""
        with Session(self.resources.reading) as session:
            rows = session.exec(select(Cluster).where(col(Cluster.project_id) == self.project)).all()
            return {row.id or 0: row for row in rows}

    def move(self, to: int, *items: int) -> Corrected:
        with self.session() as session:
            return move(session, self.resources, self.who, to, items)

    def remove(self, cluster: int, *items: int) -> Corrected:
        with self.session() as session:
            return remove(session, self.resources, self.who, cluster, items)

    def new(self, *items: int, name: str = "") -> Corrected:
        with self.session() as session:
            return new(session, self.resources, self.who, self.project, self.kind, items, name)  # type: ignore[arg-type]

    def merge(self, into: int, *clusters: int) -> Corrected:
        with self.session() as session:
            return merge(session, self.resources, self.who, into, clusters)

    def split(self, cluster: int, *items: int, name: str = "") -> Corrected:
        with self.session() as session:
            return split(session, self.resources, self.who, cluster, items, name)

    def rename(self, cluster: int, name: str) -> Corrected:
        with self.session() as session:
            return rename(session, self.resources, self.who, cluster, name)

    def undo(self, done: Corrected | int) -> Corrected:
        number = done if isinstance(done, int) else done.correction.id
        with self.session() as session:
            return undo(session, self.resources, self.who, number)


def table(resources: Resources, sizes: list[int], noise: int = 0, kind: str = "scene") -> tuple[Table, list[list[int]]]:
    """A new project of one film with clusters of so many items; the items of each, those of noise last."""
    with Session(resources.engine) as session:
        who = principal(owner(session))
        project = Project(name=f"Of {sizes}")
        session.add(project)
        session.flush()
        made = Table(resources, who, project.id or 0, kind)
        movie = add_film(session, made.project, sum(sizes) + noise)
        found, at = [], 0
        for size in (*sizes, noise):
            cluster = Cluster(project_id=made.project, kind=kind, size=size)
            if len(found) < len(sizes):
                session.add(cluster)
                session.flush()
            found.append(add_items(session, movie, kind, range(at, at + size), cluster.id))
            at += size
        session.commit()
    return made, found


Desk = tuple[Table, list[list[int]], list[int]]


def desk_of(resources: Resources) -> Desk:
    """A project with clusters of five, four and three shots, and three in none; the clusters' ids."""
    made, items = table(resources, [5, 4, 3], 3)
    return made, items, sorted(made.clusters())


def add_film(session: Session, project: int, shots: int, title: str = "Film") -> Movie:
    """A film of so many shots."""
    movie = Movie(
        project_id=project,
        path=f"films/{title}.mp4",
        sha256=hashlib.sha256(f"{project} {title}".encode()).hexdigest(),
        title=title,
        state="ready",
        rate=f"{RATE}/1",
        frames=shots * SHOT_FRAMES,
        duration_s=shots * SHOT_FRAMES / RATE,
    )
    session.add(movie)
    session.flush()
    session.add_all(shot_of(movie, number) for number in range(shots))
    session.flush()
    return movie


def shot_of(movie: Movie, number: int, **more: Any) -> Shot:
    """A shot of a film."""
    start, end = number * SHOT_FRAMES, (number + 1) * SHOT_FRAMES
    facts = {"start_frame": start, "end_frame": end, "start_s": start / RATE, "end_s": end / RATE}
    facts |= {"movie_id": movie.id, "number": number, "scene": 0, "keyframes": [start + 50]}
    return Shot(**facts | more)


def add_items(session: Session, movie: Movie, kind: str, shots: range, cluster: int | None) -> list[int]:
    """Items of shots in a cluster, the first of them the surest."""
    rows = [
        ClusterItem(
            project_id=movie.project_id,
            kind=kind,
            movie_id=movie.id or 0,
            shot=shot,
            track=-1 if kind == "scene" else 0,
            key=f"{movie.sha256}:{shot * SHOT_FRAMES + 50}" + ("" if kind == "scene" else ":0.5000:0.5000"),
            frame=shot * SHOT_FRAMES + 50,
            seconds=SHOT_FRAMES / RATE,
            cluster_id=cluster,
            confidence=1 / (2 + shot - shots.start) if cluster else 0.0,
            placed=True,
        )
        for shot in shots
    ]
    session.add_all(rows)
    session.flush()
    return [row.id or 0 for row in rows]


def cluster_ids(session: Session, project: int) -> list[int]:
    """Clusters of a project, by id."""
    found = rows_of(col(Cluster.id)).where(col(Cluster.project_id) == project).order_by(col(Cluster.id))
    return [cluster or 0 for cluster in session.execute(found).scalars()]


def painted(desk: Table, looks: Sequence[int]) -> None:
    """Give the shots of the film looks: those with the same number are alike."""
    rng = np.random.default_rng(7)
    space = SPACES["efficientnet"]
    colours = rng.normal(size=(max(looks) + 1, space.dimension))
    rows = colours[np.array(looks)] + rng.normal(scale=0.3, size=(len(looks), space.dimension))
    with desk.session() as session:
        movie = session.exec(select(Movie).where(col(Movie.project_id) == desk.project)).one()
        movie.vectors = {space.name: "painted"}
        key = FilmKey(space.name, movie.sha256 or "", "painted")
        session.add(movie)
        session.commit()
    write_copy(desk.resources.home, key, prepared(space, rows.astype(np.float32)))
