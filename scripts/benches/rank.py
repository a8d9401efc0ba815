"""How long ranking a two-hour film takes: every window of 60-120 s, MLP of the full size, suppression.

The shot list is a real film's (Big Buck Bunny, scene_boundaries/ovsd_01) joined twelve times; vectors, signals and
the model's weights are random numbers. Only the time means anything: no score from here is a figure of quality.
"""

import argparse
import os
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from backend.features.schema import Block, FeatureSchema
from backend.media.signals import SECOND_SIGNALS
from backend.media.timeline import Timeline
from backend.scoring.film import ScoringFilm
from backend.scoring.mlp import Model, make_model
from backend.scoring.rank import RankRequest, rank

LIMIT_S = 0.5
FRAMES = 14315
SCHEMA = FeatureSchema(
    "embedded",
    1,
    (
        Block("visual", 1280, "random"),
        Block("audio", 128, "random"),
        Block("faces", 1, "random"),
        Block("dynamics", 64, "random"),
    ),
)


def run(args: list[str]) -> dict[str, Any]:
    """Time `rank` and return the figures, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench rank")
    asked.add_argument("--copies", type=int, default=12)
    asked.add_argument("--repeat", type=int, default=9)
    options = asked.parse_args(args)
    film, model = long_film(options.copies), random_model()
    times, cpu = [], []
    for _ in range(options.repeat):
        start, start_cpu = time.perf_counter(), time.process_time()
        ranking = rank(film, RankRequest(), model)
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    median, cpu_s, cores = float(np.median(times)), float(np.median(cpu)), os.cpu_count()
    shots, count = len(film.shots), len(ranking.windows)
    return {
        "shots": shots,
        "duration_s": film.duration_s,
        "windows": count,
        "median_s": median,
        "max_s": max(times),
        "cpu_s": cpu_s,
        "limit_s": LIMIT_S,
        "ok": median <= LIMIT_S,
        "lines": [
            f"film     {film.duration_s:.0f} s, {shots} shots: a real list joined, random vectors, so speed only",
            f"windows  {count} of 60-120 s, MLP {SCHEMA.dimension} → 512 → 256 → 2",
            f"rank     median {median:.3f} s (limit {LIMIT_S} s), slowest of {options.repeat} {max(times):.3f} s",
            f"CPU      median {cpu_s:.3f} s on {cores} cores",
        ],
    }


def long_film(copies: int) -> ScoringFilm:
    """A real shot list joined `copies` times, with random numbers for everything that is seen and heard."""
    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("SELECTS_TEST_DATA", root.parent / "shared"))
    with np.load(shared / "scene_boundaries" / "ovsd_01.npz") as stored:
        first, scene = stored["shots"][:, 0].astype(np.int64), stored["scene_start"]
    starts = (first + FRAMES * np.arange(copies)[:, None]).ravel()
    timeline = Timeline(Fraction(24), FRAMES * copies)
    rng = np.random.default_rng(0)
    seconds = int(np.ceil(timeline.duration_s))
    signals = {name: rng.random(seconds) for name in SECOND_SIGNALS}
    speech = np.sort(rng.random(2 * (seconds // 8)) * timeline.duration_s).reshape(-1, 2)
    return ScoringFilm(
        shots=np.stack([starts, np.append(starts[1:], timeline.frames)], axis=1),
        seconds_of=timeline.seconds_of,
        frame_at=timeline.frame_at,
        scene_starts=np.flatnonzero(np.tile(scene, copies)),
        schema=SCHEMA,
        vectors=rng.standard_normal((len(starts), SCHEMA.dimension)).astype(np.float32),
        signals={**signals, "loudness_db": -60 + 50 * signals["loudness_db"]},
        shot_signals={
            "face_count": rng.integers(0, 3, len(starts)).astype(float),
            "face_share": rng.random(len(starts)),
        },
        speech_s=speech,
    )


def random_model(schema: FeatureSchema = SCHEMA, hidden: tuple[int, int] = (512, 256), seed: int = 0) -> Model:
    """A model of the full size with random weights."""
    rng = np.random.default_rng(seed)
    sizes = (schema.dimension, *hidden)
    tensors = {"input.mean": np.zeros(sizes[0], np.float32), "input.scale": np.ones(sizes[0], np.float32)}
    for index in (1, 2):
        wide, narrow = sizes[index - 1], sizes[index]
        tensors[f"hidden{index}.weight"] = (rng.standard_normal((narrow, wide)) / np.sqrt(wide)).astype(np.float32)
        for name in (f"hidden{index}.bias", f"norm{index}.bias", f"norm{index}.running_mean"):
            tensors[name] = (0.1 * rng.standard_normal(narrow)).astype(np.float32)
        for name in (f"norm{index}.weight", f"norm{index}.running_var"):
            tensors[name] = (0.5 + rng.random(narrow)).astype(np.float32)
    tensors["output.weight"] = (rng.standard_normal((2, hidden[1])) / np.sqrt(hidden[1])).astype(np.float32)
    tensors["output.bias"] = np.zeros(2, np.float32)
    return make_model(tensors, {"schema": schema.to_json(), "version": "random"})
