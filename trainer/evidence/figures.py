"""Figures of quality under resampled films: each function takes how often each film was drawn and gives one a draw.

`draws` is int [B, F]; its first row is all ones, so the first figure is the one of the films as they are. A draw
without an answer of either kind has no figure: nan.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

TOP = 5
BINS = 10
CELLS = 4_000_000
"""Numbers in memory at a time."""


@dataclass(frozen=True)
class Judged:
    """n windows that were judged: what was said (0 to 1; 1 approved), and its film.

    targets  float64 [n]; `films` int64 [n], numbers from 0 to F − 1, every one of them used
    """

    targets: Floats
    films: Rows
    threshold: float = 0.5

    @property
    def count(self) -> int:
        """How many films there are."""
        return int(self.films.max()) + 1 if len(self.films) else 0

    @property
    def approved(self) -> NDArray[np.bool_]:
        """Targets as yes or no: above the threshold."""
        return self.targets > self.threshold


def draws_of(films: int, times: int, seed: int) -> NDArray[np.int64]:
    """How often each of F films is in each of B resamples, int64 [1 + B, F]; the first is the films themselves."""
    rng = np.random.default_rng([seed, 5])
    drawn = rng.multinomial(films, np.full(films, 1 / films), size=times) if films else np.zeros((times, 0), np.int64)
    return np.concatenate([np.ones((1, films), np.int64), drawn])


def auc(judged: Judged, scores: Floats, draws: Rows) -> Floats:
    """Area under the ROC curve: how often an approved window is above a rejected one; equals count half. [B]"""
    return ranked(judged, scores, draws)[0]


def average_precision(judged: Judged, scores: Floats, draws: Rows) -> Floats:
    """Average precision: the mean share of approved windows down to each approved one. [B]"""
    return ranked(judged, scores, draws)[1]


def ranked(judged: Judged, scores: Floats, draws: Rows) -> tuple[Floats, Floats]:
    """AUC and average precision of each draw: sorted once, then only the weights of films change."""
    order = np.argsort(-scores, kind="stable")
    films, approved = judged.films[order], judged.approved[order]
    # Equal scores are one step of the curve.
    ends = np.append(np.flatnonzero(np.diff(scores[order]) != 0), len(order) - 1)
    found = np.full((2, len(draws)), np.nan)
    if not len(order):
        return found[0], found[1]
    step = max(1, CELLS // len(order))
    for at in range(0, len(draws), step):
        weights = draws[at : at + step][:, films].astype(np.float64)
        yes = np.cumsum(weights * approved, axis=1)[:, ends]
        every = np.cumsum(weights, axis=1)[:, ends]
        no = every - yes
        gained, passed = np.diff(yes, axis=1, prepend=0), np.diff(no, axis=1, prepend=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            above = np.sum(passed * (yes - gained / 2), axis=1)
            found[0, at : at + step] = above / (yes[:, -1] * no[:, -1])
            precision = np.where(every > 0, yes / np.maximum(every, 1e-12), 0.0)
            found[1, at : at + step] = np.sum(gained * precision, axis=1) / yes[:, -1]
    return found[0], found[1]


def ndcg_by_film(judged: Judged, scores: Floats, top: int = TOP) -> Floats:
    """nDCG@5 of each film among its judged windows, [F]; nan where nothing was approved. Equal scores share places."""
    found = np.full(judged.count, np.nan)
    for film in range(judged.count):
        rows = judged.films == film
        gains, ranked = judged.targets[rows], scores[rows]
        if not np.any(gains > judged.threshold):
            continue
        best = float(np.sort(gains)[::-1][:top] @ _discounts(len(gains), top))
        found[film] = float(_expected_gains(gains, ranked)[:top] @ _discounts(len(gains), top)) / best
    return found


def _expected_gains(gains: Floats, scores: Floats) -> Floats:
    """The gain at each place of the ranking; windows with equal scores have the mean of theirs."""
    order = np.argsort(-scores, kind="stable")
    _, group = np.unique(-scores[order], return_inverse=True)
    means = np.bincount(group, gains[order]) / np.bincount(group)
    return np.asarray(means[group], np.float64)


def _discounts(count: int, top: int) -> Floats:
    return np.asarray(1 / np.log2(np.arange(2, min(count, top) + 2)), np.float64)


def mean_of_films(by_film: Floats, draws: Rows) -> Floats:
    """Mean over the films that have a figure, [B]."""
    there = np.isfinite(by_film)
    weights = draws[:, there]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(weights @ by_film[there] / weights.sum(axis=1), np.float64)


def brier(judged: Judged, chances: Floats, draws: Rows) -> Floats:
    """Mean squared distance of the probability from what was said. [B]"""
    return per_row((chances - judged.targets) ** 2, judged, draws)


def per_row(values: Floats, judged: Judged, draws: Rows) -> Floats:
    """Mean of a value a row, float64 [n], when films are drawn so often, [B]."""
    sums = np.bincount(judged.films, values, judged.count)
    counts = np.bincount(judged.films, minlength=judged.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(draws @ sums / (draws @ counts), np.float64)


def bins_of(chances: Floats, bins: int = BINS) -> Rows:
    """Which of ten bins with (nearly) as many windows each a probability falls into, [n]."""
    edges = np.unique(np.quantile(chances, np.linspace(0, 1, bins + 1)[1:-1])) if len(chances) else np.zeros(0)
    return np.searchsorted(edges, chances, side="right").astype(np.int64)


def calibration_error(judged: Judged, chances: Floats, draws: Rows) -> Floats:
    """Expected calibration error: mean distance between probability and share of approvals over ten bins. [B]"""
    bins = bins_of(chances)
    apart = np.zeros(len(draws))
    for number in range(int(bins.max()) + 1 if len(bins) else 0):
        inside = bins == number
        sums = np.bincount(judged.films[inside], (chances - judged.targets)[inside], judged.count)
        apart += np.abs(draws @ sums)
    counts = draws @ np.bincount(judged.films, minlength=judged.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(apart / counts, np.float64)


def calibration_by_luck(chances: Floats) -> float:
    """The calibration error that perfectly calibrated probabilities would show on so many windows, on average."""
    bins = bins_of(chances)
    counts = np.bincount(bins)
    spread = np.bincount(bins, chances * (1 - chances))
    return float(np.sum(np.sqrt(2 * spread / np.pi)) / max(counts.sum(), 1))


def reliability(judged: Judged, chances: Floats) -> list[dict[str, float | int]]:
    """What a reliability plot shows: of each bin its limits, mean probability, share approved, and windows."""
    bins = bins_of(chances)
    found = []
    for number in np.unique(bins):
        inside = bins == number
        found.append(
            {
                "low": float(chances[inside].min()),
                "high": float(chances[inside].max()),
                "mean": float(chances[inside].mean()),
                "share": float(judged.targets[inside].mean()),
                "n": int(inside.sum()),
            }
        )
    return found
