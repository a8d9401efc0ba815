"""Vectors and faces of a film in Parquet: computed once, read in a blink.

One file per film, extractor, version and inputs, `FOLDER/<sha256>/<extractor>-v<version>-<inputs>.parquet`. A file
appears whole or not at all (temporary file, then rename), so two writers are safe: the last one wins, with the same
content. What cannot be read is treated as missing and computed again.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, FaceBox
from backend.files import file_atomically
from backend.store.media import present

FORMAT = 1
FACES = "selects.faces"


def digest(*parts: object) -> str:
    """Sixteen hex digits of whatever decides a vector besides film and extractor: shot list, keyframes, settings.

    Arrays count by dtype, shape and content, everything else by its repr.
    """
    seen = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            seen.update(f"{part.dtype}{part.shape}".encode())
            seen.update(np.ascontiguousarray(part).tobytes())
        else:
            seen.update(repr(part).encode())
        seen.update(b"\0")
    return seen.hexdigest()[:16]


class FeatureStore:
    """Reads and writes the features under one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str, extractor: Extractor | type[Extractor], *, inputs: str) -> Path:
        """Where the features of this film, extractor and inputs lie or would lie."""
        return self._folder / sha256 / f"{extractor.name}-v{extractor.version}-{inputs}.parquet"

    def get(self, sha256: str, extractor: Extractor | type[Extractor], *, inputs: str) -> Extracted | None:
        """What was put, or None where there is nothing, or nothing readable."""
        import pyarrow as pa

        path = present(self.path(sha256, extractor, inputs=inputs))
        if not path.is_file():
            return None
        try:
            return _read(path, extractor.dimension, _stamp(sha256, extractor, inputs))
        except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, sha256: str, extractor: Extractor | type[Extractor], extracted: Extracted, *, inputs: str) -> Path:
        """Write atomically; raises OutputError where the folder cannot be written."""
        path = self.path(sha256, extractor, inputs=inputs)
        with file_atomically(path, durable=False) as part:
            _write(part, extracted, extractor.dimension, _stamp(sha256, extractor, inputs))
        return path


def _stamp(sha256: str, extractor: Extractor | type[Extractor], inputs: str) -> dict[str, str]:
    return {
        "selects.format": str(FORMAT),
        "selects.film": sha256,
        "selects.extractor": extractor.name,
        "selects.version": str(extractor.version),
        "selects.inputs": inputs,
    }


def _write(path: Path, extracted: Extracted, dimension: int, stamp: Mapping[str, str]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    vectors = np.ascontiguousarray(extracted.vectors, np.float32)
    if vectors.shape[1:] != (dimension,):
        raise ValueError(f"vectors of shape {vectors.shape}, expected [shots, {dimension}]")
    stamp = {**stamp, FACES: str(int(bool(extracted.faces)))}
    columns = {"vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)}
    if extracted.faces:
        rows = [[_face_row(face) for face in faces] for faces in extracted.faces]
        columns["faces"] = pa.array(rows, pa.list_(_face_type(pa)))
    table = pa.table(columns).replace_schema_metadata(dict(stamp))
    parquet.write_table(table, path, compression="zstd", write_page_checksum=True)


def _read(path: Path, dimension: int, stamp: Mapping[str, str]) -> Extracted:
    from pyarrow import parquet

    # Not read_table: that goes by way of pyarrow.dataset, which imports pandas.
    with parquet.ParquetFile(path, page_checksum_verification=True) as file:
        table = file.read(use_threads=False)
    found = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if any(found.get(key) != value for key, value in stamp.items()):
        raise ValueError("another film's file")
    column = table.column("vector").combine_chunks()
    # Not to_numpy, which imports pandas.
    vectors = np.array(np.from_dlpack(column.flatten()), np.float32).reshape(table.num_rows, dimension)
    faces = table.column("faces").to_pylist() if found[FACES] == "1" else []
    return Extracted(vectors, tuple(tuple(_face(row) for row in rows) for rows in faces))


def _face_type(pa: Any) -> Any:
    numbers = [(name, pa.float32()) for name in ("x", "y", "width", "height", "probability")]
    return pa.struct([("frame", pa.int64()), *numbers, ("embedding", pa.list_(pa.float32()))])


def _face_row(face: FaceBox) -> dict[str, Any]:
    place = {"x": face.x, "y": face.y, "width": face.width, "height": face.height, "probability": face.probability}
    return {"frame": face.frame, **place, "embedding": face.embedding}


def _face(row: Mapping[str, Any]) -> FaceBox:
    vector: NDArray[np.float32] | None = None if row["embedding"] is None else np.array(row["embedding"], np.float32)
    return FaceBox(row["frame"], row["x"], row["y"], row["width"], row["height"], row["probability"], vector)
