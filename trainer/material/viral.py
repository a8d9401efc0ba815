"""What a published clip's figures say of it, comparable between clips: ranks of rates within a platform.

Views themselves say how large a channel is and how long a clip was up; so only rates count: the share that was
watched, likes and shares for each view. Rates differ between platforms by their nature (a short loops, a like is one
tap here and two there), so each is ranked among the clips of its own platform; what a clip has of these ranks, on all
platforms, is averaged.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trainer.material.standing import Label, OfWindow, Window, window_of
from trainer.snapshot import UNLABELLED

ENGAGEMENT = "engagement"
LEAST_VIEWS = 100
"""Below this a rate is mostly chance."""
LEAST_CLIPS = 5
"""A rank among fewer says nothing."""


class Measured(OfWindow, Protocol):
    """What of a measurement counts here."""

    @property
    def platform(self) -> str: ...
    @property
    def clip(self) -> str: ...
    @property
    def views(self) -> int | None: ...
    @property
    def likes(self) -> int | None: ...
    @property
    def shares(self) -> int | None: ...
    @property
    def completion(self) -> float | None: ...
    @property
    def measured_at(self) -> datetime: ...


def viral_targets(rows: Iterable[Measured]) -> dict[Window, float]:
    """Window → 0 (the least of all clips on its platforms) to 1; only the newest measurement of a clip counts."""
    newest: dict[tuple[str, str], Measured] = {}
    for row in sorted(rows, key=lambda row: row.measured_at):
        newest[row.platform.lower(), row.clip] = row
    by_platform: defaultdict[str, list[Measured]] = defaultdict(list)
    for (platform, _clip), row in sorted(newest.items()):
        by_platform[platform].append(row)
    ranks: defaultdict[Window, list[float]] = defaultdict(list)
    for own in by_platform.values():
        for row, value in zip(own, _of_platform(own), strict=True):
            if np.isfinite(value):
                ranks[window_of(row)].append(float(value))
    return {window: round(float(np.mean(values)), 6) for window, values in ranks.items()}


def viral_labels(targets: Mapping[Window, float]) -> dict[Window, Label]:
    """The same as labels of windows that nobody judged."""
    return {window: Label(window, UNLABELLED, 1.0, ENGAGEMENT, viral=value) for window, value in targets.items()}


def _of_platform(rows: Sequence[Measured]) -> NDArray[np.float64]:
    """The mean of each clip's ranks, NaN where there is none, float64 [clips]."""
    found = np.array([_rates(row) for row in rows], np.float64)
    ranked = np.column_stack([_ranks(found[:, at]) for at in range(found.shape[1])])
    count = np.isfinite(ranked).sum(1)
    return np.where(count > 0, np.nansum(ranked, 1) / np.maximum(count, 1), np.nan)


def _rates(row: Measured) -> tuple[float, float, float]:
    """Completion, likes and shares for each view; NaN where not known or not to be trusted."""
    if row.views is not None and row.views < LEAST_VIEWS:
        return np.nan, np.nan, np.nan
    each = [np.nan if count is None or not row.views else count / row.views for count in (row.likes, row.shares)]
    return np.nan if row.completion is None else row.completion, each[0], each[1]


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each value stands among all, 0 to 1, equals at the middle of their places; NaN among too few."""
    known = np.isfinite(values)
    if known.sum() < LEAST_CLIPS:
        return np.full(len(values), np.nan)
    ordered = np.sort(values[known])
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return np.where(known, (below + upto - 1) / 2 / (len(ordered) - 1), np.nan)
