"""Copies of a film's vectors that are mapped into memory: `HOME/vectors/<space>/<sha256>-<inputs>.npy`.

Made from the feature files and made again whenever they are missing. For units (see Space) rows have length 1, and
those of shots without a vector are zero, which is near to nothing.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.files import write_atomically
from backend.search.spaces import SPACES, Space

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FilmKey:
    """Which vectors of which film: those that one extractor made of these inputs."""

    space: str
    sha256: str
    inputs: str

    def ids(self, rows: int) -> list[str]:
        """The ids of its rows in Chroma."""
        return [f"{self.sha256}:{self.inputs}:{row}" for row in range(rows)]


def parse_id(identity: str) -> tuple[str, str, int]:
    """Checksum, inputs and row of an id."""
    sha256, inputs, row = identity.split(":")
    return sha256, inputs, int(row)


def vectors_folder(home: Path) -> Path:
    """Where the copies of all spaces lie."""
    return home / "vectors"


def copy_path(home: Path, key: FilmKey) -> Path:
    """Where the copy lies or would lie."""
    return vectors_folder(home) / key.space / f"{key.sha256}-{key.inputs}.npy"


def prepared(space: Space, vectors: Floats) -> Floats:
    """Rows as they are compared: of length 1 where the space wants that, zero where there is nothing to see."""
    rows = np.asarray(vectors, np.float32)
    if not space.unit:
        return rows
    length = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(np.where(length > 0, rows / np.maximum(length, 1e-30), 0), np.float32)


def filled(vectors: Floats) -> NDArray[np.int64]:
    """The rows that hold something: only these go to Chroma, where a zero vector would be near to everything."""
    return np.flatnonzero(np.asarray(vectors).any(axis=1))


def write_copy(home: Path, key: FilmKey, vectors: Floats) -> None:
    """Write the copy of prepared rows, float32 [rows, D]; raises OutputError."""
    data = io.BytesIO()
    np.save(data, np.ascontiguousarray(vectors, np.float32))
    write_atomically(copy_path(home, key), data.getvalue())


def read_copy(home: Path, key: FilmKey, rows: int) -> Floats | None:
    """The mapped rows, or None where there is no such copy, or another one."""
    try:
        mapped = np.load(copy_path(home, key), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if mapped.dtype != np.float32 or mapped.shape != (rows, SPACES[key.space].dimension):
        return None
    # A plain array: the class memmap makes every slice slower.
    return np.asarray(mapped).view(np.ndarray)


def copies(home: Path, sha256: str = "") -> Iterator[tuple[FilmKey, Path]]:
    """All copies there are, or those of one film."""
    for path in sorted(vectors_folder(home).glob(f"*/{sha256 or '*'}-*.npy")):
        named, _, inputs = path.stem.partition("-")
        if path.parent.name in SPACES and not path.name.startswith("."):
            yield FilmKey(path.parent.name, named, inputs), path


def rows_of(path: Path) -> int:
    """How many rows a copy has; 0 where it cannot be read."""
    try:
        return int(np.load(path, mmap_mode="r", allow_pickle=False).shape[0])
    except (OSError, ValueError, EOFError, IndexError):
        return 0
