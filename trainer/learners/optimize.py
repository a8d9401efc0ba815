"""Adam, a plateau schedule and L-BFGS, a few lines each.

torch's own import its compiler on first use (2 to 3 s of a processor, more than a small training) and call a kernel
for every tensor: here all parameters are one vector.
"""

from collections.abc import Callable

import torch
from torch import nn

BETAS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """Adam (Kingma and Ba, 2015) on all parameters of a network as one vector; `weight_decay` as in AdamW."""

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float = 0.0) -> None:
        self.learning_rate = learning_rate
        self._decay = weight_decay
        parameters = list(network.parameters())
        self._values = torch.cat([parameter.detach().reshape(-1) for parameter in parameters])
        self._slopes = torch.zeros_like(self._values)
        self._mean, self._square = torch.zeros_like(self._values), torch.zeros_like(self._values)
        self._steps = 0
        at = 0
        for parameter in parameters:
            # The network computes with views of the one vector.
            inside = slice(at, at + parameter.numel())
            parameter.data = self._values[inside].view_as(parameter)
            parameter.grad = self._slopes[inside].view_as(parameter)
            at += parameter.numel()

    def step(self, loss: torch.Tensor) -> None:
        """One step down the slope of the loss."""
        self._slopes.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        self._steps += 1
        self._mean.lerp_(self._slopes, 1 - BETAS[0])
        self._square.mul_(BETAS[1]).addcmul_(self._slopes, self._slopes, value=1 - BETAS[1])
        spread = self._square.sqrt().div_((1 - BETAS[1] ** self._steps) ** 0.5).add_(EPSILON)
        if self._decay:
            self._values.mul_(1 - self.learning_rate * self._decay)
        self._values.addcdiv_(self._mean, spread, value=-self.learning_rate / (1 - BETAS[0] ** self._steps))


class Plateau:
    """Halves the learning rate when the loss was not below its best for more than two epochs."""

    def __init__(self, adam: Adam, factor: float = 0.5, patience: int = 2) -> None:
        self._adam, self._factor, self._patience = adam, factor, patience
        self._best, self._waited = float("inf"), 0

    def step(self, loss: float) -> None:
        """An epoch has ended with this loss."""
        self._waited = 0 if loss < self._best * (1 - 1e-4) else self._waited + 1
        self._best = min(self._best, loss)
        if self._waited > self._patience:
            self._adam.learning_rate *= self._factor
            self._waited = 0


def lbfgs(
    slope: Callable[[torch.Tensor], tuple[float, torch.Tensor]],
    start: torch.Tensor,
    steps: int,
    memory: int = 10,
    tolerance: float = 1e-6,
) -> torch.Tensor:
    """Where a smooth convex function is (nearly) least: limited-memory BFGS (Nocedal, 1980), halving steps too long.

    `slope` gives the value and the gradient at a point; it may raise, to stop.
    """
    values, pairs = start.clone(), list[tuple[torch.Tensor, torch.Tensor]]()
    height, gradient = slope(values)
    for _ in range(steps):
        direction = -_curved(gradient, pairs)
        fall = float(direction @ gradient)
        if not fall < 0:
            break
        length = 1.0 if pairs else min(1.0, 1.0 / max(float(gradient.abs().sum()), 1e-12))
        for _ in range(20):
            there = values + length * direction
            new_height, new_gradient = slope(there)
            if new_height <= height + 1e-4 * length * fall:
                break
            length /= 2
        else:
            break
        moved, changed = there - values, new_gradient - gradient
        if float(moved @ changed) > 1e-10:
            pairs = [*pairs[-memory + 1 :], (moved, changed)]
        done = abs(height - new_height) <= tolerance * max(abs(height), 1.0)
        values, height, gradient = there, new_height, new_gradient
        if done:
            break
    return values


def _curved(gradient: torch.Tensor, pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """The gradient times the inverse curvature that the last steps have shown."""
    found, shares = gradient.clone(), []
    for moved, changed in reversed(pairs):
        share = (moved @ found) / (moved @ changed)
        found -= share * changed
        shares.append(share)
    if pairs:
        moved, changed = pairs[-1]
        found *= (moved @ changed) / (changed @ changed)
    for (moved, changed), share in zip(pairs, reversed(shares), strict=True):
        found += (share - (changed @ found) / (moved @ changed)) * moved
    return found
