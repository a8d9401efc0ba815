"""Where items lie, so that near means alike: embeddings put on one scale, few dimensions, k-means."""

from dataclasses import dataclass, replace

import numpy as np

from labeling.strategies.pool import Floats, Indices, Pool, Wide

DIMENSIONS = 32
LIMIT_DEVIATIONS = 4.0
LEAST_DEVIATION = 1e-6
FIT_ROWS = 4000
CHUNK_ROWS = 512
STEPS = 12
SEED = 0
"""Sketch and starts are drawn with it: the same pool has the same clusters, whatever else was drawn."""


@dataclass(frozen=True)
class Space:
    """How embeddings become places: columns by [D] numbers each, then at most 32 `directions` [D, d]."""

    peak: Wide
    mean: Wide
    deviation: Wide
    directions: Wide | None

    def standardised(self, values: Wide) -> Wide:
        """[rows, D] with mean 0 and deviation 1 within ± 4; what is not known or does not vary is 0."""
        known = np.isfinite(values) & (self.deviation > LEAST_DEVIATION)
        with np.errstate(over="ignore"):  # what is far off is cut off
            scaled = (np.where(known, values, 0) / self.peak - self.mean) / np.maximum(self.deviation, LEAST_DEVIATION)
        return np.where(known, np.clip(scaled, -LIMIT_DEVIATIONS, LIMIT_DEVIATIONS), 0).astype(values.dtype)

    def places(self, values: Wide) -> Floats:
        """[rows, D] → [rows, d], some rows at a time: so much stays in the processor's cache."""
        starts = range(0, max(len(values), 1), CHUNK_ROWS)
        return np.concatenate([self._places(values[start : start + CHUNK_ROWS]) for start in starts])

    def _places(self, values: Wide) -> Floats:
        scaled = self.standardised(values)
        return np.asarray(scaled if self.directions is None else scaled @ self.directions, np.float64)


def space_of(pool: Pool) -> Space:
    """Fitted to the pool and what is labelled, or to some thousands of them: the same pool has the same space."""
    count = len(pool) + len(pool.labelled_embeddings)
    rows = np.sort(np.random.default_rng(SEED).permutation(count)[:FIT_ROWS])
    labelled = pool.labelled_embeddings[rows[rows >= len(pool)] - len(pool)]
    values = np.concatenate([pool.embeddings[rows[rows < len(pool)]], labelled.astype(pool.embeddings.dtype)])
    known = np.isfinite(values)
    values = np.where(known, values, 0)
    peak = np.abs(values).max(axis=0, initial=0)
    peak = np.where(peak > 0, peak, 1)  # squares of huge numbers would overflow
    values /= peak
    seen = np.maximum(known.sum(axis=0), 1).astype(values.dtype)
    mean = values.sum(axis=0) / seen
    deviation = np.sqrt((np.where(known, values - mean, 0) ** 2).sum(axis=0) / seen)
    plain = Space(peak, mean, deviation, None)
    if values.shape[1] <= DIMENSIONS or not len(values):
        return plain
    return replace(plain, directions=_main_directions(plain.standardised(np.where(known, values * peak, np.nan))))


def k_means(points: Floats, count: int, weights: Floats | None = None) -> Floats:
    """Centres [≤ count, d] by Lloyd's steps from k-means++ starts; fewer where fewer points differ."""
    rng = np.random.default_rng(SEED)
    if len(points) > FIT_ROWS:
        kept = rng.permutation(len(points))[:FIT_ROWS]
        points, weights = points[kept], None if weights is None else weights[kept]
    weight = np.ones(len(points)) if weights is None else weights
    centres = _starts(points, weight, count, rng)
    before = np.full(len(points), -1)
    for _ in range(STEPS):
        nearest = distances(points, centres).argmin(axis=1)
        if (nearest == before).all():
            break
        before = nearest
        members = np.zeros((len(centres), len(points)))
        members[nearest, np.arange(len(points))] = weight
        total = members.sum(axis=1, keepdims=True)
        centres = np.where(total > 0, members @ points / np.where(total > 0, total, 1.0), centres)
    return centres


def distances(points: Floats, centres: Floats) -> Floats:
    """Squared distances [points, centres]."""
    squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None, :]
    return np.asarray(np.maximum(squares - 2.0 * points @ centres.T, 0.0))


def position_within(groups: Indices, order: Indices) -> Indices:
    """For each item how many of its group stand before it in `order` (all items, each once)."""
    sorted_groups = groups[order]
    by_group = np.argsort(sorted_groups, kind="stable")
    arranged = sorted_groups[by_group]
    begins = np.searchsorted(arranged, arranged)
    positions = np.empty(len(groups), np.int64)
    positions[order[by_group]] = np.arange(len(groups)) - begins
    return positions


def _starts(points: Floats, weight: Floats, count: int, rng: np.random.Generator) -> Floats:
    chosen = [int(rng.choice(len(points), p=weight / weight.sum()))]
    near = distances(points, points[chosen])[:, 0]
    while len(chosen) < min(count, len(points)):
        chance = weight * near
        if chance.sum() <= 0:
            break
        chosen.append(int(rng.choice(len(points), p=chance / chance.sum())))
        near = np.minimum(near, distances(points, points[chosen[-1:]])[:, 0])
    return points[chosen]


def _main_directions(values: Wide) -> Wide:
    """[D, ≤ 32]: the first principal directions, by a random sketch (Halko, Martinsson, Tropp 2011)."""
    rng = np.random.default_rng(SEED)
    sketch = rng.standard_normal((values.shape[1], DIMENSIONS + 8)).astype(values.dtype)
    for _ in range(2):
        sketch = np.linalg.qr(values.T @ (values @ sketch))[0]
    _, _, directions = np.linalg.svd(values @ sketch, full_matrices=False)
    return np.asarray(sketch @ directions[:DIMENSIONS].T)
