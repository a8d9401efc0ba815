"""Who appears in a film: its faces, followed through each shot, one vector a person and shot.

Made from the feature file of the faces and stored beside it, so that nobody reads all faces again for a correction.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.clusters.grouping import Floats, Ints
from backend.clusters.tracks import tracks
from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.files import write_atomically
from backend.store.media import present

VERSION = 1
"""Raised when the same faces would give other tracks."""


@dataclass(frozen=True)
class FaceSpace:
    """Embeddings of one extractor: how long they are, and how many times as far apart as dlib's people lie in them."""

    dimension: int
    scale: float


FACE_SPACES: Mapping[str, FaceSpace] = {
    # Two people are 1.05 apart (Schroff et al. 2015, squared 1.1), with dlib's 0.6 (King 2017).
    "facenet": FaceSpace(512, 1.75),
    "faces": FaceSpace(128, 1.0),
}
"""Extractors that find faces, the best first."""


class Film(NamedTuple):
    """A film as far as its vectors go. `shots`: how many rows it has of them."""

    id: int
    sha256: str
    vectors: Mapping[str, str]
    shots: int


@dataclass(frozen=True)
class Appearances:
    """T people in shots, in the order of the film.

    shot, number  int64 [T]: the shot, and 0, 1, … within it
    frame, box    int64 [T], float32 [T, 4]: the keyframe that shows the face best, and x, y, width, height in it
    vectors       float32 [T, D]: means of the embeddings
    starts        int64 [T + 1]: the t-th has the faces `starts[t]` to `starts[t + 1]` of the two below
    faces         int64: places in the shot's list of faces
    frames        int64: the keyframe of each
    """

    shot: Ints
    number: Ints
    frame: Ints
    box: Floats
    vectors: Floats
    starts: Ints
    faces: Ints
    frames: Ints

    def __len__(self) -> int:
        return len(self.shot)

    @cached_property
    def place(self) -> Mapping[tuple[int, int], int]:
        """Which one a shot and a number are."""
        return {pair: t for t, pair in enumerate(zip(self.shot.tolist(), self.number.tolist(), strict=True))}

    def faces_of(self, t: int) -> list[int]:
        """Places of its faces in the shot's list."""
        return [int(face) for face in self.faces[self.starts[t] : self.starts[t + 1]]]

    def frames_of(self, t: int) -> list[int]:
        """The keyframes that show it."""
        return [int(frame) for frame in self.frames[self.starts[t] : self.starts[t + 1]]]


def face_space(film: Film) -> str | None:
    """The extractor that found the film's faces, None where none looked for them."""
    return next((name for name in FACE_SPACES if name in film.vectors), None)


def appearances(home: Path, film: Film) -> Appearances | None:
    """The people in a film's shots; None where no faces were looked for, or the feature file is gone.

    Raises OutputError where they cannot be stored.
    """
    name = face_space(film)
    if name is None:
        return None
    store = FeatureStore(home / "features")
    features = store.path(film.sha256, EXTRACTORS[name], inputs=film.vectors[name])
    path = features.with_name(f"people-v{VERSION}-{features.stem}.npz")
    if (stored := _read(present(path))) is not None:
        return stored
    extracted = store.get(film.sha256, EXTRACTORS[name], inputs=film.vectors[name])
    if extracted is None:
        return None
    made = followed(extracted, FACE_SPACES[name].dimension)
    data = io.BytesIO()
    np.savez(data, **{each.name: getattr(made, each.name) for each in fields(made)})
    write_atomically(path, data.getvalue())
    return made


def followed(extracted: Extracted, dimension: int) -> Appearances:
    """The faces of a film, followed through each shot."""
    found = [
        (shot, number, track, faces[track.best])
        for shot, faces in enumerate(extracted.faces)
        for number, track in enumerate(tracks(faces))
    ]
    lengths = [len(track.faces) for _, _, track, _ in found]
    return Appearances(
        shot=np.array([shot for shot, *_ in found], np.int64),
        number=np.array([number for _, number, *_ in found], np.int64),
        frame=np.array([face.frame for *_, face in found], np.int64),
        box=np.array([(face.x, face.y, face.width, face.height) for *_, face in found], np.float32).reshape(-1, 4),
        vectors=np.array([track.vector for _, _, track, _ in found], np.float32).reshape(-1, dimension),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        faces=_flat([track.faces for _, _, track, _ in found]),
        frames=_flat([track.frames for _, _, track, _ in found]),
    )


def _flat(lists: list[tuple[int, ...]]) -> NDArray[np.int64]:
    return np.array([number for each in lists for number in each], np.int64)


def _read(path: Path) -> Appearances | None:
    """What was stored, None where there is nothing readable."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Appearances(**{each.name: stored[each.name] for each in fields(Appearances)})
    except (OSError, ValueError, EOFError, KeyError):
        return None
