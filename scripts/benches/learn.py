"""Which learns best from real human labels: the network, a line or boosting, judged on films they had not seen.

    scripts/bench learn [--seed N] [--features likeness|looks ...]

Data: whether a shot starts a scene (scene_boundaries in SELECTS_TEST_DATA), as people said; not whether a clip is worth
keeping. `likeness`: 18 numbers, how alike the shots before and after the cut are; `looks`: these, and how far apart
768 colours and looks of the two shots at the cut are. It is `python -m trainer fit` as it stands.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.features.schema import Block, FeatureSchema  # noqa: E402
from trainer.fit import Asked  # noqa: E402
from trainer.snapshot import Snapshot, make_snapshot, write_snapshot  # noqa: E402
from trainer.versions.making import fit  # noqa: E402

BLOCKS = {
    "likeness": (Block("likeness", 18, "scene_boundaries"),),
    "looks": tuple(Block(*of, "scene_boundaries") for of in (("likeness", 18), ("vgg19", 512), ("hsv", 256))),
}


def run(args: list[str]) -> dict[str, Any]:
    """Figures of all contenders on each set of features, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench learn")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--features", nargs="*", default=list(BLOCKS), choices=list(BLOCKS))
    options = asked.parse_args(args)
    measured: dict[str, Any] = {"seed": options.seed}
    lines = []
    for name in options.features:
        with tempfile.TemporaryDirectory() as folder:
            place = write_snapshot(Path(folder), snapshot(name))
            card = fit(place, Path(folder) / "out", Asked(seed=options.seed, device="cpu"), None, None)
        measured[name] = {key: card[key] for key in ("summary", "figures", "differences", "labels", "settings")}
        lines.append(f"{name}: {card['summary']}")
        for contender, found in card["figures"].items():
            told = "  ".join(
                f"{key} {of['value']:.3f} [{of['low']:.3f}, {of['high']:.3f}]" for key, of in found.items()
            )
            lines.append(f"  {contender:<11} {told}")
    return {**measured, "lines": lines}


def snapshot(name: str) -> Snapshot:
    """Every cut of every film that has both looks: a window is the shot after the cut."""
    parts = list(films(wide=name == "looks"))
    movies = [film for film, features, _ in parts for _ in features]
    return make_snapshot(
        FeatureSchema(f"scenes-{name}", 1, BLOCKS[name]),
        [f"{film}-{row}" for row, film in enumerate(movies)],
        movies,
        np.concatenate([features for _, features, _ in parts]),
        labels=np.concatenate([starts for _, _, starts in parts]).astype(np.int8),
        sources=["import"] * len(movies),
    )


def films(*, wide: bool) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, features of each cut, and whether people said that a scene starts there."""
    folder = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")) / "scene_boundaries"
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as film:
            if not {"vgg19", "hsv"} <= set(film.files):
                continue
            looks = [unit(np.nan_to_num(film[name].astype(np.float64), posinf=6e4)) for name in ("vgg19", "hsv")]
            starts = film["scene_start"]
        cuts = np.arange(1, len(starts))
        alike = [
            (look[np.maximum(cuts - a, 0)] * look[np.minimum(cuts + b, len(starts) - 1)]).sum(axis=1)
            for look in looks
            for a in range(1, 4)
            for b in range(3)
        ]
        features = np.stack(alike, axis=1)
        features = (features - features.mean(axis=0)) / features.std(axis=0)
        apart = [20 * np.abs(look[cuts] - look[cuts - 1]) for look in looks] if wide else []
        yield path.stem, np.concatenate([features, *apart], axis=1), starts[cuts]


def unit(values: np.ndarray) -> np.ndarray:
    """Square roots without the film's mean, of length one."""
    centred = np.sqrt(values) - np.sqrt(values).mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
