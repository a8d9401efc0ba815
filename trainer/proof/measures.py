"""How well scores tell apart what was asked for by chance, as time went on: values in, values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from trainer.evaluate import RANGES, TIMES, Figure, figure
from trainer.evidence import figures
from trainer.evidence.figures import Floats, Judged, Rows

LEAST, LEAST_EACH = 20, 5
"""Clips, and of each answer, below which nothing is said."""
LEAST_FILMS = 5
"""From so many on films are resampled, so that the interval speaks of other films too; below, clips are."""
WINDOW = 100
"""A figure looks back at so many clips."""
STEP, MOST_POINTS = 10, 40
SEED = 0
"""The same answers have the same interval, always."""


@dataclass(frozen=True)
class Clip:
    """A clip that was asked for by chance: its score at that time, and what was said of it then."""

    film: str
    score: float
    approved: bool
    at: datetime


@dataclass(frozen=True)
class Point:
    """The figures of the clips up to a moment.

    judged  how many clips there were until then; the last `clips` of them count
    over    what was resampled for the intervals
    auc     how often an approved clip had a higher score than a rejected one; chance: 0.5
    upper   approved share of the clips with the higher scores, None where all have the same; `every`: of all
    lift    `upper` minus `every`
    """

    judged: int
    since: datetime
    until: datetime
    clips: int
    films: int
    approved: int
    over: Literal["films", "clips"]
    auc: Figure
    every: Figure
    upper: Figure | None
    lift: Figure | None


def points_of(clips: Sequence[Clip]) -> list[Point]:
    """Points every few clips, the oldest first; none where too little was said. `clips`: as they were judged."""
    step = max(STEP, -(-len(clips) // MOST_POINTS))
    ends = sorted(range(len(clips), LEAST - 1, -step))
    found = (_point(clips[max(0, end - WINDOW) : end], end) for end in ends)
    return [point for point in found if point is not None]


def _point(clips: Sequence[Clip], judged_until: int) -> Point | None:
    scores = np.array([clip.score for clip in clips])
    targets = np.array([clip.approved for clip in clips], np.float64)
    yes = int(targets.sum())
    if len(clips) < LEAST or min(yes, len(clips) - yes) < LEAST_EACH:
        return None
    _, films = np.unique([clip.film for clip in clips], return_inverse=True)
    count = int(films.max()) + 1
    by_film = count >= LEAST_FILMS
    units = films.astype(np.int64) if by_film else np.arange(len(clips), dtype=np.int64)
    judged = Judged(targets, units)
    draws = figures.draws_of(judged.count, TIMES, SEED)

    def measured(resampled: Floats, limits: tuple[float, float]) -> Figure | None:
        return figure(resampled, limits, len(clips), judged.count)

    every = _share(targets, np.ones(len(clips)), judged, draws)
    upper = _share(targets, (scores > np.median(scores)).astype(np.float64), judged, draws)
    auc, share = measured(figures.auc(judged, scores, draws), RANGES["auc"]), measured(every, (0.0, 1.0))
    if auc is None or share is None:
        return None
    return Point(
        judged=judged_until, since=clips[0].at, until=clips[-1].at, clips=len(clips), films=count, approved=yes,
        over="films" if by_film else "clips", auc=auc, every=share,
        upper=measured(upper, (0.0, 1.0)), lift=measured(upper - every, (-1.0, 1.0)),
    )  # fmt: skip


def _share(targets: Floats, chosen: Floats, judged: Judged, draws: Rows) -> Floats:
    """The approved share of the chosen clips in each draw, [B]; nan where a draw has none of them."""
    yes = draws @ np.bincount(judged.films, targets * chosen, judged.count)
    every = draws @ np.bincount(judged.films, chosen, judged.count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(yes / every, np.float64)
