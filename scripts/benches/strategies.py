"""What each strategy of the queue teaches: labelling simulated on real labelled data, against asking at random.

    scripts/bench strategies [--seeds N] [--data NAME ...] [--strategy NAME ...]

Twenty seeds, each with its own split. A strategy asks ten at a time, the labels are the true ones, a logistic
regression learns after each round, and its AUC on what was held out is a point of the learning curve. Printed is the
mean over the curve, as difference to asking at random under the same seed, with a 95 % interval over seeds (t), and
how many of the pool's positives were found by the end. Data: those that ship with scikit-learn, and whether a shot
starts a scene in scene_boundaries (SELECTS_TEST_DATA), there with whole films held out.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from labeling.strategies import STRATEGIES, Pool

ROOT = Path(__file__).resolve().parents[2]
ASKED = 10
MOST_LABELS = 300
HELD_OUT = 0.4
LAGS = 3


@dataclass(frozen=True)
class Data:
    """Features [N, D], whether positive [N], and the film of each (one and the same where there are none)."""

    features: np.ndarray
    positive: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True)
class Curve:
    """AUC after each round, and the share of the pool's positives that was found."""

    auc: np.ndarray
    found: float


def run(args: list[str]) -> dict[str, Any]:
    """Every strategy on every data set, with `lines` to print."""
    asked = argparse.ArgumentParser(prog="bench strategies")
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--data", nargs="*", default=list(DATA), choices=list(DATA))
    asked.add_argument("--strategy", nargs="*", default=list(STRATEGIES), choices=list(STRATEGIES))
    options = asked.parse_args(args)
    names = list(dict.fromkeys(["random", *options.strategy]))
    measured: dict[str, Any] = {}
    lines = []
    for name in options.data:
        data = DATA[name]()
        curves = {s: [simulate(data, s, seed) for seed in range(options.seeds)] for s in names}
        measured[name] = {s: compared(curves[s], curves["random"]) for s in names}
        lines += [about(name, data, options.seeds), *(line(s, measured[name][s]) for s in names)]
    below = sorted({(d, s) for d, of in measured.items() for s, m in of.items() if m["difference_ci95"][1] < 0})
    lines.append("wholly below random: " + (", ".join(f"{s} on {d}" for d, s in below) or "none"))
    return {"seeds": options.seeds, "data": measured, "below_random": below, "lines": lines}


