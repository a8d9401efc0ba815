"""The network: Adam, plateau schedule, early stopping on films that it has not seen. The data lives on the device."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from backend.errors import Stopped
from backend.scoring.network import DROPOUT, HIDDEN, build
from trainer.learners.network import Material, Standard, standard
from trainer.learners.optimize import Adam, Plateau

Rows = NDArray[np.int64]
Tensors = dict[str, NDArray[np.float32]]
Tell = Callable[[int, int, float], None]
"""Told after each epoch: its number, how many there are at most, and the loss."""

PATIENCE = 4
CHUNK = 8192

SEEDING = threading.Lock()
"""`build` draws from torch's one global seed."""


@dataclass(frozen=True)
class Setting:
    """How a network is trained. `weight_decay` is decoupled from the gradient (AdamW) where it is not 0."""

    name: str
    why: str
    learning_rate: float = 1e-4
    dropout: float = DROPOUT
    hidden: tuple[int, int] = HIDDEN
    weight_decay: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The setting as plain values."""
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            "dropout": self.dropout,
            "hidden": list(self.hidden),
            "weight_decay": self.weight_decay,
        }


SETTINGS = (
    Setting("default", "the documented network"),
    Setting("small", "64 and 32 units that forget", 1e-3, 0.5, (64, 32), 0.1),
    Setting("quick", "ten times the learning rate", 1e-3),
)


@dataclass(frozen=True)
class Fitted:
    """A trained network as a model file holds it, when it was best, and how its losses went."""

    tensors: Tensors
    epochs: int
    validation_loss: float
    curve: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True)
class Course:
    """How long to train, in which steps, from which seed; `stop` ends it early, with Stopped."""

    epochs: int
    batch: int
    seed: int
    stop: threading.Event
    tell: Tell = lambda epoch, epochs, loss: None


def batch_size(rows: int) -> int:
    """Some dozens of steps an epoch: a power of two from 32 to 1024."""
    return int(2 ** np.clip(np.ceil(np.log2(max(rows, 1) / 30)), 5, 10))


def fit_network(material: Material, rows: Rows, watched: Rows, setting: Setting, course: Course) -> Fitted:
    """Train on `rows`; with `watched` rows (of other films) stop when these get no better, and keep the best.

    Deterministic for a seed on one device. Raises Stopped.
    """
    device = material.device
    network = _network(material, rows, setting, course.seed)
    draws = torch.Generator(device).manual_seed(course.seed)
    adam = Adam(network, setting.learning_rate, setting.weight_decay)
    plateau = Plateau(adam)
    at = torch.as_tensor(rows, device=device)
    best: tuple[float, int, Mapping[str, torch.Tensor]] = (np.inf, 0, {})
    curve: list[tuple[float, float | None]] = []
    for epoch in range(1, course.epochs + 1):
        loss = _epoch(network, adam, material, at, draws, course)
        seen = _loss(network, material, watched) if len(watched) else None
        curve.append((loss, seen))
        plateau.step(loss if seen is None else seen)
        if seen is not None and seen < best[0]:
            best = (seen, epoch, {name: value.clone() for name, value in network.state_dict().items()})
        course.tell(epoch, course.epochs, loss if seen is None else seen)
        if best[1] and epoch - best[1] >= PATIENCE:
            break
    kept = best[2] or network.state_dict()
    tensors = {name: value.cpu().numpy().copy() for name, value in kept.items() if "num_batches" not in name}
    return Fitted(tensors, best[1] or course.epochs, best[0], tuple(curve))


def network_margins(tensors: Tensors, features: torch.Tensor) -> NDArray[np.float64]:
    """Approve minus reject of each row [n, D] before temperature, on the device of `features`, float64 [n]."""
    hidden = (len(tensors["hidden1.weight"]), len(tensors["hidden2.weight"]))
    with SEEDING:
        network = build(features.shape[1], hidden)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items()}, strict=False)
    network.to(features.device).eval()
    return margins(network, features)


def margins(network: nn.Module, features: torch.Tensor) -> NDArray[np.float64]:
    """The same of a network that is there."""
    with torch.inference_mode():
        parts = [network(features[at : at + CHUNK]) for at in range(0, len(features), CHUNK)]
        seen = torch.cat(parts) if parts else features.new_zeros(0, 2)
        return (seen[:, 1] - seen[:, 0]).double().cpu().numpy()


def _network(material: Material, rows: Rows, setting: Setting, seed: int) -> nn.Module:
    with SEEDING:
        torch.manual_seed(seed)
        network = build(material.features.shape[1], setting.hidden, setting.dropout)
    fill(network, standard_of(material, rows))
    return network.to(material.device)


def standard_of(material: Material, rows: Rows) -> Standard:
    """The standardisation of these rows."""
    features = material.features[torch.as_tensor(rows, device=material.device)]
    return standard(features.cpu().numpy(), material.schema)


def fill(network: nn.Module, found: Standard) -> None:
    """Put a standardisation into the network's first layer."""
    buffers = dict(network.named_buffers())
    buffers["input.mean"].copy_(torch.from_numpy(found.mean))
    buffers["input.scale"].copy_(torch.from_numpy(found.scale))


def _epoch(
    network: nn.Module,
    adam: Adam,
    material: Material,
    rows: torch.Tensor,
    draws: torch.Generator,
    course: Course,
) -> float:
    """One pass over the rows in an order of its own; the mean loss."""
    network.train()
    order = rows[torch.randperm(len(rows), generator=draws, device=rows.device)]
    batch = min(course.batch, len(rows))
    # What is left over waits for the next epoch: batch norm of a few rows is noise.
    count = len(rows) // batch
    total = torch.zeros((), device=rows.device)
    for at in range(0, count * batch, batch):
        if course.stop.is_set():
            raise Stopped("The training was stopped.")
        picked = order[at : at + batch]
        logits = _forward(network, material.features[picked], draws)
        loss = _weighted(logits, material, picked)
        adam.step(loss)
        total += loss.detach()
    return float(total) / count


def _forward(network: nn.Module, rows: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    """The network in training, with dropout from a generator of its own, so that threads do not share a seed."""
    for layer in network.children():
        if isinstance(layer, nn.Dropout):
            kept = torch.empty_like(rows).bernoulli_(1 - layer.p, generator=draws)
            rows = rows * kept / (1 - layer.p)
        else:
            rows = layer(rows)
    return rows


def _weighted(logits: torch.Tensor, material: Material, rows: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (reject, approve), each row by its weight; targets between 0 and 1 are shares of both."""
    weights = material.weights[rows]
    # Two classes: the cross-entropy is that of the difference of their logits.
    margin = logits[:, 1] - logits[:, 0]
    losses = functional.binary_cross_entropy_with_logits(margin, material.targets[rows], reduction="none")
    return (losses * weights).sum() / weights.sum().clamp_min(1e-9)


def _loss(network: nn.Module, material: Material, rows: Rows) -> float:
    network.eval()
    at = torch.as_tensor(rows, device=material.device)
    with torch.inference_mode():
        parts = [network(material.features[at[i : i + CHUNK]]) for i in range(0, len(at), CHUNK)]
        return float(_weighted(torch.cat(parts), material, at))
