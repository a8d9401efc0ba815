"""Shots of places and of people, for searches that are narrowed to them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select as rows_of
from sqlmodel import Session, col

from backend.clusters.models import KINDS, Cluster, ClusterItem

Shots = Mapping[int, NDArray[np.int64]]
"""Film → numbers of shots, ascending."""


def shots_in(session: Session, clusters: Sequence[int]) -> Shots | None:
    """The shots that lie in any of these places and show any of these people; None where no cluster is named.

    A cluster that was merged is what it became. One that is gone holds nothing.
    """
    if not clusters:
        return None
    found: set[tuple[int, int]] | None = None
    for ids in _by_kind(session, clusters).values():
        item = ClusterItem
        asked = rows_of(col(item.movie_id), col(item.shot)).where(col(item.cluster_id).in_(ids)).distinct()
        shots = {(movie, shot) for movie, shot in session.execute(asked).all()}
        found = shots if found is None else found & shots
    by_film: dict[int, list[int]] = {}
    for movie, shot in sorted(found or ()):
        by_film.setdefault(movie, []).append(shot)
    return {movie: np.array(shots, np.int64) for movie, shots in by_film.items()}


def _by_kind(session: Session, clusters: Sequence[int]) -> dict[str, list[int]]:
    """The clusters that these are now, by kind."""
    known: dict[str, list[int]] = {}
    for number in clusters:
        cluster, seen = session.get(Cluster, number), set[int]()
        while cluster is not None and cluster.merged_into is not None and cluster.id not in seen:
            seen.add(cluster.id or 0)
            cluster = session.get(Cluster, cluster.merged_into)
        # One that there is not is a place without shots.
        known.setdefault(cluster.kind if cluster else KINDS[0], []).append(cluster.id or 0 if cluster else 0)
    return known
