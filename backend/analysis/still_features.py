"""What is made of stills once and kept beside them: their vectors, and the guess by the sizes of their faces."""

import io
import secrets
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.analysis.stills import StoredStill, read_picture
from backend.features.base import Extractor, Image, ShotMaterial, Vectors
from backend.features.framing.scale import BUST, NOBODY, SCALES, Framing, by_faces
from backend.files import one_at_a_time, write_atomically

WIDTH = 320
"""As wide as the keyframes that vectors of shots are made of: a head that learnt from stills may judge shots."""

KEPT, PARTS = "features.npz", "features-new"
"""The file of a folder's features, and the folder of those that a run is making: a file for each AT_ONCE of them."""

AT_ONCE = 16
NAMES = (*SCALES, NOBODY)
EXTRACTORS = ("efficientnet", "faces")
"""What must be given to `still_features`."""


@dataclass(frozen=True)
class StillFeatures:
    """Of N stills: vectors float32 [N, 1280] (EfficientNet-Lite0), and what the face-size rule says of each."""

    vectors: Vectors
    guesses: tuple[Framing, ...]


def still_features(
    folder: Path,
    stills: Sequence[StoredStill],
    extractors: Mapping[str, Extractor],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> StillFeatures:
    """Features of some stills of a folder; what is missing is made, and kept every few pictures.

    Raises InputError for a still that is gone, MissingWeights, OutputError.
    """
    stamp = _stamp(extractors)
    known = _read_all(folder, stamp)
    missing = [still for still in stills if still.file not in known]
    if missing:
        for extractor in extractors.values():
            extractor.load()
    for at in range(0, len(missing), AT_ONCE):
        part = missing[at : at + AT_ONCE]
        made = dict(zip((still.file for still in part), _make(folder, part, extractors), strict=True))
        # A file of its own: to write all that is known again and again would grow with the square of the stills.
        _write(folder / PARTS / f"{secrets.token_hex(8)}.npz", stamp, made)
        known |= made
        progress(at + len(part), len(missing))
    _join(folder, stamp)
    rows = [known[still.file] for still in stills]
    vectors = np.stack([vector for vector, _ in rows]) if rows else np.zeros((0, 1280), np.float32)
    return StillFeatures(vectors, tuple(guess for _, guess in rows))


def narrow(image: Image) -> Image:
    """A picture as wide as a stored keyframe."""
    height = max(2, round(image.shape[0] * WIDTH / image.shape[1]))
    return np.asarray(cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)


Row = tuple[Vectors, Framing]


def _make(folder: Path, stills: Sequence[StoredStill], extractors: Mapping[str, Extractor]) -> list[Row]:
    shots = [ShotMaterial(0, 1, (narrow(read_picture(folder, still)),), (0,)) for still in stills]
    vectors = extractors["efficientnet"].extract(shots).vectors
    faces = extractors["faces"].extract(shots).faces
    return [(vector, by_faces(found)) for vector, found in zip(vectors, faces, strict=True)]


def _stamp(extractors: Mapping[str, Extractor]) -> str:
    """What decides features besides the pictures."""
    return repr([(name, extractors[name].version) for name in EXTRACTORS] + [("rule", BUST, WIDTH)])


def _parts(folder: Path) -> list[Path]:
    return sorted((folder / PARTS).glob("*.npz"))


def _read_all(folder: Path, stamp: str) -> dict[str, Row]:
    """What is known, also of what a stopped run has made."""
    known = _read(folder / KEPT, stamp)
    for part in _parts(folder):
        known |= _read(part, stamp)
    return known


def _join(folder: Path, stamp: str) -> None:
    """Put what runs have made into one file, and their own files away."""
    if not (folder / PARTS).is_dir():
        return
    with one_at_a_time(folder):
        if parts := _parts(folder):
            _write(folder / KEPT, stamp, _read_all(folder, stamp))
        for part in parts:
            part.unlink(missing_ok=True)
        with suppress(OSError):  # another run is at work in it
            (folder / PARTS).rmdir()


def _read(path: Path, stamp: str) -> dict[str, Row]:
    try:
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["stamp"]) != stamp:
                return {}
            rows = zip(kept["files"], kept["vectors"], kept["medium"], kept["scale"], strict=True)
            return {str(file): (vector, Framing(bool(m), NAMES[int(s)])) for file, vector, m, s in rows}
    except (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile):
        return {}


def _write(path: Path, stamp: str, known: Mapping[str, Row]) -> None:
    data = io.BytesIO()
    medium: list[bool] = [guess.medium_close_up for _, guess in known.values()]
    scale: NDArray[np.int64] = np.array([NAMES.index(guess.scale) for _, guess in known.values()], np.int64)
    vectors = np.stack([vector for vector, _ in known.values()])
    np.savez(data, stamp=np.array(stamp), files=np.array(list(known)), vectors=vectors, medium=medium, scale=scale)
    write_atomically(path, data.getvalue())
