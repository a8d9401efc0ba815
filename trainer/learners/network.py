"""What all contenders learn from: features on the device, standardised block by block."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from backend.features.schema import FeatureSchema

Matrix = NDArray[np.float32]
UNLIKE = 20.0
"""Features of one block whose spreads differ by more are on scales of their own, and get one each."""


@dataclass(frozen=True)
class Material:
    """Rows to learn from, on the device: features [N, D] without gaps, target in [0, 1] and weight, [N]."""

    features: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    schema: FeatureSchema

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.features.device


@dataclass(frozen=True)
class Standard:
    """(x − mean) / scale: one mean a feature, one scale a block; both float32 [D]."""

    mean: Matrix
    scale: Matrix


def filled(features: Matrix) -> tuple[Matrix, int]:
    """Features with the column's mean where a value is missing or infinite, and how many rows that were."""
    broken = ~np.isfinite(features)
    rows = int(broken.any(axis=1).sum())
    if not rows:
        return features, 0
    known = np.where(broken, 0.0, features).astype(np.float64)
    means = known.sum(axis=0) / np.maximum((~broken).sum(axis=0), 1)
    return np.where(broken, means, features).astype(np.float32), rows


def standard(features: Matrix, schema: FeatureSchema, step: int = 4096) -> Standard:
    """Mean of each feature and spread of each block over these rows, counted in float64."""
    total, square = np.zeros(features.shape[1]), np.zeros(features.shape[1])
    shift = features[: min(len(features), step)].mean(axis=0, dtype=np.float64)
    for at in range(0, len(features), step):
        part = features[at : at + step].astype(np.float64) - shift
        total += part.sum(axis=0)
        square += (part**2).sum(axis=0)
    mean = total / len(features)
    spread = np.sqrt(np.maximum(square / len(features) - mean**2, 0.0))
    scale = np.ones_like(spread)
    for where in schema.slices.values():
        scale[where] = _scale(spread[where])
    return Standard((mean + shift).astype(np.float32), scale.astype(np.float32))


def _scale(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """One scale for a block, or one for each of its features where these are unlike; 1 for what never varies."""
    varies = spread[spread > 1e-9]
    if not len(varies):
        return np.ones_like(spread)
    whole = float(np.sqrt(np.mean(varies**2)))
    low, high = np.quantile(varies, (0.05, 0.95), method="nearest")
    if high > UNLIKE * low:
        return np.where(spread > 1e-9, spread, whole)
    return np.full_like(spread, whole)
