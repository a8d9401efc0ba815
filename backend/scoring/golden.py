"""Golden vectors: a few inputs stored with what the model made of them, so that a loaded model can prove itself."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.files import write_atomically
from backend.scoring.mlp import Model

GOLDEN = "golden.safetensors"
TOLERANCE = 1e-3
"""Another processor sums float32 in another order, and a low temperature makes a hundred times as much of that."""


def save_golden(folder: Path, model: Model, vectors: NDArray[np.floating]) -> str:
    """Write golden.safetensors: `vectors` [G, dimension] and the model's probabilities. Gives the file's sha256.

    The card names it as `golden_sha256`. Equal input gives equal bytes. Raises OutputError.
    """
    from safetensors.numpy import save

    rows = np.ascontiguousarray(vectors, np.float32)
    data = save({"probabilities": model.probabilities(rows), "vectors": rows})
    write_atomically(folder / GOLDEN, data, durable=True)
    return hashlib.sha256(data).hexdigest()


def check_golden(folder: Path, model: Model) -> None:
    """Raise InputError unless `folder` holds the golden file that the card names and the model answers as it says."""
    try:
        data = (folder / GOLDEN).read_bytes()
    except OSError as problem:
        raise InputError(f"Model {model.version} has no {GOLDEN} that can be read: {problem.strerror}.") from problem
    if hashlib.sha256(data).hexdigest() != model.card.get("golden_sha256"):
        raise InputError(f"{GOLDEN} of model {model.version} is not the file that its card names.")
    vectors, wanted = _golden(data, model)
    apart = float(np.max(np.abs(model.probabilities(vectors) - wanted)))
    if not apart <= TOLERANCE:
        raise InputError(
            f"Model {model.version} does not answer its golden vectors as it did when it was made: "
            f"the largest difference is {apart:.3g}, {TOLERANCE:g} at most may be."
        )


def _golden(data: bytes, model: Model) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vectors float32 [G, dimension] and probabilities float64 [G]; raises InputError."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        stored: dict[str, NDArray[Any]] = load(data)
        vectors, wanted = stored["vectors"], stored["probabilities"]
    except (SafetensorError, KeyError, ValueError) as broken:
        raise InputError(f"{GOLDEN} of model {model.version} is broken: {broken}.") from broken
    if not len(wanted) or vectors.shape != (len(wanted), model.schema.dimension):
        raise InputError(f"{GOLDEN} of model {model.version} holds vectors of another size.")
    return vectors, wanted
