"""A project with places and people as rows, and a film with a picture for each shot: what the board shows.

Nothing in it was clustered: who lies where is by turns. The film and its pictures are real files, so that a browser
has something to load and to play.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from sqlmodel import Session, col, select

from backend.analysis.cache import FilmCache
from backend.analysis.pictures import keyframe_path
from backend.clusters.models import Cluster, Clustering, ClusterItem, Kind
from backend.library.models import Movie, Shot
from tests.films import make_film
from tests.service import Service

RATE = 5
SHOT_FRAMES = 10
PLAYED_SHOTS = 20
WIDTH, HEIGHT = 320, 180
NAMES = ("Kitchen", "", "Harbour at night", "", "The long corridor behind the theatre, as it is seen from the stairs")
FACE = {"x": 0.4, "y": 0.2, "width": 0.15, "height": 0.25}
SCAN = "board"


@dataclass(frozen=True)
class House:
    """A project of the board: its film, its places and people, in the order in which they were made."""

    project: int
    movie: int
    places: tuple[int, ...]
    people: tuple[int, ...]


def house_of(
    service: Service, project: int, shots: int = 60, places: int = 5, people: int = 0, *, clustered: bool = True
) -> House:
    """A film of so many shots in so many places; every sixth shot is noise. People appear in every third shot."""
    folder = service.resources.home
    with service.session() as session:
        movie = _film(session, folder, project, shots)
        _pictures(FilmCache(folder / "films" / (movie.sha256 or "")).scan_folder(SCAN), shots)
        if not clustered:
            session.commit()
            return House(project, movie.id or 0, (), ())
        here = _clusters(session, project, "scene", places)
        there = _clusters(session, project, "character", people)
        for number in range(shots):
            session.add(_item(movie, "scene", number, None if number % 6 == 5 else here[number % len(here)]))
            if there and number % 3 == 0:
                session.add(_item(movie, "character", number, there[number // 3 % len(there)]))
        session.commit()
        _figures(session, here + there)
        return House(project, movie.id or 0, tuple(_ids(here)), tuple(_ids(there)))


def _film(session: Session, home: Path, project: int, shots: int) -> Movie:
    sha256 = hashlib.sha256(f"board {project} {shots}".encode()).hexdigest()
    path = home / "board.mp4"
    if not path.exists():
        make_film(path, PLAYED_SHOTS * SHOT_FRAMES, RATE, clicks_s=None, gop=RATE)
    movie = Movie(project_id=project, path=str(path), sha256=sha256, title="The lighthouse", state="ready")
    movie.rate, movie.frames, movie.duration_s = f"{RATE}/1", shots * SHOT_FRAMES, shots * SHOT_FRAMES / RATE
    movie.scan_key = SCAN
    session.add(movie)
    session.flush()
    for number in range(shots):
        start, end = number * SHOT_FRAMES, (number + 1) * SHOT_FRAMES
        shot = Shot(movie_id=movie.id or 0, number=number, scene=number // 10, start_frame=start, end_frame=end)
        shot.start_s, shot.end_s, shot.keyframes = start / RATE, end / RATE, [start]
        shot.labels = [("lighthouse", 0.6)] if number % 5 == 1 else []
        session.add(shot)
    return movie


def _pictures(folder: Path, shots: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    colours = rng.integers(30, 170, (shots, 3))
    for number in range(shots):
        picture = np.full((HEIGHT, WIDTH, 3), colours[number % 5], np.uint8)
        left, top = (int(rng.integers(0, most)) for most in (WIDTH, HEIGHT))
        cv2.circle(picture, (left, top), 60, colours[number].tolist(), -1)
        cv2.putText(picture, str(number), (12, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (230, 230, 230), 2)
        path = keyframe_path(folder, number * SHOT_FRAMES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", picture)[1].tobytes())


def _clusters(session: Session, project: int, kind: Kind, count: int) -> list[Cluster]:
    session.add(Clustering(project_id=project, kind=kind))
    made = [Cluster(project_id=project, kind=kind, name=NAMES[n] if n < len(NAMES) else "") for n in range(count)]
    if kind == "character":
        for number, cluster in enumerate(made):
            cluster.name = f"Ada {number}" if number % 2 == 0 else ""
    session.add_all(made)
    session.flush()
    return made


def _item(movie: Movie, kind: Kind, number: int, cluster: Cluster | None) -> ClusterItem:
    frame = number * SHOT_FRAMES
    item = ClusterItem(project_id=movie.project_id, kind=kind, movie_id=movie.id or 0, shot=number, key="", frame=frame)
    item.key, item.seconds, item.confidence = f"{movie.sha256}:{frame}", SHOT_FRAMES / RATE, 0.8
    item.cluster_id = cluster.id if cluster else None
    if kind == "character":
        item.track, item.faces = 0, [0]
        item.x, item.y, item.width, item.height = FACE.values()
        item.key += f":{item.x + item.width / 2:.4f}:{item.y + item.height / 2:.4f}"
    return item


def _figures(session: Session, clusters: list[Cluster]) -> None:
    for cluster in clusters:
        items = session.exec(
            select(ClusterItem).where(col(ClusterItem.cluster_id) == cluster.id).order_by(col(ClusterItem.id))
        ).all()
        cluster.cover_id = items[0].id if items else None
        cluster.size, cluster.screen_time_s, cluster.cohesion = len(items), 2.0 * len(items), 0.7
    session.commit()


def _ids(clusters: list[Cluster]) -> list[int]:
    return [cluster.id or 0 for cluster in clusters]
