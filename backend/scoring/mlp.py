"""A trained model as scoring uses it: a folder with model.safetensors and card.json, run in numpy.

Scoring needs no torch: batch norm and standardisation are folded into the linear layers when the model is loaded.
`backend.scoring.network.build` is the same network in torch, with the same names, for the trainer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError, SchemaMismatch
from backend.features.schema import FeatureSchema
from backend.scoring.film import Floats, Frames
from backend.scoring.network import NORM_EPSILON, build
from backend.scoring.standard import logistic
from backend.scoring.stored import CARD, WEIGHTS, read_folder, write_version
from backend.scoring.windows import Windows

__all__ = ["CARD", "WEIGHTS", "Model", "build", "load_model", "make_model", "save_model"]

REPLACES = ("viral", "compelling")
TEMPERATURES = (0.01, 100.0)
"""Beyond these all probabilities are 0 and 1, or one half."""

CHUNK = 2048
"""Windows scored at a time: memory does not grow with their number."""

Matrix = NDArray[np.float32]
Layer = tuple[Matrix, Matrix]


@dataclass(frozen=True)
class Model:
    """A loaded model. `card` is all that card.json holds; `replaces` names the score that the model gives."""

    version: str
    schema: FeatureSchema
    replaces: str
    temperature: float
    sha256: str
    card: Mapping[str, Any]
    layers: tuple[Layer, Layer, Layer]

    def require(self, schema: FeatureSchema) -> None:
        """Raise SchemaMismatch unless the model was trained on this very schema."""
        self.schema.require(schema)

    def probabilities(self, vectors: NDArray[np.floating]) -> Floats:
        """Probability of approval for each row of [N, dimension], float64 [N]."""
        weight, bias = self.layers[0]
        parts = [
            self._head(np.asarray(vectors[at : at + CHUNK], np.float32) @ weight + bias)
            for at in range(0, len(vectors), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def replaced(
        self, vectors: NDArray[np.floating], typical: NDArray[np.floating], parts: Sequence[slice]
    ) -> list[Floats]:
        """Of rows [N, dimension] with each of `parts` as it is in `typical` [dimension]: float64 [N] a part.

        The first layer is linear: it is applied to the rows once, and to what is replaced.
        """
        weight, bias = self.layers[0]
        rows = np.asarray(vectors, np.float32)
        seen, away = rows @ weight + bias, np.asarray(typical, np.float32) - rows
        return [self._head(np.asarray(seen + away[:, part] @ weight[part], np.float32)) for part in parts]

    def window_probabilities(
        self, vectors: NDArray[np.floating], durations_s: Floats, found: Windows, shot: Frames | None = None
    ) -> Floats:
        """The same for windows of segments → float64 [W]: vectors [N, dimension], durations [G], shot int64 [G].

        `shot` says which row each segment has (by default its own). The first layer is linear, so it is applied to
        the shots and its outputs are pooled: equal to pooling the vectors, with a fraction of the work.
        """
        weight, bias = self.layers[0]
        seen = np.asarray(vectors, np.float32) @ weight
        heavy = (seen if shot is None else seen[shot]) * durations_s[:, None]
        sums = np.concatenate([np.zeros((1, heavy.shape[1])), np.cumsum(heavy, axis=0, dtype=np.float64)])
        share = (1.0 / np.maximum(found.durations_s, 1e-9)).astype(np.float32)
        parts = []
        for at in range(0, len(found), CHUNK):
            first, last = found.first[at : at + CHUNK], found.last[at : at + CHUNK]
            base = int(first.min())
            # Neighbouring windows need sums over a short stretch: counted from its start, float32 is exact enough.
            near = (sums[base : int(last.max()) + 1] - sums[base]).astype(np.float32)
            pooled = near[last - base]
            pooled -= near[first - base]
            pooled *= share[at : at + CHUNK, None]
            pooled += bias
            parts.append(self._head(pooled))
        return np.concatenate(parts) if parts else np.zeros(0)

    def _head(self, seen: Matrix) -> Floats:
        (weight, bias), (choice, tendency) = self.layers[1:]
        np.maximum(seen, 0, out=seen)
        seen = seen @ weight
        seen += bias
        np.maximum(seen, 0, out=seen)
        margin = seen @ (choice[:, 1] - choice[:, 0]) + (tendency[1] - tendency[0])
        return logistic(margin.astype(np.float64) / self.temperature)


def load_model(folder: Path) -> Model:
    """The model in `folder`; raises InputError or SchemaMismatch, in one sentence, for whatever is wrong with it.

    Read before any film is decoded: call `.require(schema)` with the profile's schema right after.
    """
    tensors, card = read_folder(folder)
    return make_model(tensors, card, str(folder))


def make_model(tensors: Mapping[str, NDArray[Any]], card: Mapping[str, Any], where: str = "memory") -> Model:
    """A model from a state dict (names as `network.build` gives them) and its card; raises as `load_model` does."""
    try:
        schema = FeatureSchema.from_json(card["schema"])
    except SchemaMismatch as broken:
        raise SchemaMismatch(f"The card of the model in {where!r} cannot be used: {broken}") from broken
    replaces, temperature = card.get("replaces", "compelling"), card.get("temperature", 1.0)
    if replaces not in REPLACES:
        raise InputError(f"The model in {where!r} gives the score {replaces!r}; known: {', '.join(REPLACES)}.")
    least, most = TEMPERATURES
    if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not least <= temperature <= most:
        limits = f"it must be a number from {least:g} to {most:g}"
        raise InputError(f"The model in {where!r} has the temperature {temperature!r}; {limits}.")
    if not isinstance(card.get("version"), str) or not card["version"]:
        raise InputError(f"The card of the model in {where!r} names no version.")
    _check(tensors, schema.dimension, where)
    return Model(
        card["version"], schema, replaces, float(temperature), str(card.get("sha256", "")), dict(card), _fold(tensors)
    )


def _check(tensors: Mapping[str, NDArray[Any]], dimension: int, where: str) -> None:
    sizes = [int(tensors[name].shape[0]) if name in tensors and tensors[name].ndim else 0 for name in _HIDDEN]
    for name, shape in _shapes(dimension, *sizes).items():
        if name not in tensors:
            raise InputError(f"The model in {where!r} lacks the tensor {name!r}.")
        if tensors[name].shape != shape or 0 in shape:
            raise InputError(f"The model in {where!r} has {name!r} of shape {tensors[name].shape}, expected {shape}.")
        if not np.all(np.isfinite(tensors[name])):
            raise InputError(f"The model in {where!r} holds values in {name!r} that are not finite.")
    positive = np.all(tensors["input.scale"] > 0)
    if not (positive and all(np.all(tensors[f"norm{index}.running_var"] >= 0) for index in (1, 2))):
        raise InputError(f"The model in {where!r} has a scale or variance that is not positive.")


_HIDDEN = ("hidden1.weight", "hidden2.weight")


def _shapes(dimension: int, first: int, second: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"input.mean": (dimension,), "input.scale": (dimension,)}
    for index, (wide, narrow) in enumerate(((dimension, first), (first, second)), start=1):
        shapes[f"hidden{index}.weight"] = (narrow, wide)
        shapes[f"hidden{index}.bias"] = (narrow,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"norm{index}.{name}"] = (narrow,)
    return {**shapes, "output.weight": (2, second), "output.bias": (2,)}


def _fold(tensors: Mapping[str, NDArray[Any]]) -> tuple[Layer, Layer, Layer]:
    """Three (weight [in, out], bias [out]) pairs, float32, in which standardisation and batch norms are contained."""
    wide = {name: np.asarray(value, np.float64) for name, value in tensors.items()}
    layers = []
    for index in (1, 2):
        gain = wide[f"norm{index}.weight"] / np.sqrt(wide[f"norm{index}.running_var"] + NORM_EPSILON)
        weight = wide[f"hidden{index}.weight"].T * gain
        bias = (wide[f"hidden{index}.bias"] - wide[f"norm{index}.running_mean"]) * gain + wide[f"norm{index}.bias"]
        if index == 1:
            weight = weight / wide["input.scale"][:, None]
            bias = bias - wide["input.mean"] @ weight
        layers.append((weight.astype(np.float32), bias.astype(np.float32)))
    output = (wide["output.weight"].T.astype(np.float32), wide["output.bias"].astype(np.float32))
    return layers[0], layers[1], output


def save_model(
    folder: Path, tensors: Mapping[str, NDArray[Any]], schema: FeatureSchema, version: str, card: Mapping[str, Any]
) -> Path:
    """Write model.safetensors and card.json into `folder` (made if missing), each whole or not at all.

    `card` holds what else there is to say (`temperature`, `replaces`, figures, provenance). Equal input gives equal
    bytes. Raises InputError for tensors that `load_model` would refuse, OutputError where nothing can be written.
    """
    whole = {
        "temperature": 1.0,
        "replaces": "compelling",
        **card,
        "version": version,
        "schema": schema.to_json(),
    }
    make_model(tensors, whole, str(folder))
    return write_version(folder, tensors, whole)
