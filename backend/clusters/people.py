"""People: tracks of one person, joined inside each place, then across; one person twice rather than two as one."""

import numpy as np

from backend.clusters.agglomerate import agglomerate
from backend.clusters.centres import centres
from backend.clusters.grouping import NOISE, Floats, Grouped, Ints, Law
from backend.clusters.law import binding, settle
from backend.clusters.reduce import present
from backend.clusters.tracks import Track, seen_together, tracks

__all__ = ["REACH_ACROSS", "REACH_INSIDE", "Track", "group_people", "join", "seen_together", "tracks"]

REACH_INSIDE = 0.55
"""Tracks in one place are one person's up to this mean distance (dlib's embeddings)."""

REACH_ACROSS = 0.5
"""The same of tracks wherever they are."""

LEAST_TRACKS = 2
"""A person that a machine found is in so many shots."""


def group_people(vectors: Floats, place: Ints, together: Ints, law: Law, before: Ints, scale: float = 1.0) -> Grouped:
    """All tracks anew: joined inside each place, then across, then ids of before and the law.

    vectors   float32 [N, 128] (or what a metric head makes of them); a row of zeros is noise
    place     int64 [N]: the place cluster that each track's shot lies in, NOISE where in none
    together  int64 [P, 2]: tracks that one keyframe shows, two people
    before    int64 [N]: the cluster each was in, NOISE, or UNPLACED
    scale     distances are so many times those of dlib's plain embedding
    """
    whole = law.with_pairs(together)
    groups = join(vectors, place, binding(whole), scale)
    confidence = _confidence(vectors, groups, REACH_INSIDE * scale)
    return settle(groups, confidence, vectors, whole, before, LEAST_TRACKS)


def join(vectors: Floats, place: Ints, apart: Ints, scale: float = 1.0) -> Ints:
    """Groups of tracks, int64 [N]: 0, 1, …; NOISE for rows without a vector. See `group_people`."""
    groups = np.full(len(vectors), NOISE, np.int64)
    there = present(vectors)
    if not len(there):
        return groups
    row = np.full(len(vectors), -1, np.int64)
    row[there] = np.arange(len(there))
    pairs = row[apart]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    rows = vectors[there]
    start = _inside(rows, place[there], pairs, REACH_INSIDE * scale)
    groups[there] = agglomerate(rows, start, pairs, REACH_ACROSS * scale)
    return groups


def _inside(rows: Floats, place: Ints, pairs: Ints, reach: float) -> Ints:
    """Groups inside each place; tracks in no place are alone."""
    start = np.arange(len(rows), dtype=np.int64)
    for one in np.unique(place[place >= 0]).tolist():
        members = np.flatnonzero(place == one)
        local = np.full(len(rows), -1, np.int64)
        local[members] = np.arange(len(members))
        within = local[pairs]
        within = within[(within >= 0).all(axis=1)]
        groups = agglomerate(rows[members], np.arange(len(members)), within, reach)
        start[members] = members[np.unique(groups, return_index=True)[1]][groups]
    return start


def _confidence(vectors: Floats, groups: Ints, reach: float) -> Floats:
    """How near each track is to the middle of its group, float32 [N], 0 to 1."""
    near = centres(vectors, groups)
    sure = np.zeros(len(vectors), np.float32)
    inside = np.flatnonzero(groups >= 0)
    where = np.searchsorted(near.clusters, groups[inside])
    away = np.linalg.norm(vectors[inside] - near.means[where], axis=1)
    sure[inside] = np.clip(1 - (away / reach) ** 2 / 2, 0, 1)
    return sure
