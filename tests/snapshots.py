"""Snapshots of made-up features, to see the mechanism at work; no figure from here is one of quality."""

from typing import Any

import numpy as np

from backend.features.schema import Block, FeatureSchema
from trainer.snapshot import Snapshot, make_snapshot

SCHEMA = FeatureSchema("made", 1, (Block("visual", 5, "made"), Block("audio", 3, "made")))


def made(
    rows: int = 400, films: int = 8, signal: float = 2.0, seed: int = 0, unlabelled: float = 0.1, **columns: Any
) -> Snapshot:
    """Windows of films with features of their own each; `signal` 0: labels are noise."""
    rng = np.random.default_rng(seed)
    movies = np.sort(np.append(np.arange(films), rng.integers(0, films, rows - films)))
    wide = SCHEMA.dimension
    own = rng.normal(0, 0.5, (films, wide))
    inside = rng.normal(size=(rows, wide))
    direction = rng.normal(size=wide) / np.sqrt(wide)
    labels = (signal * (inside @ direction) + rng.logistic(size=rows) > 0.3).astype(np.int8)
    labels[rng.random(rows) < unlabelled] = -1
    given = {
        "start_s": 10.0 * np.arange(rows),
        "end_s": 10.0 * np.arange(rows) + 80,
        "labels": labels,
        "sources": ["decision"] * rows,
        "strategies": np.where(rng.random(rows) < 0.4, "random", "top-score"),
        "propensities": rng.uniform(0.2, 1, rows),
        "decided_at": 1.7e9 + 1e6 * rng.random(rows),
        **columns,
    }
    names = [f"film {film}" for film in movies]
    return make_snapshot(SCHEMA, [f"w{row}" for row in range(rows)], names, inside + own[movies], **given)
