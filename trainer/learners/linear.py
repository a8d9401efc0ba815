"""Regularised logistic regression: L-BFGS in torch, strength chosen on films that it has not seen."""

import threading
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from backend.errors import Stopped
from backend.scoring.network import NORM_EPSILON
from trainer.learners.network import Material, Standard
from trainer.learners.optimize import lbfgs
from trainer.train import Rows, Tensors, standard_of

STRENGTHS = (30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
"""Penalties on the squared weights of standardised features; the strongest first, each the start of the next."""

MIDDLE = 0.1
STEPS = 60


@dataclass(frozen=True)
class Line:
    """weights [D] and bias on standardised features, and the penalty they were found with."""

    weights: NDArray[np.float32]
    bias: float
    standard: Standard
    strength: float

    def tensors(self) -> Tensors:
        """The same as a network of two hidden units, w·x + b and its negative, whose difference it is."""
        both = np.stack([self.weights, -self.weights])
        found = {
            "input.mean": self.standard.mean,
            "input.scale": self.standard.scale,
            "hidden1.weight": both,
            "hidden1.bias": np.array([self.bias, -self.bias]),
            "hidden2.weight": np.eye(2),
            "hidden2.bias": np.zeros(2),
            "output.weight": np.array([[0.0, 0.0], [1.0, -1.0]]),
            "output.bias": np.zeros(2),
        }
        for index in (1, 2):
            found[f"norm{index}.weight"] = np.ones(2)
            found[f"norm{index}.bias"] = np.zeros(2)
            found[f"norm{index}.running_mean"] = np.zeros(2)
            found[f"norm{index}.running_var"] = np.full(2, 1 - NORM_EPSILON)
        return {name: np.ascontiguousarray(value, np.float32) for name, value in found.items()}


def try_strengths(material: Material, rows: Rows, watched: Rows, stop: threading.Event) -> dict[float, float]:
    """Loss on the watched rows by strength; empty where there are none."""
    if not len(watched):
        return {}
    found, features = standard_of(material, rows), None
    features = _standardised(material, watched, found)
    targets, weights = _answers(material, watched)
    losses = {}
    for line in _path(material, rows, found, STRENGTHS, stop):
        margin = features @ torch.as_tensor(line.weights, device=material.device) + line.bias
        losses[line.strength] = float(_loss(margin, targets, weights))
    return losses


def fit_line(material: Material, rows: Rows, strength: float, stop: threading.Event) -> Line:
    """The regression on `rows`; stronger penalties come first, as starts. Raises Stopped."""
    way = tuple(other for other in STRENGTHS if other > strength)[-1:]
    return _path(material, rows, standard_of(material, rows), (*way, strength), stop)[-1]


def _path(
    material: Material, rows: Rows, found: Standard, strengths: tuple[float, ...], stop: threading.Event
) -> list[Line]:
    features = _standardised(material, rows, found)
    targets, weights = _answers(material, rows)
    rate = float((targets * weights).sum() / weights.sum())
    start = np.log(np.clip(rate, 1e-3, 1 - 1e-3) / (1 - np.clip(rate, 1e-3, 1 - 1e-3)))
    values = torch.zeros(features.shape[1] + 1, device=material.device)
    values[-1] = float(start)
    lines = []
    for strength in strengths:
        values = _solve(features, targets, weights, strength, values, stop)
        plain = values.cpu().numpy()
        lines.append(Line(plain[:-1].copy(), float(plain[-1]), found, strength))
    return lines


def _solve(
    features: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    strength: float,
    start: torch.Tensor,
    stop: threading.Event,
) -> torch.Tensor:
    def slope(values: torch.Tensor) -> tuple[float, torch.Tensor]:
        if stop.is_set():
            raise Stopped("The training was stopped.")
        margin = features @ values[:-1] + values[-1]
        penalty = strength / len(values[:-1]) ** 0.5
        height = _loss(margin, targets, weights) + 0.5 * penalty * (values[:-1] ** 2).sum()
        push = (torch.sigmoid(margin) - targets) * weights / weights.sum().clamp_min(1e-9)
        return float(height), torch.cat([push @ features + penalty * values[:-1], push.sum().reshape(1)])

    return lbfgs(slope, start, STEPS)


def _standardised(material: Material, rows: Rows, found: Standard) -> torch.Tensor:
    mean, scale = (torch.as_tensor(part, device=material.device) for part in (found.mean, found.scale))
    features = material.features[torch.as_tensor(rows, device=material.device)]
    features -= mean
    features /= scale
    return features


def _answers(material: Material, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    at = torch.as_tensor(rows, device=material.device)
    return material.targets[at], material.weights[at]


def _loss(margin: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    losses = functional.binary_cross_entropy_with_logits(margin, targets, reduction="none")
    return (losses * weights).sum() / weights.sum().clamp_min(1e-9)
