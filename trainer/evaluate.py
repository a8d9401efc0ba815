"""Contenders side by side on films that none has seen: figures with intervals by resampling films."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evidence import figures
from trainer.evidence.figures import Floats, Judged, Rows

TIMES = 1000
FEWER_TIMES = 300
MANY_ROWS = 30_000
MOMENTS_TOP = 10

STUDENT = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131),
    *(2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
"""97.5 % points of Student's t with 1 to 30 degrees of freedom."""

RANGES = {"auc": (0.0, 1.0), "ap": (0.0, 1.0), "ndcg5": (0.0, 1.0), "recall": (0.0, 1.0), "brier": (0.0, 1.0)}
RANGES["ece"] = (0.0, 1.0)


@dataclass(frozen=True)
class Figure:
    """A value with its 95 % interval, over n windows of so many films."""

    value: float
    low: float
    high: float
    n: int
    films: int

    def to_json(self) -> dict[str, float | int]:
        """Plain values, rounded to a millionth."""
        return {
            "value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6),
            "n": self.n, "films": self.films,
        }  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """Windows among which reference moments are looked for: `rows` of the scores, their film, and which are moments.

    Windows that overlap a moment by half count as finding it: `start_s`, `end_s`.
    """

    rows: Rows
    films: Rows
    is_moment: NDArray[np.bool_]
    start_s: Floats
    end_s: Floats


def figure(resampled: Floats, limits: tuple[float, float], n: int, films: int) -> Figure | None:
    """The first value and the interval of the others, None without a first.

    The interval is that of the bootstrap, widened as Student's t is against the normal law: resampling few films
    shows too little of what other films would say. One film says nothing about others.
    """
    value = float(resampled[0])
    if not np.isfinite(value):
        return None
    low, high = limits
    if films >= 2:
        wider = float(STUDENT[films - 2] if films - 2 < len(STUDENT) else 1.96) / 1.96 * np.sqrt(films / (films - 1))
        below, above = np.nanquantile(resampled[1:], (0.025, 0.975))
        low = float(max(low, value - wider * max(value - below, 0.0)))
        high = float(min(high, value + wider * max(above - value, 0.0)))
    return Figure(value, low, high, n, films)


class Comparison:
    """Contenders' probabilities [n] of the same judged windows, and how their figures vary when films are resampled."""

    def __init__(self, judged: Judged, chances: Mapping[str, Floats], base_rate: float, seed: int) -> None:
        self.judged = judged
        self.chances = dict(chances)
        self.base_rate = base_rate
        self.draws = figures.draws_of(judged.count, TIMES if len(judged.targets) <= MANY_ROWS else FEWER_TIMES, seed)
        self._values: dict[tuple[str, str], Floats] = {}

    def values(self, name: str, metric: str) -> Floats:
        """A contender's figure in each draw, [B]; the first is that of the films as they are."""
        if (name, metric) not in self._values:
            if metric in ("auc", "ap") and name != "chance":
                area, precision = figures.ranked(self.judged, self.chances[name], self.draws)
                self._values[name, "auc"], self._values[name, "ap"] = area, precision
            else:
                self._values[name, metric] = self._count(name, metric)
        return self._values[name, metric]

    def _count(self, name: str, metric: str) -> Floats:
        judged, draws = self.judged, self.draws
        # Chance says nothing of a window: every place is as likely, the probability is the share in training.
        chances = np.full(len(judged.targets), self.base_rate) if name == "chance" else self.chances[name]
        match metric:
            case "auc":
                return figures.auc(judged, chances, draws)
            case "ap":
                return figures.average_precision(judged, chances, draws)
            case "ndcg5":
                return figures.mean_of_films(figures.ndcg_by_film(judged, chances), draws)
            case "brier":
                return figures.brier(judged, chances, draws)
            case _:
                return figures.calibration_error(judged, chances, draws)

    def figure(self, name: str, metric: str) -> Figure | None:
        """One figure of one contender."""
        return figure(self.values(name, metric), RANGES[metric], len(self.judged.targets), self.judged.count)

    def difference(self, name: str, other: str, metric: str = "auc") -> Figure | None:
        """`name` minus `other`, paired: both on the same films in every draw."""
        apart = self.values(name, metric) - self.values(other, metric)
        return figure(apart, (-1.0, 1.0), len(self.judged.targets), self.judged.count)

    def table(self) -> dict[str, dict[str, dict[str, float | int]]]:
        """Every figure of every contender, as plain values."""
        found: dict[str, dict[str, dict[str, float | int]]] = {}
        for name in (*self.chances, "chance"):
            # What is no probability is not judged as one.
            metrics = ("auc", "ap", "ndcg5") if name == "prior" else ("auc", "ap", "ndcg5", "brier", "ece")
            known = {metric: self.figure(name, metric) for metric in metrics}
            found[name] = {metric: one.to_json() for metric, one in known.items() if one}
        return found


def recalled(moments: Moments, scores: Floats, top: int = MOMENTS_TOP) -> Floats:
    """Of each film's reference moments the share that its best ten windows show, [films]; nan where that says nothing.

    A film with no more than ten windows says nothing: all are among its best.
    """
    found = np.full(int(moments.films.max()) + 1 if len(moments.films) else 0, np.nan)
    for film in range(len(found)):
        rows = np.flatnonzero(moments.films == film)
        wanted = rows[moments.is_moment[rows]]
        if not len(wanted) or len(rows) <= top:
            continue
        best = rows[np.argsort(-scores[rows], kind="stable")[:top]]
        shared = np.minimum(moments.end_s[wanted, None], moments.end_s[best]) - np.maximum(
            moments.start_s[wanted, None], moments.start_s[best]
        )
        length = moments.end_s[wanted] - moments.start_s[wanted]
        shown = (shared >= 0.5 * length[:, None]) & (length[:, None] > 0) | (wanted[:, None] == best)
        found[film] = float(np.mean(shown.any(axis=1)))
    return found


def recall_table(moments: Moments, scores: Mapping[str, Floats], seed: int) -> dict[str, dict[str, Any]]:
    """Recall of reference moments by contender, as plain values; chance is the mean of twenty shuffles."""
    found: dict[str, dict[str, Any]] = {}
    rng = np.random.default_rng([seed, 6])
    by_name = {name: recalled(moments, values) for name, values in scores.items()}
    by_name["chance"] = np.mean([recalled(moments, rng.random(len(moments.films))) for _ in range(20)], axis=0)
    for name, by_film in by_name.items():
        there = np.isfinite(by_film)
        if there.any():
            draws = figures.draws_of(int(there.sum()), TIMES, seed)
            counted = int(np.sum(moments.is_moment & there[moments.films]))
            known = figure(figures.mean_of_films(by_film[there], draws), RANGES["recall"], counted, int(there.sum()))
            if known:
                found[name] = {"recall": known.to_json()}
    return found
