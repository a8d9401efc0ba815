"""Which interval of the film does each shot of a trailer come from: miniatures in, sure segments out."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from labeling.references.fitting import Line, Pair, Run, details, extend, rivals, steady, turned
from labeling.references.footage import GRID_HZ, Descriptors, Footage
from labeling.references.framing import find_framing
from labeling.references.likeness import Runs

LENGTHS = (24, 8)
"""Lengths of the runs that are looked for in the whole film, in pictures at GRID_HZ: slow shots need the long ones."""
SHORTEST = 6
"""For shots that hold no run of these lengths."""
SEED_PICTURE, SEED_MOVEMENT = 0.6, 0.5
TABLE_CELLS = 8_000_000
"""A shot is looked for in parts, so that no table gets larger than this."""
SHORTEST_S = 0.45
SURE, SURE_BOTH = 0.65, 1.45
"""Picture and movement are each at least as alike as this, and both summed as that."""
SURE_DETAILS = 0.45
SURE_STEADY = 0.5
CLEAR = 0.15
"""By so much its movement must be more alike than at any other place that looks nearly as much like it."""
TURNED, TURNED_SHARE = 0.05, 0.6
"""Better than turned around by so much, and by this share of what it lacks to be the same."""
APART_S = 0.4
"""What is nearer than this is the same place."""
SAME_LINE_S = 0.3


@dataclass(frozen=True)
class Segment:
    """A part of one shot of the trailer and the interval of the film it shows, in seconds.

    confidence  how alike the pictures are and how alike they move, 0.725 to 1; light and contrast do not count. 0.95
                and more: the film's own pictures, copied. 0.85 to 0.95: cropped, much compressed, or rendered anew.
                Below: the same of a short or slow shot; still the right place in all that was measured. Other footage
                stays below what is reported by far. Numbers and films: docs/decisions/0013-reference-alignment.md.
    """

    film_start_s: float
    film_end_s: float
    trailer_start_s: float
    trailer_end_s: float
    confidence: float

    def to_json(self) -> dict[str, float]:
        """Plain values, in seconds, to the millisecond."""
        values = {
            "film_start": self.film_start_s,
            "film_end": self.film_end_s,
            "trailer_start": self.trailer_start_s,
            "trailer_end": self.trailer_end_s,
            "confidence": self.confidence,
        }
        return {name: round(value, 3) for name, value in values.items()}


def align(film: Footage, trailer: Footage) -> tuple[Segment, ...]:
    """The segments of the trailer whose place in the film is sure, in the trailer's order; none overlap in the trailer.

    A segment lies inside one shot of the trailer and is as long as the pictures agree, so a shot may have several, or
    only a part. Left out: what is not in the film, less than SHORTEST_S, stands still or is nearly plain (it would fit
    anywhere in its shot), fits two places of the film, or fits better mirrored, upside down or backwards.
    """
    from threadpoolctl import threadpool_limits

    # The tables are small: handing them to several threads costs more than twice what it saves.
    with threadpool_limits(1, "blas"):
        pair = Pair(film, trailer, find_framing(film, trailer))
        runs = Runs(pair.film_grid)
        found = [run for start, end in trailer.shots for run in _in_shot(pair, runs, int(start), int(end))]
    return tuple(_segment(pair, run) for run in sorted(found, key=lambda run: run.start))


def _in_shot(pair: Pair, runs: Runs, start: int, end: int) -> list[Run]:
    """The sure runs among the frames `[start, end)` of the trailer; the likeliest seed is tried first."""
    tried: list[Run] = []
    sure: list[Run] = []
    for seed in sorted(_seeds(pair, runs, start, end), key=lambda seed: -(seed.picture + seed.movement)):
        if any(_same(seed, run) for run in tried) or any(_overlap(seed, run) for run in sure):
            continue
        first = max([start, *(run.end for run in sure if run.end <= seed.start)])
        last = min([end, *(run.start for run in sure if run.start >= seed.end)])
        tried.append(extend(pair, seed, first, last))
        if _is_sure(pair, tried[-1]):
            sure.append(tried[-1])
    return sure


def _overlap(one: Run, other: Run) -> bool:
    return one.start < other.end and other.start < one.end


def _same(seed: Run, run: Run) -> bool:
    """Whether the seed is a part of what was found from another one."""
    inside = run.start <= seed.start and seed.end <= run.end
    return inside and abs(run.line.film_at(seed.line.trailer_s) - seed.line.film_s) < SAME_LINE_S


def _seeds(pair: Pair, runs: Runs, start: int, end: int) -> Iterator[Run]:
    """Short runs of the shot and, for each, the place of the film that moves most like it."""
    grid = pair.trailer.grid
    inside = np.flatnonzero((grid > start) & (grid < end - 1))
    lengths = [length for length in LENGTHS if length <= len(inside)] or [SHORTEST]
    rows = max(2 * LENGTHS[0], TABLE_CELLS // max(1, len(pair.film_grid)))
    pictures = pair.trailer_frames(grid[inside])
    for length in lengths:
        for first in range(0, len(inside) - length + 1, rows - length + 1):
            yield from _seeds_in(pair, runs, length, pictures[first : first + rows], int(inside[0]) + first)


def _seeds_in(pair: Pair, runs: Runs, length: int, pictures: Descriptors, first: int) -> Iterator[Run]:
    """The same for a table's worth of pictures, of which the first is the `first` of the trailer's grid."""
    if len(pair.film_grid) < length:
        return
    grid, step = pair.trailer.grid, max(1, length // 4)
    found = runs.compare(pictures, length, step)
    merits = np.where(found.picture >= SEED_PICTURE, found.movement + found.picture, np.float32(-1))
    for row, at in enumerate(merits.argmax(axis=1)):
        if merits[row, at] > 0 and found.movement[row, at] >= SEED_MOVEMENT:
            begin = first + row * step
            line = Line((begin + length / 2) / GRID_HZ, (int(at) + length / 2) / GRID_HZ)
            alike = float(found.picture[row, at]), float(found.movement[row, at])
            yield Run(int(grid[begin]), int(grid[begin + length - 1]) + 1, line, *alike)


def _is_sure(pair: Pair, run: Run) -> bool:
    starts_s = pair.trailer.starts_s
    if starts_s[run.end] - starts_s[run.start] < SHORTEST_S:
        return False
    if min(run.picture, run.movement) < SURE or run.picture + run.movement < SURE_BOTH:
        return False
    if details(pair, run) < SURE_DETAILS or steady(pair, run) < SURE_STEADY:
        return False
    alike = run.picture + run.movement
    if turned(pair, run) > alike - max(TURNED, TURNED_SHARE * (2 - alike)):
        return False
    return bool(np.all(rivals(pair, run, APART_S).movement <= run.movement - CLEAR))


def _segment(pair: Pair, run: Run) -> Segment:
    """In seconds, inside the film's ends."""
    start_s, end_s = (float(pair.trailer.starts_s[frame]) for frame in (run.start, run.end))
    film_s = np.clip([run.line.film_at(start_s), run.line.film_at(end_s)], 0.0, pair.film.starts_s[-1])
    return Segment(float(film_s[0]), float(film_s[1]), start_s, end_s, min(1.0, (run.picture + run.movement) / 2))
