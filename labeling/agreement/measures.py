"""Measures of agreement over nominal answers: values in, values out.

Both are ratios of sums over units, so a bootstrap over units is a product of matrices.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Answers = Mapping[str, str]
"""Who → what they said, of one unit."""

RESAMPLES = 2000
LEAST_UNITS = 10
"""Below this a bootstrap says more about itself than about the curators."""

LEVEL = 0.95


@dataclass(frozen=True)
class Measure:
    """One measure over `units`; `observed` is the plain share of pairs of answers that are the same.

    value      1 is perfect, 0 what chance gives, None where there is nothing to compare, or all said the same
    low, high  its 95 % bootstrap interval over units, None for fewer than ten
    """

    value: float | None
    low: float | None
    high: float | None
    units: int
    observed: float | None


def cohen_kappa(pairs: Sequence[tuple[str, str]], rng: np.random.Generator) -> Measure:
    """Kappa of two people's answers to the same units (Cohen 1960)."""
    names = {name: at for at, name in enumerate(sorted({name for pair in pairs for name in pair}))}
    tables = np.zeros((len(pairs), len(names), len(names)))
    for at, (first, second) in enumerate(pairs):
        tables[at, names[first], names[second]] = 1
    return _measure(tables, _kappa, rng)


def krippendorff_alpha(units: Sequence[Answers], rng: np.random.Generator) -> Measure:
    """Alpha of any number of people's answers, of whom some said nothing (Krippendorff 2011, nominal data)."""
    paired = [list(answers.values()) for answers in units if len(answers) > 1]
    names = {name: at for at, name in enumerate(sorted({name for said in paired for name in said}))}
    tables = np.zeros((len(paired), len(names), len(names)))
    for at, said in enumerate(paired):
        counts = np.bincount([names[name] for name in said], minlength=len(names)).astype(np.float64)
        tables[at] = (np.outer(counts, counts) - np.diag(counts)) / (len(said) - 1)
    return _measure(tables, _alpha, rng)


def _kappa(tables: Floats) -> Floats:
    """Kappa of contingency tables [..., C, C]; NaN where chance alone would always agree."""
    total = tables.sum(axis=(-2, -1))
    observed = np.trace(tables, axis1=-2, axis2=-1) / total
    expected = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1) / total**2
    return _beyond_chance(observed, expected)


def _alpha(tables: Floats) -> Floats:
    """Alpha of coincidence matrices [..., C, C]; NaN where all answers are the same."""
    said = tables.sum(axis=-1)
    total = said.sum(axis=-1)
    observed = np.trace(tables, axis1=-2, axis2=-1) / total
    expected = (said * (said - 1)).sum(axis=-1) / (total * (total - 1))
    return _beyond_chance(observed, expected)


def _beyond_chance(observed: Floats, expected: Floats) -> Floats:
    left = 1 - expected
    possible = left > 1e-12
    return np.where(possible, (observed - expected) / np.where(possible, left, 1), np.nan)


def _measure(tables: Floats, of: Callable[[Floats], Floats], rng: np.random.Generator) -> Measure:
    """The measure of the sum of the units' tables [U, C, C], with its interval."""
    units = len(tables)
    if not units:
        return Measure(None, None, None, 0, None)
    whole = tables.sum(axis=0)
    observed = float(np.trace(whole) / whole.sum())
    low = high = None
    if units >= LEAST_UNITS:
        often = rng.multinomial(units, np.full(units, 1 / units), size=RESAMPLES).astype(np.float64)
        drawn = of((often @ tables.reshape(units, -1)).reshape(RESAMPLES, *whole.shape))
        drawn = drawn[np.isfinite(drawn)]
        # Where nearly everybody always says the same, many a resample holds only that: no interval then.
        if len(drawn) > RESAMPLES / 2:
            low, high = (float(np.quantile(drawn, at)) for at in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Measure(_finite(of(whole)), low, high, units, observed)


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
