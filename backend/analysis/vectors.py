"""The vectors of a film's shots as its last analysis left them, without opening anything else of the film."""

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.features.registry import EXTRACTORS
from backend.features.schema import FeatureSchema
from backend.features.store import FeatureStore
from backend.library.models import Movie, Shot
from backend.scoring.pooling import Floats, Frames


def shot_vectors(
    session: Session, store: FeatureStore, movie: Movie, schema: FeatureSchema
) -> tuple[NDArray[np.float32], Frames, Floats] | None:
    """Vectors [N, D] of a film's shots, and these in frames and in seconds [N, 2]; None without these features."""
    columns = (Shot.start_frame, Shot.end_frame, Shot.start_s, Shot.end_s)
    rows = session.exec(select(*columns).where(col(Shot.movie_id) == movie.id).order_by(col(Shot.number))).all()
    spans = np.array(rows, np.float64).reshape(-1, 4)
    blocks = {}
    for block in schema.blocks:
        inputs = movie.vectors.get(block.extractor)
        stored = store.get(movie.sha256 or "", EXTRACTORS[block.extractor], inputs=inputs) if inputs else None
        if stored is None or len(stored.vectors) != len(spans) or not len(spans):
            return None
        blocks[block.name] = stored.vectors
    return schema.join(blocks), spans[:, :2].astype(np.int64), spans[:, 2:]
