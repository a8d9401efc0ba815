"""Runs parts of the analysis on data sets with a human truth; the truth itself is never read here."""

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.files import write_atomically
from backend.media.scenes import group_shots

SCENE_BLOCKS = ("vgg19", "hsv")


@dataclass(frozen=True)
class Film:
    """What scene grouping may know of a film.

    features: blocks [N, D]; lengths: of the shots, in frames [N]; gaps: whether a transition leads to the shot [N].
    """

    features: dict[str, NDArray[np.float32]]
    lengths: NDArray[np.float64]
    gaps: NDArray[np.bool_]


def evaluate_scenes(folder: Path, out: Path) -> dict[str, list[int]]:
    """Group the shots of every `<film_id>.npz` in `folder` and write {film_id: first shots of scenes} to `out` as JSON.

    Raises InputError for a folder without films or a broken file, by name; OutputError where `out` cannot be written.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".npz" and path.is_file())
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"Cannot read the folder {str(folder)!r}: {reason}.") from None
    if not files:
        raise InputError(f"No films (*.npz) in {str(folder)!r}.")
    scenes = {path.stem: _scenes_of(path) for path in files}
    write_atomically(out, json.dumps(scenes, indent=1).encode(), durable=True)
    return scenes


def read_film(path: Path) -> Film:
    """The shots and features in an `.npz` in the format of scene_boundaries; raises InputError with the file's name."""
    try:
        with np.load(path, allow_pickle=False) as film:
            shots = np.asarray(film["shots"], np.int64)
            features = {name: np.asarray(film[name], np.float32) for name in SCENE_BLOCKS if name in film.files}
    except KeyError:
        raise InputError(f"Cannot use {path.name!r}: it has no list of shots.") from None
    except OSError as problem:
        raise InputError(f"Cannot read {path.name!r}: {(problem.strerror or str(problem)).lower()}.") from None
    except (ValueError, TypeError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as problem:
        raise InputError(f"Cannot read {path.name!r}: not a whole npz of plain numbers ({problem}).") from None
    if shots.ndim != 2 or shots.shape[1] != 2:
        raise InputError(f"Cannot use {path.name!r}: its shots have the shape {shots.shape}, not [N, 2].")
    after_transition = np.zeros(len(shots), bool)
    after_transition[1:] = shots[1:, 0] > shots[:-1, 1] + 1
    return Film(features, (shots[:, 1] - shots[:, 0] + 1).astype(np.float64), after_transition)


def _scenes_of(path: Path) -> list[int]:
    film = read_film(path)
    try:
        return [int(first) for first in group_shots(film.features, film.lengths, film.gaps)]
    except InputError as problem:
        raise InputError(f"Cannot use {path.name!r}: {problem.detail}") from None
