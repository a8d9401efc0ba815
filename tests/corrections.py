"""Corrections to learn from: made up, with a likeness planted that the plain embedding hides.

They show that the mechanism works, nothing about quality.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.clusters.head import Head, save_head, schema_of
from backend.clusters.metric import head_of
from backend.clusters.models import Cluster, Clustering, ClusterItem, Correction, FeedbackPair
from backend.database import utc_now
from backend.features.base import Extracted
from backend.features.efficientnet import EfficientNetLite0
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.library.models import Movie, Shot
from backend.scoring.models import ModelVersion
from backend.search.models import IndexedFilm
from backend.search.spaces import SPACES
from tests.service import Service
from tests.test_live import soon
from trainer.heads.data import NOTHING, Corrections
from trainer.registry import promote, register

SPACE = SPACES["efficientnet"]
INPUTS = "made-up"
PLACES, LOUD, SAID = 4, 6, 6
"""Places a film, directions that only disturb, directions that tell places apart."""
SHOT_FRAMES, RATE = 100, 25


def planted_vectors(
    rng: np.random.Generator, place: NDArray[np.int64], dimension: int, *, noise: bool = False
) -> NDArray[np.float32]:
    """Rows in which the place is heard softly below loud differences; with `noise` not at all."""
    code = rng.standard_normal((int(place.max()) + 1, SAID))
    rows = 0.05 * rng.standard_normal((len(place), dimension))
    rows[:, :LOUD] += 2.0 * rng.standard_normal((len(place), LOUD))
    if not noise:
        rows[:, LOUD : LOUD + SAID] += code[place]
    rows[:, -1] += 2.0  # what all pictures share
    return np.asarray(rows, np.float32)


def planted(
    films: int = 6, items: int = 40, each: int = 20, dimension: int = 48, *, noise: bool = False
) -> Corrections:
    """A snapshot of so many corrections a film; with `noise` they say nothing."""
    rng = np.random.default_rng(films + 7 * noise)
    place = rng.integers(0, PLACES, films * items)
    film = np.repeat(np.arange(films), items)
    vectors = np.concatenate([planted_vectors(rng, place[film == k], dimension, noise=noise) for k in range(films)])
    triplets = []
    for k in range(films):
        for anchor in rng.choice(np.flatnonzero(film == k), each, replace=False).tolist():
            same = np.flatnonzero((film == k) & (place == place[anchor]) & (np.arange(len(film)) != anchor))
            other = np.flatnonzero((film == k) & (place != place[anchor]))
            triplets.append((anchor, int(rng.choice(same)), int(rng.choice(other))))
    triplets[0] = (*triplets[0][:2], NOTHING)
    return Corrections(
        "", "metric/scene", schema_of("scene", "efficientnet", EfficientNetLite0.version, dimension),
        tuple(f"film {k}" for k in range(films)), np.arange(films) == films - 1, vectors, film,
        place + PLACES * film, np.ones(len(film), bool), np.array(triplets, np.int64), np.arange(len(triplets)),
    )  # fmt: skip


def add_films(service: Service, project: int, films: int = 5, shots: int = 36) -> list[int]:
    """Films with places planted in the vectors of their shots, clustered as people see them; ids of the films."""
    rng, store, made = np.random.default_rng(films), FeatureStore(service.resources.home / "features"), []
    with service.session() as session:
        session.add(Clustering(project_id=project, kind="scene", space=SPACE.name))
        for number in range(films):
            sha256 = f"{project:032x}{number:032x}"
            movie = Movie(
                project_id=project, path=f"{number}.mp4", sha256=sha256, title=f"Film {number}", state="ready",
                scan_key=INPUTS, vectors={SPACE.name: INPUTS}, rate=f"{RATE}/1",
            )  # fmt: skip
            session.add(movie)
            session.flush()
            made.append(movie.id or 0)
            place = rng.integers(0, PLACES, shots)
            rows = planted_vectors(rng, place, SPACE.dimension)
            store.put(sha256, EfficientNetLite0, Extracted(rows), inputs=INPUTS)
            facts = {"movie_id": movie.id, "space": SPACE.name, "version": SPACE.version, "sha256": sha256}
            session.add(IndexedFilm(**facts, inputs=INPUTS, scan_key=INPUTS, rows=shots, stamp=f"stamp {movie.id}"))
            _shots(session, movie, place)
        session.commit()
    return made


def _shots(session: Session, movie: Movie, place: NDArray[np.int64]) -> None:
    clusters = [Cluster(project_id=movie.project_id, kind="scene", name=f"Place {k}") for k in range(PLACES)]
    session.add_all(clusters)
    session.flush()
    for number, own in enumerate(place.tolist()):
        start, end = number * SHOT_FRAMES, (number + 1) * SHOT_FRAMES
        span: dict[str, Any] = {"start_frame": start, "end_frame": end, "start_s": start / RATE, "end_s": end / RATE}
        session.add(Shot(movie_id=movie.id, number=number, scene=0, keyframes=[start + 1], **span))
        session.add(
            ClusterItem(
                project_id=movie.project_id, kind="scene", movie_id=movie.id or 0, shot=number,
                key=key_of(movie.sha256 or "", number), frame=start + 1, cluster_id=clusters[own].id,
            )
        )  # fmt: skip


def key_of(sha256: str, shot: int) -> str:
    """The key of a shot."""
    return f"{sha256}:{shot * SHOT_FRAMES + 1}"


def correct(service: Service, project: int, movies: list[int], each: int = 24) -> list[int]:
    """So many corrections a film, as the places say; the ids of the corrections."""
    rng, made = np.random.default_rng(3), []
    with service.session() as session:
        for movie_id in movies:
            movie = session.get_one(Movie, movie_id)
            items = items_of(session, movie_id)
            place = np.array([item.cluster_id for item in items])
            for anchor in rng.choice(len(items), each, replace=False).tolist():
                same = np.flatnonzero((place == place[anchor]) & (np.arange(len(place)) != anchor))
                if len(same):
                    other = int(rng.choice(np.flatnonzero(place != place[anchor])))
                    shots = anchor, int(rng.choice(same)), other
                    made.append(say(session, project, *(key_of(movie.sha256 or "", shot) for shot in shots)))
        session.commit()
    return made


def enter_head(
    service: Service, project: int, version: str, seed: int = 0, extractor: str = SPACE.name
) -> ModelVersion:
    """A head with a random map, entered as a version. That it is good is not claimed."""
    rng, home = np.random.default_rng(seed), service.resources.home
    schema = schema_of("scene", extractor, EXTRACTORS[extractor].version, EXTRACTORS[extractor].dimension)
    card = {"version": version, "slot": "metric/scene", "kind": "metric", "schema": schema.to_json(), "nothing": 2.0}
    axes, golden = (rng.standard_normal((rows, schema.dimension)).astype(np.float32) for rows in (16, 4))
    folder = save_head(home / "fitted" / version, axes.T.copy(), card, golden)
    with service.session() as session:
        row = register(session, home, project, folder, None, "test")
        session.expunge(row)
        return row


def items_of(session: Session, movie_id: int) -> list[ClusterItem]:
    """The items of a film, shot by shot."""
    wanted = select(ClusterItem).where(col(ClusterItem.movie_id) == movie_id).order_by(col(ClusterItem.shot))
    return list(session.exec(wanted).all())


def say(session: Session, project: int, anchor: str, positive: str, negative: str = "") -> int:
    """A correction with what it teaches; commits nothing."""
    made = Correction(project_id=project, kind="scene", what="move", by="Ada", at=utc_now())
    session.add(made)
    session.flush()
    pair = {"anchor": anchor, "positive": positive, "negative": negative}
    session.add(FeedbackPair(project_id=project, kind="scene", correction_id=made.id or 0, **pair))
    return made.id or 0


def take_back(session: Session, project: int, correction: int) -> None:
    """Undo a correction; commits nothing."""
    session.add(Correction(project_id=project, kind="scene", what="undo", by="Ada", undoes_id=correction))


def made_live(service: Service, project: int, version: str, seed: int = 0) -> Head:
    """A head that is entered, promoted, and seen by the service."""
    enter_head(service, project, version, seed)
    with service.session() as session:
        promote(session, project, version, None, "Ada", "")
    soon(lambda: getattr(head_of(service.resources, project, "scene"), "version", "") == version)
    head = head_of(service.resources, project, "scene")
    assert head is not None
    return head
