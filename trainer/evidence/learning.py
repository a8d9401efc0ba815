"""How learning went: losses epoch by epoch, and the figure when fewer films are learnt from."""

from functools import partial
from typing import Any

import numpy as np

from trainer.evaluate import RANGES, figure
from trainer.evidence import figures
from trainer.evidence.choosing import LINEAR, Unseen
from trainer.learners.folds import Fold, Work, learnt_from_fewer, side_by_side
from trainer.snapshot import Floats
from trainer.train import Rows


def epochs_curve(folds: tuple[Fold, ...], setting: str) -> list[dict[str, float]]:
    """Mean losses over the folds, epoch by epoch, as far as every fold went."""
    curves = [fold.tries[setting].curve for fold in folds if setting in fold.tries]
    found = []
    for epoch, steps in enumerate(zip(*curves, strict=False), start=1):
        seen = [step[1] for step in steps if step[1] is not None]
        line = {"epoch": epoch, "train_loss": round(float(np.mean([step[0] for step in steps])), 6)}
        found.append({**line, "validation_loss": round(float(np.mean(seen)), 6)} if seen else line)
    return found


def learning_curve(work: Work, folds: tuple[Fold, ...], unseen: Unseen, threshold: float) -> list[dict[str, Any]]:
    """AUC on unseen films when fewer films are learnt from: a quarter, a half, all; of the linear model."""
    films = len(np.unique(work.split.films[work.split.train]))
    points = []
    for share in (0.25, 0.5) if films >= 8 else (0.5,) if films >= 4 else ():
        calls = [partial(learnt_from_fewer, work, fold, share) for fold in folds]
        done = side_by_side(calls, work.material.device.type)
        margins = np.full(len(work.split.films), np.nan)
        for fold, (_, seen) in zip(folds, done, strict=True):
            margins[fold.rows] = seen
        points.append((round(float(np.mean([count for count, _ in done]))), margins))
    points.append((round(float(np.mean([len(fold.train) for fold in folds]))), unseen.margins[LINEAR]))
    return [_point(work, unseen.rows, threshold, *point) for point in points]


def _point(work: Work, rows: Rows, threshold: float, labels: int, scores: Floats) -> dict[str, Any]:
    _, films = np.unique(work.split.films[rows], return_inverse=True)
    targets = work.material.targets.cpu().numpy().astype(np.float64)
    judged = figures.Judged(targets[rows], films.astype(np.int64), threshold)
    draws = figures.draws_of(judged.count, 300, work.seed)
    found = figure(figures.auc(judged, scores[rows], draws), RANGES["auc"], len(rows), judged.count)
    line = {"labels": labels, "kind": LINEAR}
    if found is None:
        return line
    known = found.to_json()
    return {**line, "auc": known["value"], "low": known["low"], "high": known["high"]}
