"""How long training takes: the step itself on 100,000 windows, and 10,000 labels from snapshot to gated challenger.

    scripts/bench train [--rows N] [--epochs N] [--dimension D] [--device auto|cpu|cuda] [--labels N] [--no-fit]
    python scripts/lib/bench.py train           where only torch, numpy, pyarrow and safetensors are installed

Features and labels are random numbers: only the times mean anything. The step is compared, in the same run, with the
same network fed by a DataLoader from the host's memory with torch's own optimizer, and with the time that its matrix
products alone take. Without a GPU the step is timed on 10,000 windows and 2 epochs unless told otherwise.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from backend.features.schema import Block, FeatureSchema  # noqa: E402
from backend.scoring.network import HIDDEN, build  # noqa: E402
from trainer.learners.network import Material  # noqa: E402
from trainer.snapshot import make_snapshot, write_snapshot  # noqa: E402
from trainer.train import SETTINGS, Course, batch_size, fit_network  # noqa: E402

LIMIT_S = 60.0
FILMS = 50
SLOW_EPOCHS = 1


def run(args: list[str]) -> dict[str, Any]:
    """Time the step and the whole, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench train")
    asked.add_argument("--rows", type=int)
    asked.add_argument("--epochs", type=int)
    asked.add_argument("--dimension", type=int, default=1473)
    asked.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    asked.add_argument("--labels", type=int, default=10_000)
    asked.add_argument("--no-fit", action="store_true")
    options = asked.parse_args(args)
    device = "cuda" if torch.cuda.is_available() and options.device != "cpu" else "cpu"
    rows = options.rows or (100_000 if device == "cuda" else 10_000)
    epochs = options.epochs or (20 if device == "cuda" else 2)
    measured = step(rows, epochs, options.dimension, device)
    speed, share = measured["windows_a_second"], measured["product_share"]
    loader_s, times = measured["loader_seconds"], measured["loader_ratio"]
    lines = [
        f"{measured['device']}, torch {torch.__version__}: {rows} windows of {options.dimension} x {epochs} epochs",
        f"step       {measured['seconds']:.2f} s, {speed:,.0f} windows/s",
        f"loader     the same by DataLoader and torch.optim: {loader_s:.2f} s, {times:.1f} times as long",
        f"products   its matrix products alone: {measured['product_seconds']:.2f} s, {share:.0%} of the step",
    ]
    if not options.no_fit:
        measured["fit"] = whole(options.labels, options.dimension, device)
        took, cpu_s = measured["fit"]["seconds"], measured["fit"]["cpu_seconds"]
        what = f"{options.labels} labels of {FILMS} films to a gated challenger"
        lines.append(
            f"fit        {what}: {took:.1f} s, {cpu_s:.1f} s of {os.cpu_count()} processors (limit {LIMIT_S:g} s)"
        )
    return {**measured, "lines": lines}


def step(rows: int, epochs: int, dimension: int, device: str) -> dict[str, Any]:
    """The training loop on data that lies on the device, beside two others in the same run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as a training does
    torch.manual_seed(0)
    schema = FeatureSchema("random", 1, (Block("random", dimension, "random"),))
    features, targets = torch.randn(rows, dimension), (torch.rand(rows) < 0.4).float()
    material = Material(features.to(device), targets.to(device), torch.ones(rows, device=device), schema)
    none, every = np.zeros(0, np.int64), np.arange(rows)

    def ours(count: int) -> None:
        course = Course(count, batch_size(rows), 0, threading.Event())
        fit_network(material, every, none, SETTINGS[0], course)

    ours(1)  # kernels are chosen and caches filled by the first
    seconds = timed(lambda: ours(epochs), device) - timed(lambda: ours(0), device)
    slow = min(SLOW_EPOCHS, epochs)
    loader_s = timed(lambda: by_loader(features, targets, slow, device), device) * epochs / slow
    product_s = timed(lambda: products(material.features, slow), device) * epochs / slow
    torch.set_num_threads(before)
    return {
        "device": torch.cuda.get_device_name() if device == "cuda" else "CPU, one thread",
        "rows": rows,
        "epochs": epochs,
        "dimension": dimension,
        "batch": batch_size(rows),
        "seconds": seconds,
        "windows_a_second": rows * epochs / seconds,
        "loader_seconds": loader_s,
        "loader_ratio": loader_s / seconds,
        "product_seconds": product_s,
        "product_share": product_s / seconds,
    }


def timed(call: Any, device: str) -> float:
    """Seconds of a call, until the device has done it."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def by_loader(features: torch.Tensor, targets: torch.Tensor, epochs: int, device: str) -> None:
    """The usual loop: a DataLoader in the host's memory, batches carried over, torch's optimizer."""
    network = build(features.shape[1]).to(device).train()
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)
    pairs = torch.utils.data.TensorDataset(features, targets.long())
    for _ in range(epochs):
        for rows, wanted in torch.utils.data.DataLoader(pairs, batch_size(len(features)), shuffle=True, drop_last=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(rows.to(device)), wanted.to(device)).backward()
            optimizer.step()


def products(features: torch.Tensor, epochs: int) -> None:
    """The matrix products of forward and backward passes, and nothing else: no loop can be quicker."""
    batch = batch_size(len(features))
    device = features.device
    first = torch.randn(features.shape[1], HIDDEN[0], device=device)
    second = torch.randn(*HIDDEN, device=device)
    for _ in range(epochs):
        for at in range(0, len(features) - batch + 1, batch):
            rows = features[at : at + batch]
            one = rows @ first
            two = one @ second
            back = two @ second.T
            _ = one.T @ two, rows.T @ back


def whole(labels: int, dimension: int, device: str) -> dict[str, float]:
    """Seconds from a snapshot of random numbers to a challenger with its card, in a process of its own."""
    rng = np.random.default_rng(0)
    schema = FeatureSchema("random", 1, (Block("random", dimension, "random"),))
    features = rng.standard_normal((labels, dimension), np.float32)
    wanted = features @ rng.standard_normal(dimension) / np.sqrt(dimension) + rng.logistic(size=labels) > 0
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(
            Path(folder),
            make_snapshot(
                schema,
                [f"w{row}" for row in range(labels)],
                [f"film {row % FILMS}" for row in range(labels)],
                features,
                labels=wanted.astype(np.int8),
                strategies=np.where(rng.random(labels) < 0.2, "random", "top-score"),
            ),
        )
        command = [sys.executable, "-m", "trainer", "fit", str(snapshot), f"{folder}/out", "--device", device]
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_s, "limit_s": LIMIT_S}
