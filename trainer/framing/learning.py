"""One training: the CNN on grey pictures, and the linear head on vectors. Equal seeds give equal weights on a CPU."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Vectors
from backend.features.framing.judge import Judge, Tensors
from backend.features.framing.network import Shape, cnn, last_maps

BATCH = 16
THRESHOLD = 0.5
"""Yes from here on. Not tuned: with so few labels a tuned one would fit them, not films."""

HEAD_STRENGTH = 0.01
"""scikit-learn's C: a head of 1,280 weights on a hundred labels needs a short leash."""


@dataclass(frozen=True)
class Setting:
    """How the CNN is trained. `augment`: half of the pictures of a batch are mirrored."""

    shape: Shape = field(default_factory=Shape)
    epochs: int = 20
    rate: float = 1e-3
    decay: float = 1e-4
    augment: bool = False

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {**asdict(self), "shape": self.shape.to_json()}


def learn_cnn(pixels: Vectors, yes: NDArray[np.bool_], setting: Setting, seed: int) -> Judge:
    """The CNN on pixels [N, 1, 128, 128]; both answers weigh the same, however rare one is."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits as loss_of

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = cnn(setting.shape).train()
        optimizer = torch.optim.AdamW(network.parameters(), lr=setting.rate, weight_decay=setting.decay)
        x, y = torch.from_numpy(pixels), torch.from_numpy(yes.astype(np.float32))
        weight = torch.from_numpy(balanced(yes))
        for _ in range(setting.epochs):
            order = torch.randperm(len(x))
            for rows in torch.split(order, BATCH):
                seen = x[rows]
                if setting.augment:
                    seen = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, seen.flip(3), seen)
                optimizer.zero_grad()
                loss = loss_of(network(seen)[:, 0], y[rows], weight[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
    tensors: Tensors = {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}
    card = {"kind": "cnn", "threshold": THRESHOLD, "shape": setting.shape.to_json(), "setting": setting.to_json()}
    return Judge("cnn", THRESHOLD, card, tensors)


def learn_head(vectors: Vectors, yes: NDArray[np.bool_], seed: int) -> Judge:
    """Logistic regression on standardized vectors [N, D], balanced likewise."""
    from sklearn.linear_model import LogisticRegression

    mean = vectors.mean(axis=0)
    scale = np.maximum(vectors.std(axis=0), 1e-6)
    fitted = LogisticRegression(C=HEAD_STRENGTH, class_weight="balanced", max_iter=1000, random_state=seed)
    fitted.fit((vectors - mean) / scale, yes)
    tensors: Tensors = {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "weight": fitted.coef_[0].astype(np.float32),
        "bias": np.asarray(fitted.intercept_[0], np.float32),
    }
    card = {"kind": "head", "threshold": THRESHOLD, "space": "efficientnet", "strength": HEAD_STRENGTH}
    return Judge("head", THRESHOLD, card, tensors)


def activation_maps(judge: Judge, pixels: Vectors) -> Vectors:
    """Where the CNN looks, float32 [N, 32, 32] or so, 0 to 1: Grad-CAM (Selvaraju et al. 2017) of its last maps."""
    import torch

    network, maps = judge.network(), []
    at = last_maps(judge.shape)
    for picture in torch.split(torch.from_numpy(pixels), 1):
        seen = network[:at](picture).detach().requires_grad_()
        (slope,) = torch.autograd.grad(network[at:](seen).sum(), seen)
        found = torch.relu((seen * slope.mean(dim=(2, 3), keepdim=True)).sum(dim=1))[0]
        maps.append((found / found.max().clamp(min=1e-9)).detach().numpy())
    return np.stack(maps) if maps else np.zeros((0, 1, 1), np.float32)


def balanced(yes: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Weights [N] that give both answers half of the whole, mean 1."""
    share = np.where(yes, yes.mean(), 1 - yes.mean())
    return np.asarray(0.5 / np.maximum(share, 1e-9), np.float32)
