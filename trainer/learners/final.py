"""Models of all films that may be learnt from, made as the folds found best."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.evidence.choosing import LINEAR, NETWORK
from trainer.learners.baselines import boosting
from trainer.learners.folds import Fold, Work, side_by_side
from trainer.learners.linear import MIDDLE, STRENGTHS, fit_line
from trainer.snapshot import Floats
from trainer.train import SETTINGS, Rows, Setting, Tensors, fit_network


class Final:
    """Models of all films that may be learnt from, made as the folds found best."""

    def __init__(self, work: Work, folds: tuple[Fold, ...], targets: Floats) -> None:
        self._work, self._targets = work, targets
        losses = [fold.strengths for fold in folds if fold.strengths]
        self.strength = min(STRENGTHS, key=lambda s: float(np.mean([of[s] for of in losses]))) if losses else MIDDLE
        tries = [
            fold.tries
            for fold in folds
            if fold.tries and all(np.isfinite(one.validation_loss) for one in fold.tries.values())
        ]
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
            -1,
            self.epochs,
            len(rows),
            lambda epoch, epochs, loss: self._work.tell(0, 0.6 * epoch / epochs, epoch, epochs, loss),
        )
        return fit_network(self._work.material, rows, rows[:0], self.setting, course).tensors

    def boosting(self, features: NDArray[np.float32], weights: NDArray[np.float32], held: Rows) -> Floats:
        """What boosting of all training films says of the held rows."""
        return boosting(
            features, self._targets.astype(np.float32), weights, self._work.split.train, held, self._work.seed
        )

    def settings(self, kind: str) -> dict[str, Any]:
        """The settings of the proposed kind, and those of the other where it was tried."""
        other = NETWORK if kind == LINEAR else LINEAR
        tried = other == LINEAR or bool(self.losses)
        return {**self._settings(kind), "other": self._settings(other) if tried else None}

    def _settings(self, kind: str) -> dict[str, Any]:
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
