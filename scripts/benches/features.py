"""Items a second of every model of the catalogue, and the share of the time that is spent inside it.

    scripts/bench features [--titles 1000] [--films 16] [--model NAME ...] [--random]

Titles: posters cut from frames of the films in SELECTS_TEST_DATA (500 x 750 JPEG, four of a frame), plots joined from
Condensed Movies' descriptions; for models of sound and film so many trailers of 20 s, cut from one film. Each model
runs as `selects features extract` does: from reading the input to the last file on disk; loading its weights is given
apart. Models whose weights are not here are left out; `--random` gives them random ones in their published format (of
transformers and open_clip: small networks), which costs their time honestly only for torchvision's and the ports. On a
GPU two shares are given: of the published peak of the device, and of what a large matrix product reaches on it, in the
same half precision; operations are counted on some of the titles.
"""

import argparse
import csv
import os
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

from backend.analysis.catalogue.extract import SECONDS, Request, extract
from backend.analysis.catalogue.outputs import Format
from backend.analysis.catalogue.pipeline import cores, device_here
from backend.analysis.catalogue.reading import reader_of
from backend.analysis.catalogue.titles import read_titles
from backend.errors import InputError
from backend.features.catalogue.base import half
from backend.features.catalogue.registry import MODELS

PEAK_TFLOPS = (("H200", 989.4), ("H100 PCIe", 756.0), ("H100 NVL", 835.0), ("H100", 989.4), ("A100", 312.0))
"""By a part of the device's name what NVIDIA's data sheets say of dense BF16 on tensor cores; the first that fits."""

COUNTED = 8
TRAILER_S, TRAILERS_S = 20, (30.0, 540.0)
FRAMES_APART_S = 2.3
POSTER = (500, 750)
CROPS = 4


def run(args: list[str]) -> dict[str, Any]:
    """Measure and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench features")
    asked.add_argument("--titles", type=int, default=1000)
    asked.add_argument("--films", type=int, default=16)
    asked.add_argument("--model", action="append", default=[])
    asked.add_argument("--random", action="store_true")
    options = asked.parse_args(args)
    data = Path(os.environ.get("SELECTS_TEST_DATA", "../shared"))
    lines, found = [], []
    with tempfile.TemporaryDirectory() as folder:
        device = device_name()
        lines.append(f"{options.titles} titles, {options.films} trailers, {cores()} cores, device {device}")
        chosen = [model for model in MODELS if not options.model or model.name in options.model]
        sources = catalogues(Path(folder), data, options.titles, options.films, {model.modality for model in chosen})
        for model in chosen:
            figures = measured(model, sources[model.modality], Path(folder), options.random)
            if figures is None:
                lines.append(f"{model.modality:<6} {model.name:<13} weights not here")
                continue
            found.append(figures)
            lines.append(told(figures))
    counts = {"titles": options.titles, "films": options.films, "cores": cores(), "device": device}
    return {**counts, "models": found, "lines": lines}


def told(figures: dict[str, Any]) -> str:
    """One model's figures as a line."""
    shares = (("share_of_peak", "the device's peak"), ("share_of_product", "a large matrix product"))
    peak = "".join(f"   {figures[name]:.1%} of {what}" for name, what in shares if figures[name] is not None)
    return (
        f"{figures['modality']:<6} {figures['model']:<13} {figures['items_per_s']:9.2f} items/s   "
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
        **shares_of_peak(model, paths, source, done / max(made.timing.model_s, 1e-9)),
    }


def here(model: Any) -> bool:
    """Whether its weights are on this machine."""
    from backend.errors import MissingWeights

    try:
        model(offline=True).find()
    except MissingWeights:
        return False
    return True


def device_name() -> str:
    """`cpu`, or what the GPU is called."""
    if device_here() == "cpu":
        return "cpu"
    import torch

    return str(torch.cuda.get_device_name())


def peak_tflops(device: str) -> float | None:
    """The published peak of a GPU in dense half precision, 10^12 operations a second; None where it is not known."""
    return next((peak for name, peak in PEAK_TFLOPS if name in device), None)


def shares_of_peak(model: Any, paths: dict[str, Path], source: Path, items_per_s: float) -> dict[str, float | None]:
    """Operations a second inside the model, as shares of the device's peak and of a large matrix product's."""
    if device_here() == "cpu":
        return {"share_of_peak": None, "share_of_product": None}
    made = model(weights=paths.get(model.name), offline=True)
    made.load("cuda")
    if not (speed := operations(made, source) * items_per_s):
        return {"share_of_peak": None, "share_of_product": None}  # no network
    peak = peak_tflops(device_name())
    return {"share_of_peak": speed / (peak * 1e12) if peak else None, "share_of_product": speed / product_speed()}


def operations(made: Any, source: Path) -> float:
    """Floating point operations of a title, the mean over some of those that can be read; the model is loaded."""
    from torch.utils.flop_counter import FlopCounterMode

    counted = []
    for title in read_titles(source, made.modality)[:COUNTED]:
        with suppress(InputError):
            pieces = [piece for part in reader_of(made, SECONDS)(title) for piece in made.prepare(part)]
            with FlopCounterMode(display=False) as counter:
                for at in range(0, len(pieces), made.batch[1]):
                    made.vectors(pieces[at : at + made.batch[1]])
            counted.append(counter.get_total_flops())
    return sum(counted) / max(len(counted), 1)


def product_speed() -> float:
    """Operations a second of a large matrix product in half precision on the GPU."""
    import torch

    size, warm_up, rounds = 8192, 5, 50
    one = torch.randn(size, size, device="cuda", dtype=half())
    with torch.inference_mode():
        for _ in range(warm_up):
            one @ one
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(rounds):
            one @ one
        torch.cuda.synchronize()
    return rounds * 2 * size**3 / (time.perf_counter() - began)


def catalogues(folder: Path, data: Path, titles: int, films: int, modalities: set[str]) -> dict[str, Path]:
    """By modality what is read: a table of plots and posters, a folder of trailers; only what is asked for is made."""
    made: dict[str, Path] = {}
    if modalities & {"text", "image"}:
        made |= dict.fromkeys(("text", "image"), catalogue(folder, data, titles))
    if modalities & {"audio", "video"}:
        made |= dict.fromkeys(("audio", "video"), trailers(folder / "trailers", data, films))
    return made


def trailers(folder: Path, data: Path, count: int) -> Path:
    """Stretches of a film with its sound, evenly from its first minute to its ninth, as they are in it."""
    import imageio_ffmpeg

    folder.mkdir()
    film = data / "films" / "big_buck_bunny_360p.mp4"
    for k in range(count):
        start_s = TRAILERS_S[0] + (TRAILERS_S[1] - TRAILERS_S[0]) * k / count
        cut = ["-ss", f"{start_s:.2f}", "-t", str(TRAILER_S), "-i", f"file:{film}", "-c", "copy"]
        exe = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run([exe, "-v", "error", "-nostdin", *cut, f"file:{folder / f'{k}.mp4'}"], check=True)
    return folder


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
