"""How learning went: losses epoch by epoch, and the figure when fewer films are learnt from."""

from functools import partial
from typing import Any

import numpy as np

from trainer import figures
from trainer.choosing import LINEAR, NETWORK, Unseen
from trainer.evaluate import RANGES, figure
from trainer.folds import Fold, Work, learnt_from_fewer, side_by_side
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


def learning_curve(
    work: Work, folds: tuple[Fold, ...], judged: Unseen, kind: str, challenger: Floats, threshold: float
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


def _point(work: Work, rows: Rows, threshold: float, labels: int, scores: Floats, kind: str) -> dict[str, Any]:
    _, films = np.unique(work.split.films[rows], return_inverse=True)
    judged = figures.Judged(
        work.material.targets.cpu().numpy().astype(np.float64)[rows], films.astype(np.int64), threshold
    )
    draws = figures.draws_of(judged.count, 300, work.seed)
    found = figure(figures.auc(judged, scores[rows], draws), RANGES["auc"], len(rows), judged.count)
    line = {"labels": labels, "kind": kind}
    if found is None:
        return line
    known = found.to_json()
    return {**line, "auc": known["value"], "low": known["low"], "high": known["high"]}