def simulate(data: Data, strategy: str, seed: int) -> Curve:
    """One curator who knows the truth answers what one strategy asks, until half the pool or 300 are labelled."""
    pool, test = split(data, np.random.default_rng([seed, 0]))
    rng = np.random.default_rng([seed, 1])
    left, labelled = pool, np.zeros(0, int)
    rounds = min(MOST_LABELS, len(pool) // 2) // ASKED
    model, auc = None, []
    for number in range(rounds):
        chances = np.full(len(left), np.nan) if model is None else model(data.features[left])
        state = Pool(
            data.features[left], chances, data.groups[left], data.features[labelled], data.groups[labelled], number
        )
        chosen, _ = STRATEGIES[strategy](state, ASKED, rng)
        labelled = np.concatenate([labelled, left[chosen]])
        left = np.delete(left, chosen)
        model = learnt(data.features[labelled], data.positive[labelled])
        auc.append(0.5 if model is None else roc_auc_score(data.positive[test], model(data.features[test])))
    return Curve(np.array(auc), float(data.positive[labelled].sum() / data.positive[pool].sum()))


def split(data: Data, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the pool and of the test: whole films where there are any, else single rows; positives in both."""
    films = np.unique(data.groups)
    units = data.groups if len(films) > 1 else np.arange(len(data.groups))
    while True:
        values = rng.permutation(np.unique(units))
        held = np.isin(units, values[: int(len(values) * HELD_OUT)])
        if all(0 < data.positive[part].sum() < part.sum() for part in (held, ~held)):
            return np.flatnonzero(~held), np.flatnonzero(held)


def learnt(features: np.ndarray, positive: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """A model of what is labelled so far; None before both answers were given."""
    if positive.all() or not positive.any():
        return None
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=2000).fit(scaler.transform(features), positive)
    return lambda rows: model.predict_proba(scaler.transform(rows))[:, 1]


def compared(curves: list[Curve], chance: list[Curve]) -> dict[str, Any]:
    """Means over seeds, and the paired difference to random with its interval."""
    area = np.array([curve.auc.mean() for curve in curves])
    gain = area - np.array([curve.auc.mean() for curve in chance])
    spread = gain.std(ddof=1) / np.sqrt(len(gain)) if len(gain) > 1 else np.inf
    reach = float(student.ppf(0.975, max(len(gain) - 1, 1)) * spread)
    mean = float(gain.mean())
    return {
        "area": float(area.mean()),
        "difference": mean,
        "difference_ci95": [mean - reach, mean + reach],
        "last_auc": float(np.mean([curve.auc[-1] for curve in curves])),
        "positives_found": float(np.mean([curve.found for curve in curves])),
    }


def about(name: str, data: Data, seeds: int) -> str:
    """The head of a data set's lines."""
    films = len(np.unique(data.groups))
    return (
        f"{name}: {len(data.positive)} rows, {data.features.shape[1]} features, {data.positive.mean():.0%} positive"
        + (f", {films} films" if films > 1 else "")
        + f", {seeds} seeds"
    )


def line(strategy: str, measured: dict[str, Any]) -> str:
    """One strategy on one data set."""
    low, high = measured["difference_ci95"]
    return (
        f"  {strategy:<18} area {measured['area']:.4f}  difference {measured['difference']:+.4f} "
        f"[{low:+.4f}, {high:+.4f}]  last AUC {measured['last_auc']:.4f}  found {measured['positives_found']:.0%}"
    )


def shipped(load: Callable[..., tuple[np.ndarray, np.ndarray]], positive: tuple[int, ...]) -> Data:
    """A data set of scikit-learn, some of its classes against the others."""
    features, classes = load(return_X_y=True)
    return Data(features, np.isin(classes, positive), np.zeros(len(classes), int))


def scenes() -> Data:
    """Whether a shot starts a scene, from how alike the shots before and after its cut are."""
    folder = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared")) / "scene_boundaries"
    parts = list(films(folder))
    return Data(
        np.concatenate([features for features, _ in parts]),
        np.concatenate([positive for _, positive in parts]),
        np.repeat(np.arange(len(parts)), [len(positive) for _, positive in parts]),
    )


def films(folder: Path) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each film that has both looks: likeness across each cut at nine distances, for colours and looks."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as film:
            if not {"vgg19", "hsv"} <= set(film.files):
                continue
            looks = [
                unit(np.sqrt(np.nan_to_num(film[name].astype(np.float64), posinf=6e4))) for name in ("vgg19", "hsv")
            ]
            truth = film["scene_start"]
        cuts = np.arange(1, len(truth))
        alike = [
            (look[np.maximum(cuts - a, 0)] * look[np.minimum(cuts + b, len(truth) - 1)]).sum(axis=1)
            for look in looks
            for a in range(1, LAGS + 1)
            for b in range(LAGS)
        ]
        features = np.stack(alike, axis=1)
        yield (features - features.mean(axis=0)) / features.std(axis=0), truth[cuts]


def unit(look: np.ndarray) -> np.ndarray:
    """Rows without the film's mean, of length one."""
    centred = look - look.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)


DATA: dict[str, Callable[[], Data]] = {
    "scenes": scenes,
    "breast-cancer": lambda: shipped(datasets.load_breast_cancer, (0,)),
    "digits-eight": lambda: shipped(datasets.load_digits, (8,)),
    "digits-odd": lambda: shipped(datasets.load_digits, (1, 3, 5, 7, 9)),
    "wine": lambda: shipped(datasets.load_wine, (1,)),
    "iris": lambda: shipped(datasets.load_iris, (1,)),
}
