"""From a snapshot to a proposed model with everything that is known of it: folds, final models, figures, gate."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.errors import InputError
from backend.scoring.standard import logistic
from trainer import figures
from trainer.baselines import boosting, boosting_is_here
from trainer.calibrate import chances_across_folds, temperature
from trainer.folds import Fold, Work, learnt_from_fewer, make_plan, run_fold, side_by_side
from trainer.linear import MIDDLE, STRENGTHS, fit_line
from trainer.network import Material, filled
from trainer.progress import Progress
from trainer.snapshot import UNLABELLED, Floats, Snapshot
from trainer.split import Split, make_split, training_weights
from trainer.train import SETTINGS, Rows, Setting, Tensors, fit_network, network_margins

BETTER, NETWORK, LINEAR = "better", "mlp", "linear"
PROPOSALS = (BETTER, NETWORK, LINEAR)
VIRAL, COMPELLING = "viral", "compelling"


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


def slot_rows(snapshot: Snapshot, slot: str) -> tuple[Snapshot, NDArray[np.bool_], Floats, float]:
    """The snapshot's rows of a slot, which of them are labelled, what was said [N], and above what it is approval.

    Raises InputError for an unknown slot and for one without any labels.
    """
    place, _, genre = slot.partition("/")
    if place not in (COMPELLING, VIRAL) or (place == VIRAL and genre) or slot.endswith("/"):
        raise InputError(f"Unknown slot {slot!r}; known: compelling, compelling/GENRE, viral.")
    if genre:
        wanted = _plain(genre)
        inside = np.array([wanted in map(_plain, names) for names in snapshot.genres], bool)
        if not inside.any():
            raise InputError(f"No window of this snapshot has the genre {genre!r}.")
        snapshot = snapshot.take(inside)
    targets = snapshot.viral if place == VIRAL else np.where(snapshot.labels == UNLABELLED, np.nan, snapshot.labels)
    seen = np.isfinite(snapshot.features).any(axis=1)
    labelled = np.isfinite(targets) & seen & (snapshot.weights > 0 if place == COMPELLING else True)
    if not labelled.any():
        what = "engagement" if place == VIRAL else "a label"
        raise InputError(f"No window of this snapshot has both {what} and features; there is nothing to learn from.")
    threshold = 0.5
    if place == VIRAL:
        # What is much is relative: half of the clips are above it, whatever the scale.
        threshold = float(np.median(targets[labelled]))
    yes = targets[labelled] > threshold
    if yes.all() or not yes.any():
        word = "approve" if yes.all() else "reject"
        said = f"All {len(yes)} labels {word}" if place == COMPELLING else f"All {len(yes)} clips are engaged with alike"
        raise InputError(f"{said}; to tell windows apart, labels of both kinds are needed.")
    return snapshot, labelled, np.nan_to_num(targets), threshold


def _plain(name: str) -> str:
    return "-".join(name.lower().split())


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
    material = Material(
        torch.from_numpy(np.ascontiguousarray(features)).to(device),
        torch.from_numpy(targets.astype(np.float32)).to(device),
        torch.from_numpy(weights).to(device),
        snapshot.schema,
    )
    progress.stage("fold", split.count)
    work = Work(
        material, split, plan, _asked_rows(snapshot, labelled, split), asked.seed, not viral, stop, progress.part
    )
    folds = tuple(side_by_side([partial(run_fold, work, number) for number in range(split.count)], device))
    judged = _Judged(work, folds, targets, weights.astype(np.float64))
    kind = LINEAR if viral else judged.better if asked.propose == BETTER else asked.propose
    progress.stage("fit")
    final = _Final(work, folds, targets)
    held = _held_rows(snapshot, labelled, split)
    tensors, ends = final.models(kind, both=bool(len(held)) and not viral)
    progress.part(0, 0.6)
    chances = judged.chances(kind, choose=asked.propose == BETTER and not viral)
    temperatures = {name: judged.temperature(name) for name in ends}
    for name, found in ends.items():
        seen = network_margins(found, material.features[torch.as_tensor(held, device=material.device)])
        chances[name][held] = logistic(seen / temperatures[name])
    chances["challenger"][held] = chances[kind][held]
    if "boosting" in chances and len(held):
        chances["boosting"][held] = final.boosting(features, weights, held)
    if np.isfinite(snapshot.prior[labelled]).all():
        chances["prior"] = snapshot.prior.copy()
    learning = _learning(work, folds, judged, kind, chances["challenger"], threshold)
    return Trained(
        snapshot, labelled, targets, threshold,
        float(np.average(targets[split.train] > threshold if not viral else targets[split.train],
                         weights=weights[split.train])),
        split, folds, kind, tensors, temperatures[kind], final.settings(kind), chances,
        _curve(folds, final.setting.name), learning, device, incomplete,
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


class _Judged:
    """What the folds said of rows whose films they had not seen."""

    def __init__(self, work: Work, folds: tuple[Fold, ...], targets: Floats, weights: Floats) -> None:
        self._work, self._folds, self._targets, self._weights = work, folds, targets, weights
        self.rows = work.split.train
        self.margins = {LINEAR: self._whole(lambda fold: fold.linear)}
        if work.networks:
            self.margins[NETWORK] = self._whole(lambda fold: fold.network)

    def _whole(self, of: Callable[[Fold], Floats | None]) -> Floats:
        found = np.full(len(self._targets), np.nan)
        for fold in self._folds:
            values = of(fold)
            if values is not None:
                found[fold.rows] = values
        return found

    def temperature(self, name: str) -> float:
        """From all folds."""
        rows = self.rows
        return temperature(self.margins[name][rows], self._targets[rows], self._weights[rows])

    def loss(self, name: str, rows: Rows) -> float:
        """Cross-entropy on some rows, after the temperature of the other ones of their fold."""
        chances = np.clip(self._chances(name)[rows], 1e-6, 1 - 1e-6)
        targets, weights = self._targets[rows], self._weights[rows]
        losses = -(targets * np.log(chances) + (1 - targets) * np.log(1 - chances))
        return float(np.average(losses, weights=weights)) if len(rows) and weights.sum() > 0 else np.inf

    def _area(self, name: str, rows: Rows) -> float:
        _, films = np.unique(self._work.split.films[rows], return_inverse=True)
        judged = figures.Judged(self._targets[rows], films.astype(np.int64))
        alone = np.ones((1, judged.count), np.int64)
        return float(figures.auc(judged, self._chances(name)[rows], alone)[0])

    def _better(self, rows: Rows) -> str:
        network, linear = self._area(NETWORK, rows), self._area(LINEAR, rows)
        return NETWORK if network > linear else LINEAR

    @property
    def better(self) -> str:
        """The kind with the larger AUC on films that it had not seen; the simpler one where they are equal."""
        return self._better(self.rows)

    def _chances(self, name: str) -> Floats:
        found = np.full(len(self._targets), np.nan)
        asked, rows = self._work.asked, self.rows
        folds = self._work.split.folds
        # Rows without a label have no say in the temperature.
        weights = np.zeros(len(found))
        weights[rows] = self._weights[rows]
        found[asked] = chances_across_folds(
            self.margins[name][asked], self._targets[asked], weights[asked], folds[asked]
        )
        return found

    def chances(self, kind: str, *, choose: bool) -> dict[str, Floats]:
        """Contender → probabilities [N]. With `choose` the challenger of each fold is the kind that was better on the
        other folds: choosing by the very films that are reported would flatter it.
        """
        found = {name: self._chances(name) for name in self.margins}
        challenger = found[kind].copy()
        if choose:
            for fold in self._folds:
                others = self.rows[self._work.split.folds[self.rows] != fold.number]
                challenger[fold.rows] = found[self._better(others)][fold.rows]
        if self._work.networks and boosting_is_here():
            found["boosting"] = self._whole(lambda fold: fold.boosting)
        return {"challenger": challenger, **found}


class _Final:
    """Models of all films that may be learnt from, made as the folds found best."""

    def __init__(self, work: Work, folds: tuple[Fold, ...], targets: Floats) -> None:
        self._work, self._targets = work, targets
        losses = [fold.strengths for fold in folds if fold.strengths]
        self.strength = (
            min(STRENGTHS, key=lambda s: float(np.mean([of[s] for of in losses]))) if losses else MIDDLE
        )
        tries = [fold.tries for fold in folds if all(np.isfinite(one.validation_loss) for one in fold.tries.values())]
        names = [setting for setting in SETTINGS if tries and all(setting.name in of for of in tries)]
        self.losses = {one.name: float(np.mean([of[one.name].validation_loss for of in tries])) for one in names}
        self.setting: Setting = min(names, key=lambda one: self.losses[one.name]) if names else SETTINGS[0]
        epochs = [of[self.setting.name].epochs for of in tries] or [work.plan.epochs]
        self.epochs = max(1, round(float(np.median(epochs))))

    def models(self, kind: str, *, both: bool) -> tuple[Tensors, dict[str, Tensors]]:
        """The tensors of the kind, and those of every kind that was made."""
        kinds = [NETWORK, LINEAR] if both else [kind]
        calls = [self._network if name == NETWORK else self._line for name in kinds]
        found = dict(zip(kinds, side_by_side(calls, self._work.material.device.type), strict=True))
        return found[kind], found

    def _line(self) -> Tensors:
        return fit_line(self._work.material, self._work.split.train, self.strength, self._work.stop).tensors()

    def _network(self) -> Tensors:
        torch.set_num_threads(1)
        rows = self._work.split.train
        course = self._work.course(
            -1, self.epochs, len(rows), lambda epoch, epochs, loss: self._work.tell(0, 0.6 * epoch / epochs, epoch, epochs, loss)
        )
        return fit_network(self._work.material, rows, rows[:0], self.setting, course).tensors

    def boosting(self, features: NDArray[np.float32], weights: NDArray[np.float32], held: Rows) -> Floats:
        """What boosting of all training films says of the held rows."""
        return boosting(
            features, self._targets.astype(np.float32), weights, self._work.split.train, held, self._work.seed
        )

    def settings(self, kind: str) -> dict[str, Any]:
        """The settings of a kind, what others gave, and why it is not the default where it is not."""
        if kind == LINEAR:
            why = "the penalty with the least loss on films kept aside in each fold"
            return {"kind": LINEAR, "strength": self.strength, "why": why, "optimizer": "L-BFGS"}
        tried = {name: round(loss, 6) for name, loss in self.losses.items()}
        why = self.setting.why
        if self.setting.name != SETTINGS[0].name:
            why = (
                f"{why}: loss {tried[self.setting.name]:.4f} on films kept aside in each fold, the documented network "
                f"{tried[SETTINGS[0].name]:.4f}"
            )
        return {"kind": NETWORK, **self.setting.to_json(), "epochs": self.epochs, "why": why, "tried": tried}


def _curve(folds: tuple[Fold, ...], setting: str) -> list[dict[str, float]]:
    """Mean losses over the folds, epoch by epoch, as far as every fold went."""
    curves = [fold.tries[setting].curve for fold in folds if setting in fold.tries]
    found = []
    for epoch, steps in enumerate(zip(*curves, strict=False), start=1):
        seen = [step[1] for step in steps if step[1] is not None]
        line = {"epoch": epoch, "train_loss": round(float(np.mean([step[0] for step in steps])), 6)}
        found.append({**line, "validation_loss": round(float(np.mean(seen)), 6)} if seen else line)
    return found


def _learning(
    work: Work, folds: tuple[Fold, ...], judged: _Judged, kind: str, challenger: Floats, threshold: float
) -> list[dict[str, Any]]:
    """AUC on unseen films when fewer films are learnt from: a quarter, a half, all."""
    network = kind == NETWORK and work.plan.learning_network
    films = len(np.unique(work.split.films[work.split.train]))
    points = []
    for share in (0.25, 0.5) if films >= 8 else (0.5,) if films >= 4 else ():
        calls = [partial(learnt_from_fewer, work, fold, share, network=network) for fold in folds]
        done = side_by_side(calls, work.material.device.type)
        margins = np.full(len(challenger), np.nan)
        for fold, (_, seen) in zip(folds, done, strict=True):
            margins[fold.rows] = seen
        points.append((round(float(np.mean([count for count, _ in done]))), margins, NETWORK if network else LINEAR))
    points.append((round(float(np.mean([len(fold.train) for fold in folds]))), challenger, kind))
    return [_point(work, judged.rows, threshold, *point) for point in points]


def _point(
    work: Work, rows: Rows, threshold: float, labels: int, scores: Floats, kind: str
) -> dict[str, Any]:
    from trainer.evaluate import RANGES, figure

    _, films = np.unique(work.split.films[rows], return_inverse=True)
    judged = figures.Judged(work.material.targets.cpu().numpy().astype(np.float64)[rows], films.astype(np.int64), threshold)
    draws = figures.draws_of(judged.count, 300, work.seed)
    found = figure(figures.auc(judged, scores[rows], draws), RANGES["auc"], len(rows), judged.count)
    line = {"labels": labels, "kind": kind}
    if found is None:
        return line
    known = found.to_json()
    return {**line, "auc": known["value"], "low": known["low"], "high": known["high"]}

