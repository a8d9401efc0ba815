"""What a trained model says of every window of a snapshot, as a CSV file."""

import csv
from pathlib import Path

import numpy as np

from backend.files import file_atomically
from backend.scoring.mlp import load_model
from trainer.snapshot import read_snapshot


def predict(model_folder: Path, folder: Path, out: Path) -> int:
    """Write `window_id,probability` for every row, labelled or not; gives their number.

    What a window lacks counts as the mean that the model was trained with. Raises InputError, SchemaMismatch where the
    features are others than the model's, OutputError.
    """
    model = load_model(model_folder)
    snapshot = read_snapshot(folder)
    model.require(snapshot.schema)
    features = snapshot.features
    if not np.isfinite(features).all():
        features = np.where(np.isfinite(features), features, _means(model_folder))
    chances = model.probabilities(features)
    with file_atomically(out, durable=False) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("window_id", "probability"))
        rows.writerows(zip(snapshot.window_ids, (f"{chance:.9g}" for chance in chances), strict=True))
    return len(chances)


def _means(model_folder: Path) -> np.ndarray:
    from safetensors.numpy import load_file

    return np.asarray(load_file(model_folder / "model.safetensors")["input.mean"], np.float32)
