"""From a snapshot to a proposed model with everything that is known of it: folds, final models, figures, gate."""

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.errors import InputError
from backend.scoring.standard import logistic
from trainer.evidence.choosing import LINEAR, Unseen
from trainer.evidence.learning import epochs_curve, learning_curve
from trainer.learners.final import Final
from trainer.learners.folds import Fold, Work, make_plan, run_fold, side_by_side
from trainer.learners.network import Material, filled
from trainer.learners.split import Split, make_split, training_weights
from trainer.material.slots import COMPELLING, VIRAL, slot_rows
from trainer.progress import Progress
from trainer.snapshot import Floats, Snapshot
from trainer.train import Rows, Tensors, network_margins

BETTER = "better"


@dataclass(frozen=True)
class Asked:
    """What is to be made: for which slot, from which seed, on which device, and what is proposed."""

    slot: str = COMPELLING
    seed: int = 0
    device: str = "auto"
    propose: str = BETTER
    version: str = ""


@dataclass(frozen=True)
class Trained:
    """A proposed model and how every contender judged films that it had not seen.

    chances   contender → probabilities [N] of the snapshot's rows, nan where not asked
    epochs    of the final network; `curve`: its losses in the folds, epoch by epoch
    """

    snapshot: Snapshot
    labelled: NDArray[np.bool_]
    targets: Floats
    threshold: float
    base_rate: float
    split: Split
    folds: tuple[Fold, ...]
    kind: str
    tensors: Tensors
    temperature: float
    settings: dict[str, Any]
    chances: dict[str, Floats]
    curve: list[dict[str, float]]
    learning: list[dict[str, Any]]
    device: str
    incomplete_rows: int


def pick_device(name: str) -> str:
    """cpu or cuda; raises InputError where a GPU was asked for and there is none."""
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError("There is no CUDA device that torch can use; ask for --device cpu or auto.")
    return "cuda" if there and name != "cpu" else "cpu"


def train(snapshot: Snapshot, asked: Asked, progress: Progress, stop: threading.Event) -> Trained:
    """Train on a snapshot; raises InputError where it cannot be learnt from, Stopped where `stop` was set."""
    snapshot, labelled, targets, threshold = slot_rows(snapshot, asked.slot)
    device = pick_device(asked.device)
    plan = make_plan(int(labelled.sum()), snapshot.schema.dimension, device)
    split = make_split(snapshot, labelled, asked.seed, plan.folds)
    _require_both_somewhere(split, targets > threshold)
    features, incomplete = filled(snapshot.features)
    viral = asked.slot == VIRAL
    weights = np.ones(len(snapshot), np.float32) if viral else training_weights(snapshot)
    given = (np.ascontiguousarray(features), targets.astype(np.float32), weights)
    on_device = [torch.from_numpy(part).to(device) for part in given]
    material = Material(on_device[0], on_device[1], on_device[2], snapshot.schema)
    progress.stage("fold", split.count)
    unseen = _asked_rows(snapshot, labelled, split)
    work = Work(material, split, plan, unseen, asked.seed, not viral, stop, progress.part)
    folds = tuple(side_by_side([partial(run_fold, work, number) for number in range(split.count)], device))
    judged = Unseen(work, folds, targets, weights.astype(np.float64))
    kind = LINEAR if viral else judged.better if asked.propose == BETTER else asked.propose
    progress.stage("fit")
    final = Final(work, folds, targets)
    held = _held_rows(snapshot, labelled, split)
    tensors, ends = final.models(kind, both=bool(len(held)) and not viral)
    chances = judged.chances(kind, choose=asked.propose == BETTER and not viral)
    temperatures = {name: judged.temperature(name) for name in ends}
    if len(held):
        for name, found in ends.items():
            seen = network_margins(found, material.features[torch.as_tensor(held, device=material.device)])
            chances[name][held] = logistic(seen / temperatures[name])
        chances["challenger"][held] = chances[kind][held]
        if "boosting" in chances:
            chances["boosting"][held] = final.boosting(features, weights, held)
    if np.isfinite(snapshot.prior[labelled]).all():
        chances["prior"] = snapshot.prior.copy()
    base_rate = float(np.average(targets[split.train], weights=weights[split.train]))
    return Trained(
        snapshot, labelled, targets, threshold, base_rate, split, folds, kind, tensors, temperatures[kind],
        final.settings(kind), chances, epochs_curve(folds, final.setting.name),
        learning_curve(work, folds, judged, threshold), device, incomplete,
    )  # fmt: skip


def _require_both_somewhere(split: Split, yes: NDArray[np.bool_]) -> None:
    """Raise InputError unless some fold can learn from both answers."""
    folds = split.folds[split.train]
    if not any(0 < yes[split.train[folds != fold]].sum() < np.sum(folds != fold) for fold in range(split.count)):
        raise InputError(
            "No split by film leaves both answers to learn from: of each film all labels are the same. "
            "Label some windows of these films the other way, or more films."
        )


def _asked_rows(snapshot: Snapshot, labelled: NDArray[np.bool_], split: Split) -> Rows:
    """Rows of films that may be learnt from whose probability is wanted: labelled ones, and all beside a reference."""
    return np.flatnonzero((labelled | _beside_moments(snapshot, split)) & (split.folds >= 0))


def _held_rows(snapshot: Snapshot, labelled: NDArray[np.bool_], split: Split) -> Rows:
    return np.flatnonzero((labelled | _beside_moments(snapshot, split)) & (split.folds < 0))


def _beside_moments(snapshot: Snapshot, split: Split) -> NDArray[np.bool_]:
    moments = (snapshot.sources == "reference") & (snapshot.labels > 0)
    return np.isin(split.films, split.films[moments])
