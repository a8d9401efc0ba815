"""Golden vectors: a few inputs stored with what the model made of them, so that a loaded model can prove itself."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.scoring.mlp import Model
from backend.scoring.stored import GOLDEN, Tensors, read_golden, write_golden

TOLERANCE = 1e-3
"""Another processor sums float32 in another order, and a low temperature makes a hundred times as much of that."""


def save_golden(folder: Path, model: Model, vectors: NDArray[np.floating]) -> str:
    """Write golden.safetensors: `vectors` [G, dimension] and the model's probabilities. Gives the file's sha256.

    The card names it as `golden_sha256`. Equal input gives equal bytes. Raises OutputError.
    """
    rows = np.ascontiguousarray(vectors, np.float32)
    return write_golden(folder, {"probabilities": model.probabilities(rows), "vectors": rows})


def check_golden(folder: Path, model: Model) -> None:
    """Raise InputError unless `folder` holds the golden file that the card names and the model answers as it says."""
    vectors, wanted = _golden(read_golden(folder, model.version, model.card), model)
    apart = float(np.max(np.abs(model.probabilities(vectors) - wanted)))
    if not apart <= TOLERANCE:
        raise InputError(
            f"Model {model.version} does not answer its golden vectors as it did when it was made: "
            f"the largest difference is {apart:.3g}, {TOLERANCE:g} at most may be."
        )


def _golden(stored: Tensors, model: Model) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Vectors float32 [G, dimension] and probabilities float64 [G]; raises InputError."""
    if not {"vectors", "probabilities"} <= stored.keys():
        raise InputError(f"{GOLDEN} of model {model.version} is broken: it lacks vectors or probabilities.")
    vectors, wanted = stored["vectors"], stored["probabilities"]
    if not len(wanted) or vectors.shape != (len(wanted), model.schema.dimension):
        raise InputError(f"{GOLDEN} of model {model.version} holds vectors of another size.")
    return vectors, wanted
