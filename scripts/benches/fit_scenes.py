"""Chooses the numbers of scene grouping on scene_boundaries, and measures films that were left out of the choice.

    scripts/bench fit_scenes [DIR]

Every setting of a small grid is tried on every film; what counts is the mean F1 at a tolerance of one shot, averaged
over neighbouring thresholds so that no lucky one wins. Left out, in turn: each source, each film.
"""

import argparse
import importlib.util
import itertools
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from scenes import MEASURES, by_source, default_folder, interval

from backend.analysis.evaluate import Film, read_film
from backend.media.scenes import Grouping, boundary_chances, choose

GRID = {
    "likeness": (1.5, 2.0, 3.0),
    "scene_cost": (2.0, 3.0, 4.0),
    "length_power": (0.0, 0.5, 1.0),
    "transition_gain": (0.0, 1.2),
}
THRESHOLDS = np.arange(0.2, 0.61, 0.05)


@dataclass(frozen=True)
class Tried:
    """F1 at ± one shot, [settings, thresholds, films], and the boundaries that gave it."""

    settings: list[Grouping]
    f1: np.ndarray
    found: list[list[list[list[int]]]]

    def best(self, films: np.ndarray) -> tuple[int, int]:
        """The setting and threshold with the best mean over `films`, smoothed over thresholds."""
        mean = self.f1[:, :, films].mean(axis=2)
        padded = np.concatenate([mean[:, :1], mean, mean[:, -1:]], axis=1)
        smooth = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3
        setting, threshold = np.unravel_index(smooth.argmax(), smooth.shape)
        return int(setting), int(threshold)


def run(args: list[str]) -> dict[str, Any]:
    """The best setting on all films and the held-out figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench fit_scenes")
    asked.add_argument("folder", nargs="?", type=Path, default=default_folder())
    folder = asked.parse_args(args).folder
    scorer = load(folder / "scene_score.py")
    films = {path.stem: read_film(path) for path in sorted(folder.glob("*.npz"))}
    truth = {name: scorer.starts(film) for name, film in scorer.load_dir(str(folder)).items()}
    tried = try_all(films, truth, scorer)
    sources = np.array([name.partition("_")[0] for name in films])
    setting, threshold = tried.best(np.arange(len(films)))
    chosen = replace(tried.settings[setting], threshold=round(float(THRESHOLDS[threshold]), 3))
    result: dict[str, Any] = {"chosen": str(chosen), "lines": [f"best on all films: {chosen}"]}
    for label, folds in (("source left out", sources), ("film left out", np.arange(len(films)))):
        measured = held_out(tried, folds, films, truth, scorer)
        result[label] = measured
        result["lines"] += [label, *(f"  {line}" for line in measured.pop("lines"))]
    return result


def try_all(films: dict[str, Film], truth: dict[str, list[int]], scorer: ModuleType) -> Tried:
    """Every setting and threshold on every film."""
    settings = [Grouping(**dict(zip(GRID, values, strict=True))) for values in itertools.product(*GRID.values())]
    f1 = np.zeros((len(settings), len(THRESHOLDS), len(films)))
    found: list[list[list[list[int]]]] = []
    for s, setting in enumerate(settings):
        chances = [boundary_chances(film.features, film.lengths, film.gaps, setting) for film in films.values()]
        rows = [[choose(c, replace(setting, threshold=float(t))) for c in chances] for t in THRESHOLDS]
        for t, row in enumerate(rows):
            for f, (name, scenes) in enumerate(zip(films, row, strict=True)):
                hits = scorer.match(truth[name], scenes, 1)
                f1[s, t, f] = 2 * hits / max(len(truth[name]) + len(scenes), 1)
        found.append(rows)
    return Tried(settings, f1, found)


def held_out(
    tried: Tried, folds: np.ndarray, films: dict[str, Film], truth: dict[str, list[int]], scorer: ModuleType
) -> dict[str, Any]:
    """Measures of each film under the setting that was best on the films of all other folds."""
    per_film, chosen = {}, []
    for fold in dict.fromkeys(folds.tolist()):
        setting, threshold = tried.best(np.flatnonzero(folds != fold))
        chosen.append(replace(tried.settings[setting], threshold=round(float(THRESHOLDS[threshold]), 3)))
        for f, name in enumerate(films):
            if folds[f] == fold:
                scenes = tried.found[setting][threshold][f]
                per_film[name] = scorer.score_film(truth[name], scenes, len(films[name].lengths))
    measured: dict[str, Any] = {"settings": len(set(chosen)), "sources": by_source(per_film)}
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, len(per_film), (2000, len(per_film)))
    usual = max(chosen, key=chosen.count)
    lines = [f"{len(set(chosen))} different settings in {len(chosen)} folds, most often {usual}"]
    for name in MEASURES:
        values = np.array([film[name] for film in per_film.values()])
        bounds = [float(q) for q in np.quantile(values[drawn].mean(axis=1), (0.025, 0.975))]
        measured[name], measured[f"{name}_ci95"] = float(values.mean()), bounds
        lines.append(f"{name:<5} {values.mean():.3f}  {interval(bounds)}")
    lines += [f"  {s:<5} " + "  ".join(f"{k} {v:.3f}" for k, v in m.items()) for s, m in measured["sources"].items()]
    return {**measured, "lines": lines}


def load(path: Path) -> ModuleType:
    """The scorer of the data set."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
