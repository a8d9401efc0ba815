"""What the folds said of films that they had not seen, as probabilities, and which kind of model was better there."""

from collections.abc import Callable

import numpy as np

from backend.scoring.standard import logistic
from trainer.evidence import figures
from trainer.learners.baselines import boosting_is_here
from trainer.learners.calibrate import temperature
from trainer.learners.folds import Fold, Work
from trainer.snapshot import Floats
from trainer.train import Rows

NETWORK, LINEAR = "mlp", "linear"


class Unseen:
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
        """Probabilities [N], nan where not asked. One temperature for all: one of each fold would shuffle its films."""
        found = np.full(len(self._targets), np.nan)
        asked = self._work.asked
        found[asked] = logistic(self.margins[name][asked] / self.temperature(name))
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
