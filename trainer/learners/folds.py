"""Every film judged by models that have not seen it: the same folds for all contenders, side by side on a few threads.

Each task computes with one thread, so that sums, and with them every figure, are the same however many run at once.
"""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.learners.baselines import boosting, boosting_is_here
from trainer.learners.linear import MIDDLE, fit_line, try_strengths
from trainer.learners.network import Material
from trainer.learners.split import Split, validation_films
from trainer.train import SETTINGS, Course, Fitted, Rows, Setting, Tensors, batch_size, fit_network, network_margins

Floats = NDArray[np.float64]
T = TypeVar("T")

SPEED, STEP_S = 5.5e10, 0.002
"""Floating-point operations a second of one core, and what a step of training costs besides, roughly: plans are made
by these, so that a large snapshot ends too.
"""

TRIES_S, LEAST_TRIES_S, ROWS_A_SECOND = 35.0, 12.0, 100
MOST_EPOCHS = 40
GPU_TIMES = 50.0
SLOWEST_S = 0.1
"""Where an epoch of the large network costs less, it is tried with a second learning rate."""


@dataclass(frozen=True)
class Plan:
    """How much is tried. It depends on the size of the task and the kind of device, never on a clock."""

    folds: int
    epochs: int
    settings: tuple[Setting, ...]


def make_plan(rows: int, dimension: int, device: str) -> Plan:
    """The plan for so many labelled rows of this length."""
    folds = 5 if rows <= 6000 else 4 if rows <= 30_000 else 3
    speed = SPEED * (GPU_TIMES if device == "cuda" else 1)
    steps = rows * (1 - 1 / folds) / batch_size(rows)
    epoch_s = steps * STEP_S + rows * (4.0 * dimension * 512 + 6.0 * 512 * 256) / speed
    cheap = epoch_s <= SLOWEST_S
    settings = SETTINGS if cheap else SETTINGS[:2] if epoch_s < 5 else SETTINGS[:1]
    allowed_s = float(np.clip(rows / ROWS_A_SECOND, LEAST_TRIES_S, TRIES_S))
    epochs = int(np.clip(allowed_s / (folds * len(settings) * epoch_s), 4, MOST_EPOCHS))
    return Plan(folds, epochs, settings)


@dataclass(frozen=True)
class Work:
    """A task: material and split, which rows to judge, and how to tell how far it is.

    asked  rows of films that may be learnt from whose probability is wanted, labelled or not
    """

    material: Material
    split: Split
    plan: Plan
    asked: Rows
    seed: int
    networks: bool
    stop: threading.Event
    tell: Callable[[int, float, int, int, float], None]

    def course(self, fold: int, epochs: int, rows: int, tell: Callable[[int, int, float], None]) -> Course:
        """How a network of this fold is trained (−1: of all films)."""
        seed = int(np.random.SeedSequence([self.seed, fold + 1]).generate_state(1)[0])
        return Course(epochs, batch_size(rows), seed, self.stop, tell)


@dataclass(frozen=True)
class Fold:
    """What one fold gave: margins (network, linear) or chances (boosting) of its `rows`, and what was chosen by it."""

    number: int
    rows: Rows
    train: Rows
    linear: Floats
    network: Floats | None
    boosting: Floats | None
    strengths: dict[float, float]
    strength: float
    tries: dict[str, Fitted]
    setting: Setting


def run_fold(work: Work, number: int) -> Fold:
    """Learn from all other folds, judge this one."""
    torch.set_num_threads(1)
    material, split = work.material, work.split
    train = split.train[split.folds[split.train] != number]
    rows = work.asked[split.folds[work.asked] == number]
    targets = material.targets.cpu().numpy()
    kept = validation_films(split.films[train], targets[train], work.seed + number)
    inner, watched = train[~kept], train[kept]
    strengths = try_strengths(material, inner, watched, work.stop)
    strength = min(strengths, key=lambda s: strengths[s]) if strengths else MIDDLE
    asked = material.features[torch.as_tensor(rows, device=material.device)]
    line = fit_line(material, train, strength, work.stop)
    linear = network_margins(line.tensors(), asked)
    work.tell(number, 0.1, 0, 0, 0.0)
    tries, setting, network = (
        _networks(work, number, inner, watched, train) if work.networks else ({}, SETTINGS[0], None)
    )
    boosted = None
    if work.networks and boosting_is_here():
        boosted = boosting(_features(material), targets, material.weights.cpu().numpy(), train, rows, work.seed)
    work.tell(number, 1.0, 0, 0, 0.0)
    found = None if network is None else network_margins(network, asked)
    return Fold(number, rows, train, linear, found, boosted, strengths, strength, tries, setting)


def _features(material: Material) -> NDArray[np.float32]:
    return np.asarray(material.features.cpu().numpy(), np.float32)


def _networks(
    work: Work, number: int, inner: Rows, watched: Rows, train: Rows
) -> tuple[dict[str, Fitted], Setting, Tensors]:
    """Every setting on the inner films; the best one again on all films of the fold, for as long as was best."""
    settings = work.plan.settings if len(watched) else SETTINGS[:1]
    share = 0.75 / (len(settings) + 0.5)

    def tell(place: int) -> Callable[[int, int, float], None]:
        return lambda epoch, epochs, loss: work.tell(
            number, 0.1 + share * (place + epoch / epochs * (0.5 if place == len(settings) else 1)), epoch, epochs, loss
        )

    tries = {}
    for place, setting in enumerate(settings):
        course = work.course(number, work.plan.epochs, len(inner), tell(place))
        tries[setting.name] = fit_network(work.material, inner, watched, setting, course)
    setting = min(settings, key=lambda one: tries[one.name].validation_loss)
    if not len(watched):
        return tries, setting, tries[setting.name].tensors
    course = work.course(number, tries[setting.name].epochs, len(train), tell(len(settings)))
    return tries, setting, fit_network(work.material, train, train[:0], setting, course).tensors


def side_by_side(calls: Iterable[Callable[[], T]], device: str) -> list[T]:
    """What each call gives, in their order; on as many threads as there are cores, on a GPU one after the other."""
    listed = list(calls)
    threads = 1 if device == "cuda" else min(len(listed), _cores(), 8)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(max_workers=max(threads, 1)) as pool:
            waiting = [pool.submit(call) for call in listed]
            return [one.result() for one in waiting]
    finally:
        torch.set_num_threads(before)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fewer_films(work: Work, fold: Fold, share: float) -> Rows:
    """The training rows of about this share of a fold's films, by lot: smaller shares are parts of larger ones."""
    films = work.split.films[fold.train]
    order = np.random.default_rng([work.seed, fold.number, 3]).permutation(np.unique(films))
    return fold.train[np.isin(films, order[: max(2, round(share * len(order)))])]


def learnt_from_fewer(work: Work, fold: Fold, share: float) -> tuple[int, Floats]:
    """How many labels those films have, and the linear model's margins of the fold's rows when it has only them."""
    torch.set_num_threads(1)
    train = fewer_films(work, fold, share)
    asked = work.material.features[torch.as_tensor(fold.rows, device=work.material.device)]
    return len(train), network_margins(fit_line(work.material, train, fold.strength, work.stop).tensors(), asked)
