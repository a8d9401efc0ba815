"""Items a second of every model of the catalogue, and the share of the time that is spent inside it.

    scripts/bench features [--titles 1000] [--model NAME ...] [--random]

Titles: posters cut from frames of the films in SELECTS_TEST_DATA (500 x 750 JPEG, four of a frame), plots joined from
Condensed Movies' descriptions. Each model runs as `selects features extract` does: from reading the input to the last
file on disk; loading its weights is given apart. Models whose weights are not here are left out; `--random` gives them
random ones in their published format (of transformers and open_clip: small networks), which costs their time honestly
only for torchvision's and the ports. On a GPU, the share of what a large matrix product reaches there is given too.
"""

import argparse
import csv
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from backend.analysis.catalogue.extract import Request, extract
from backend.analysis.catalogue.outputs import Format
from backend.analysis.catalogue.pipeline import cores, device_here
from backend.features.catalogue.registry import MODELS

FRAMES_APART_S = 2.3
POSTER = (500, 750)
CROPS = 4


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench features")
    asked.add_argument("--titles", type=int, default=1000)
    asked.add_argument("--model", action="append", default=[])
    asked.add_argument("--random", action="store_true")
    options = asked.parse_args(args)
    data = Path(os.environ.get("SELECTS_TEST_DATA", "../shared"))
    lines, found = [], []
    with tempfile.TemporaryDirectory() as folder:
        source = catalogue(Path(folder), data, options.titles)
        lines.append(f"{options.titles} titles, {cores()} cores, device {device_here()}")
        for model in MODELS:
            if (options.model and model.name not in options.model) or model.modality not in ("text", "image"):
                continue
            figures = measured(model, source, Path(folder), options.random)
            if figures is None:
                lines.append(f"{model.modality:<6} {model.name:<13} weights not here")
                continue
            found.append(figures)
            lines.append(told(figures))
    return {"titles": options.titles, "cores": cores(), "device": device_here(), "models": found, "lines": lines}


def told(figures: dict[str, Any]) -> str:
    """One model's figures as a line."""
    peak = "" if figures["share_of_peak"] is None else f"   {figures['share_of_peak']:.0%} of the device's peak"
    return (
        f"{figures['modality']:<6} {figures['model']:<13} {figures['items_per_s']:8.1f} items/s   "
        f"{figures['share_in_model']:.1%} inside the model   {figures['whole_s']:.1f} s with loading{peak}"
    )


def measured(model: Any, source: Path, folder: Path, random: bool) -> dict[str, Any] | None:
    """One model over the catalogue; None where its weights are not here."""
    paths = {}
    if random and model.origin.takes_path:
        from tests.catalogue_weights import SAVE

        place = folder / f"weights-{model.name}"
        place.mkdir(exist_ok=True)
        paths = {model.name: SAVE[model.name](place)}
    elif not here(model):
        return None
    began = time.perf_counter()
    request = Request(model.modality, model.name, source, folder / f"{model.modality}-{model.name}", Format.json)
    made = extract(request, paths=paths, cache=folder / "networks", offline=True)
    whole_s = time.perf_counter() - began
    done = made.timing.titles - made.skipped
    return {
        "modality": model.modality,
        "model": model.name,
        "items": done,
        "skipped": made.skipped,
        "items_per_s": done / made.timing.wall_s,
        "share_in_model": made.timing.share,
        "whole_s": whole_s,
        "random_weights": bool(paths),
        "share_of_peak": share_of_peak(model, paths, done / made.timing.model_s),
    }


def here(model: Any) -> bool:
    """Whether its weights are on this machine."""
    from backend.errors import MissingWeights

    try:
        model(offline=True).find()
    except MissingWeights:
        return False
    return True


def share_of_peak(model: Any, paths: dict[str, Path], items_per_s: float) -> float | None:
    """Operations a second inside the model, against those of a large matrix product in the same precision."""
    if device_here() == "cpu":
        return None
    import numpy as np
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from backend.features.catalogue.base import mixed

    made = model(weights=paths.get(model.name), offline=True)
    made.load("cuda")
    given = "a rabbit wakes up in the meadow " * 8 if model.modality == "text" else np.zeros((750, 500, 3), np.uint8)
    with FlopCounterMode(display=False) as counter:
        made.vectors(made.prepare(given))
    size, rounds = 8192, 20
    with torch.inference_mode(), mixed("cuda"):
        one = torch.randn(size, size, device="cuda")
        half = (one @ one).dtype
        one = one.to(half)
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(rounds):
            one @ one
        torch.cuda.synchronize()
    peak = rounds * 2 * size**3 / (time.perf_counter() - began)
    return float(counter.get_total_flops() * items_per_s / peak)


def catalogue(folder: Path, data: Path, titles: int) -> Path:
    """A table of titles with plots and posters in `folder`."""
    plots = list(texts(data / "condensed_movies"))[:titles]
    posters = pictures(folder / "posters", data / "films" / "big_buck_bunny_360p.mp4", titles)
    rows = [
        {"id": k, "plot": plot, "poster": poster} for k, (plot, poster) in enumerate(zip(plots, posters, strict=True))
    ]
    with (folder / "titles.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ["id", "plot", "poster"])
        table.writeheader()
        table.writerows(rows)
    return folder / "titles.csv"


def texts(folder: Path) -> Any:
    """The descriptions of each film's clips, joined."""
    by_film: dict[str, list[str]] = defaultdict(list)
    with (folder / "descriptions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            by_film[row["imdbid"]].append(row["description"].strip())
    return (" ".join(said) for said in by_film.values() if "".join(said))


def pictures(folder: Path, film: Path, count: int) -> list[str]:
    """Posters cut from frames of a film, portrait, as JPEG files."""
    from PIL import Image

    from backend.media.excerpts import read_clips

    folder.mkdir()
    frames = read_clips(film, clips=1, frames=-(-count // CROPS), step_s=FRAMES_APART_S, side=360)[0]
    made = []
    for k in range(count):
        frame = Image.fromarray(frames[k // CROPS])
        left = (frame.width - 240) * (k % CROPS) // (CROPS - 1)
        path = folder / f"{k}.jpg"
        frame.crop((left, 0, left + 240, 360)).resize(POSTER, Image.Resampling.BICUBIC).save(path, quality=90)
        made.append(str(path))
    return made
