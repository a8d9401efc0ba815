"""One person followed through a shot: faces of its keyframes that are the same person by looks and place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.clusters.grouping import Floats, Ints
from backend.features.base import FaceBox

SAME_LOOK = 0.6
"""Nearer than this, dlib's embeddings are one person's."""

SAME_PLACE_LOOK = 0.75
"""The same, where the boxes overlap as well."""

OVERLAP = 0.3
"""Boxes of one person in neighbouring keyframes share so much of their joint area where nothing moves much."""


@dataclass(frozen=True)
class Track:
    """One person in one shot.

    faces   places in the shot's list of faces, one a keyframe at most
    frames  the keyframe of each
    best    the place of the face that shows them best (probability times size)
    vector  float32 [128]: the mean of the embeddings
    """

    faces: tuple[int, ...]
    frames: tuple[int, ...]
    best: int
    vector: Floats


def tracks(faces: Sequence[FaceBox]) -> list[Track]:
    """The people of one shot, from the faces of all its keyframes, in order of first appearance.

    A face without embedding (the smallest of a crowd) is nobody's. Two faces of one keyframe are two people.
    """
    known = [k for k, face in enumerate(faces) if _usable(face)]
    found: list[list[int]] = []
    for frame in sorted({faces[k].frame for k in known}):
        here = [k for k in known if faces[k].frame == frame]
        costs = [(_apart(faces, track, k), t, k) for t, track in enumerate(found) for k in here]
        followed: set[int] = set()
        grown: set[int] = set()
        for cost, t, k in sorted(costs):
            if cost < 1 and t not in grown and k not in followed:
                found[t].append(k)
                grown.add(t)
                followed.add(k)
        found += [[k] for k in here if k not in followed]
    return [_track(faces, track) for track in found]


def seen_together(shot: Sequence[int], frames: Sequence[Sequence[int]]) -> Ints:
    """Pairs of tracks that one keyframe shows, int64 [P, 2]; shot: a number for each track's shot, of its own."""
    by_frame: dict[tuple[int, int], list[int]] = {}
    for place, (number, seen) in enumerate(zip(shot, frames, strict=True)):
        for frame in seen:
            by_frame.setdefault((number, frame), []).append(place)
    pairs = {(a, b) for places in by_frame.values() for k, a in enumerate(places) for b in places[k + 1 :]}
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)


def _usable(face: FaceBox) -> bool:
    return face.embedding is not None and bool(np.isfinite(face.embedding).all() and np.any(face.embedding))


def _apart(faces: Sequence[FaceBox], track: list[int], k: int) -> float:
    """How far a face is from a track, 1 where it is just no longer the same person."""
    look = min(float(np.linalg.norm(_look(faces[k]) - _look(faces[t]))) for t in track)
    return look / (SAME_PLACE_LOOK if _overlap(faces[track[-1]], faces[k]) >= OVERLAP else SAME_LOOK)


def _overlap(one: FaceBox, other: FaceBox) -> float:
    """Intersection over union of two boxes."""
    across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / max(one.width * one.height + other.width * other.height - shared, 1e-12)


def _track(faces: Sequence[FaceBox], places: list[int]) -> Track:
    best = max(places, key=lambda k: (faces[k].probability * faces[k].width * faces[k].height, -k))
    vector = np.stack([_look(faces[k]) for k in places]).mean(axis=0)
    return Track(tuple(places), tuple(faces[k].frame for k in places), best, np.asarray(vector, np.float32))


def _look(face: FaceBox) -> NDArray[np.float64]:
    return np.asarray(face.embedding, np.float64)
