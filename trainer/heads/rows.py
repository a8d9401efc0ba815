"""From the rows of corrections to a snapshot that a metric head is trained on."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.head import schema_of
from backend.clusters.keys import items_named
from backend.clusters.links import stands
from backend.clusters.models import Cluster, ClusterItem, FeedbackPair
from backend.clusters.vectors import Vectors, plain_vectors
from backend.features.registry import EXTRACTORS
from backend.resources import Resources
from backend.store.media import publish
from trainer.heads.data import NOTHING, Corrections, Rows, write_corrections
from trainer.material.holdout import holdout
from trainer.material.labels import Frozen, snapshots_folder

NO_ITEM = "what they name is not in the library"
NO_VECTORS = "their films have no vectors of the kind in use"


class Pair(NamedTuple):
    """What a correction says: keys of anchor, positive and negative ("" for none)."""

    correction: int
    anchor: str
    positive: str
    negative: str


def freeze_corrections(resources: Resources, project_id: int, kind: str) -> Frozen:
    """Write all corrections of a kind that stand, and the items of their films; the same ones give the same folder.

    Raises OutputError.
    """
    with Session(resources.reading) as session:
        pairs = pairs_of(session, project_id, kind)
        keys = [key for pair in pairs for key in pair[1:] if key]
        named = items_named(session, project_id, kind, keys)
        vectors = plain_vectors(session, resources, project_id, kind)
        found, without = _corrections(session, vectors, pairs, named)
    folder = write_corrections(snapshots_folder(resources.home), found)
    publish(folder)
    os.utime(folder)  # old ones are tidied away, and this may have been there
    lost = sum(not {key for key in pair[1:] if key} <= named.keys() for pair in pairs)
    left_out = {why: count for why, count in ((NO_ITEM, lost), (NO_VECTORS, without)) if count}
    films = len(np.unique(found.anchor_film))
    return Frozen(folder, folder.name, len(found.triplets), films, left_out, "pairs of corrections")


def pairs_of(session: Session, project_id: int, kind: str) -> list[Pair]:
    """All pairs of corrections that nobody took back, in the order in which they were made."""
    pair = FeedbackPair
    asked = (
        rows_of(col(pair.correction_id), col(pair.anchor), col(pair.positive), col(pair.negative))
        .where(col(pair.project_id) == project_id, col(pair.kind) == kind, stands(col(pair.correction_id)))
        .order_by(col(pair.id))
    )
    return [Pair._make(row) for row in session.execute(asked).all()]


def _corrections(
    session: Session, vectors: Vectors, pairs: Sequence[Pair], named: dict[str, int]
) -> tuple[Corrections, int]:
    """The snapshot, and how many pairs are left out because there are no vectors of what they name."""
    place = {item: at for at, item in enumerate(vectors.ids.tolist())}
    filled = np.asarray(vectors.rows.any(axis=1) & np.isfinite(vectors.rows).all(axis=1), np.bool_)
    triplets, correction, without = [], [], 0
    for pair in pairs:
        items = [NOTHING if not key else place.get(named.get(key, 0)) for key in pair[1:]]
        if None in items:
            continue
        if not all(at == NOTHING or filled[at] for at in items):
            without += 1
            continue
        triplets.append(items)
        correction.append(pair.correction)
    of = np.array(triplets, np.int64).reshape(-1, 3)
    movies = np.array([each.movie_id for each in vectors.where], np.int64)
    kept = np.flatnonzero(filled & np.isin(movies, movies[np.unique(of[of != NOTHING])]))
    place_of = np.full(len(movies) + 1, NOTHING, np.int64)  # the last is where NOTHING points
    place_of[kept] = np.arange(len(kept))
    checksums = {film.id: film.sha256 for film in vectors.films}
    films = sorted({checksums[movie] for movie in movies[kept].tolist()})
    out = holdout(set(films))
    cluster, reviewed = _lying(session, vectors.ids[kept])
    extractor = EXTRACTORS.get(vectors.space)
    version = extractor.version if extractor else 0
    made = Corrections(
        id="",
        slot=f"metric/{vectors.kind}",
        schema=schema_of(vectors.kind, vectors.space, version, vectors.rows.shape[1]),
        films=tuple(films),
        held=np.array([film in out for film in films], bool),
        vectors=np.ascontiguousarray(np.nan_to_num(vectors.rows[kept]), np.float32),
        film=np.array([films.index(checksums[movie]) for movie in movies[kept].tolist()], np.int64),
        cluster=cluster,
        reviewed=reviewed,
        triplets=place_of[of],
        correction=np.array(correction, np.int64),
    )
    return made, without


def _lying(session: Session, ids: Rows) -> tuple[Rows, np.ndarray]:
    """The cluster of each item, NOTHING for noise, and whether people have named it or put something into it."""
    item, cluster = ClusterItem, Cluster
    asked = rows_of(col(item.id), col(item.cluster_id), col(item.held), col(cluster.name)).outerjoin(
        cluster, col(cluster.id) == col(item.cluster_id)
    )
    at = {number: k for k, number in enumerate(ids.tolist())}
    lying, known = np.full(len(ids), NOTHING, np.int64), set[int]()
    if not len(ids):
        return lying, np.zeros(0, bool)
    between = col(item.id).between(int(ids.min()), int(ids.max()))
    for number, own, held, name in session.execute(asked.where(between, col(item.cluster_id).is_not(None))).all():
        if held or name:
            known.add(own)
        if number in at:
            lying[at[number]] = own
    return lying, np.isin(lying, sorted(known))
