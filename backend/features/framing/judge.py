"""Trained judges of framing: what `selects framing train` writes into a folder, loaded and asked.

A folder holds model.safetensors and card.json. The card names the kind (`cnn` on grey stills, `head` on embeddings of
the embedded profile), and the checksum of the weights.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.base import Image, Vectors
from backend.features.framing.network import Shape, cnn, grey

if TYPE_CHECKING:
    import torch

WEIGHTS, CARD = "model.safetensors", "card.json"
FORMAT = "selects-framing-1"
BATCH = 64
SPACE = 1280
"""Numbers of an EfficientNet-Lite0 vector, which a `head` looks at."""

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Judge:
    """A trained judge of medium close-ups. It says yes from `threshold` on.

    kind   "cnn": looks at pictures; "head": at their EfficientNet-Lite0 vectors, or at those of shots
    """

    kind: str
    threshold: float
    card: dict[str, Any]
    tensors: Tensors

    @property
    def shape(self) -> Shape:
        """How large the network of a `cnn` is."""
        return Shape.from_json(self.card["shape"])

    def check(self) -> None:
        """Raise KeyError, TypeError, ValueError or RuntimeError unless card and weights are of one judge."""
        if not 0 < self.threshold < 1:
            raise ValueError(f"its threshold is {self.threshold}")
        if self.kind == "cnn":
            self.network()
            return
        sizes = {name: self.tensors[name].size for name in ("mean", "scale", "weight", "bias")}
        if sizes != {"mean": SPACE, "scale": SPACE, "weight": SPACE, "bias": 1}:
            raise ValueError(f"its weights are not for vectors of {SPACE} numbers: {sizes}")

    def network(self) -> "torch.nn.Sequential":
        """The network of a `cnn`, ready to be asked; raises RuntimeError where the weights are of another shape."""
        import torch

        network = cnn(self.shape).eval()
        network.load_state_dict({name: torch.from_numpy(value) for name, value in self.tensors.items()})
        return network

    def of_pixels(self, pixels: Vectors) -> NDArray[np.float64]:
        """Probability of a medium close-up for each of what `grey` gives; only of a `cnn`."""
        import torch

        network = self.network()
        with torch.inference_mode():
            parts = [
                torch.sigmoid(network(part)[:, 0]).numpy() for part in torch.split(torch.from_numpy(pixels), BATCH)
            ]
        return np.concatenate([np.zeros(0), *parts]).astype(np.float64)

    def of_pictures(self, images: Sequence[Image]) -> NDArray[np.float64]:
        """The same for pictures RGB uint8 [height, width, 3]."""
        return self.of_pixels(grey(images))

    def of_vectors(self, vectors: Vectors) -> NDArray[np.float64]:
        """The same for vectors [N, 1280]; only of a `head`."""
        standard = (vectors - self.tensors["mean"]) / self.tensors["scale"]
        return np.asarray(1 / (1 + np.exp(-(standard @ self.tensors["weight"] + self.tensors["bias"]))), np.float64)


def load_judge(folder: Path) -> Judge:
    """The judge in a folder; raises InputError where it is none, or not what its card says."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        card = json.loads((folder / CARD).read_text("utf-8"))
        data = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError) as broken:
        why = f"{CARD} or {WEIGHTS}: {broken.strerror}" if isinstance(broken, OSError) else f"{CARD}: {broken}"
        raise InputError(
            f"There is no model of framing in {str(folder)!r} ({why}); give a folder that `selects framing train` "
            "has written, cnn or head."
        ) from None
    if not isinstance(card, dict) or card.get("format") != FORMAT or card.get("kind") not in ("cnn", "head"):
        raise InputError(f"{CARD} in {str(folder)!r} is no card of a model of framing.")
    if hashlib.sha256(data).hexdigest() != card.get("sha256"):
        raise InputError(
            f"{WEIGHTS} in {str(folder)!r} is not the file that its card describes; copy the folder again."
        )
    try:
        judge = Judge(card["kind"], float(card["threshold"]), card, dict(load(data)))
        judge.check()
    except KeyError as lacking:
        raise InputError(f"The model of framing in {str(folder)!r} lacks {lacking}; train it again.") from None
    except (SafetensorError, TypeError, ValueError, RuntimeError) as broken:
        why = str(broken).replace("\n", " ")[:300]
        raise InputError(f"The model of framing in {str(folder)!r} is broken ({why}); train it again.") from None
    return judge


def packed(card: dict[str, Any], tensors: Tensors) -> dict[str, bytes]:
    """The files of a judge's folder; equal ones give equal bytes."""
    from safetensors.numpy import save

    data = save({name: np.ascontiguousarray(tensors[name], np.float32) for name in sorted(tensors)})
    whole = {"format": FORMAT, **card, "sha256": hashlib.sha256(data).hexdigest()}
    return {WEIGHTS: data, CARD: (json.dumps(whole, indent=2, sort_keys=True) + "\n").encode()}
