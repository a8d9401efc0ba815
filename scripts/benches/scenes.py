"""How well shots are grouped into scenes: the scorer of scene_boundaries, run on what `evaluate scenes` writes.

    scripts/bench scenes [DIR]

DIR is a folder in the format of scene_boundaries with its scorer `scene_score.py`; by default the one in
SELECTS_TEST_DATA. The figures are of the films the method's few numbers were chosen on, unless DIR holds others:
`scripts/bench fit_scenes` gives those of films left out of the choice.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from backend.analysis.evaluate import evaluate_scenes

ROOT = Path(__file__).resolve().parents[2]
MEASURES = ("f1_0", "f1_1", "f_co")


def run(args: list[str]) -> dict[str, Any]:
    """Group, score, and return the means with their intervals, by source too, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench scenes")
    asked.add_argument("folder", nargs="?", type=Path, default=default_folder())
    folder = asked.parse_args(args).folder
    with tempfile.TemporaryDirectory() as temporary:
        predicted, scored = Path(temporary, "predicted.json"), Path(temporary, "scored.json")
        begun = time.perf_counter()
        evaluate_scenes(folder, predicted)
        spent = time.perf_counter() - begun
        command = [sys.executable, str(folder / "scene_score.py"), str(folder), str(predicted), "--out", str(scored)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        result = json.loads(scored.read_text())
    summary = {name: value for name, value in result["summary"].items() if name.startswith(MEASURES)}
    sources = by_source(result["per_film"])
    lines = [f"{result['films']} films in {spent:.1f} s"]
    lines += [f"{name:<5} {summary[name]:.3f}  {interval(summary[name + '_ci95'])}" for name in MEASURES]
    lines += [
        f"  {source:<5} " + "  ".join(f"{k} {v:.3f}" for k, v in means.items()) for source, means in sources.items()
    ]
    return {"films": result["films"], "seconds": spent, **summary, "sources": sources, "lines": lines}


def default_folder() -> Path:
    """scene_boundaries in the folder of test data."""
    return Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")) / "scene_boundaries"


def by_source(per_film: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Means over the films of each source (the part of the name before the underscore)."""
    films = defaultdict(list)
    for film, measured in per_film.items():
        films[film.partition("_")[0]].append(measured)
    return {source: {k: sum(film[k] for film in of) / len(of) for k in MEASURES} for source, of in films.items()}


def interval(bounds: list[float]) -> str:
    """A 95 % interval in print."""
    return f"[{bounds[0]:.3f}, {bounds[1]:.3f}]"
