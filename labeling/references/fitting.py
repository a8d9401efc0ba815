"""From a rough find to single frames: where a run of the trailer lies in the film, how fast and how far it goes."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from labeling.references.footage import COLUMNS, GRID_HZ, ROWS, Descriptors, Footage
from labeling.references.framing import Framing
from labeling.references.likeness import Likeness, compare, compare_details, correlation

SPEEDS = (0.92, 1.08)
LOOKED_AT = 48
REACH_S = 0.17
WORSE = 0.15
"""A picture that is so much less alike than those of the run it borders on is no more of it."""
MISSES = 3
"""So many such frames one after another end a run; fewer may be a flash or a damaged frame."""
JUMP = 4
"""A step from picture to picture this large, in variances of the run: a cut between two still pictures has it."""
NEARER_1 = 0.15
"""How much likeness a speed must win for each unit it is off 1: where nothing moves, any speed would do."""


@dataclass(frozen=True)
class Line:
    """Which moment of the film each moment of the trailer shows: `film_s` at `trailer_s`, and so fast from there."""

    trailer_s: float
    film_s: float
    speed: float = 1.0

    @overload
    def film_at(self, trailer_s: float) -> float: ...

    @overload
    def film_at(self, trailer_s: NDArray[np.float64]) -> NDArray[np.float64]: ...

    def film_at(self, trailer_s: float | NDArray[np.float64]) -> float | NDArray[np.float64]:
        """Seconds of the film."""
        return self.film_s + self.speed * (trailer_s - self.trailer_s)


@dataclass(frozen=True)
class Run:
    """Frames `[start, end)` of the trailer, and the line on which they lie in the film."""

    start: int
    end: int
    line: Line
    picture: float = 0.0
    movement: float = 0.0


@dataclass(frozen=True)
class Pair:
    """A film and a trailer, seen through one framing."""

    film: Footage
    trailer: Footage
    framing: Framing

    @cached_property
    def film_grid(self) -> Descriptors:
        """The film's pictures at GRID_HZ."""
        return self.film.described(self.film.grid, self.framing.film)

    def trailer_frames(self, frames: NDArray[np.int64]) -> Descriptors:
        """Pictures of the trailer."""
        return self.trailer.described(frames, self.framing.trailer)

    def film_frames(self, frames: NDArray[np.int64]) -> Descriptors:
        """Pictures of the film."""
        return self.film.described(frames, self.framing.film)

    def alike(self, frames: NDArray[np.int64], line: Line) -> NDArray[np.float32]:
        """How alike each frame of the trailer and its picture in the film are; -1 beyond the film's ends."""
        at_s = line.film_at(self.trailer.middles_s[frames])
        own = self.trailer_frames(frames)
        found = (own * self.film_frames(self.film.frames_at(at_s))).sum(axis=1)
        return np.where((at_s >= 0) & (at_s < self.film.starts_s[-1]), found, np.float32(-1))


def fit(pair: Pair, run: Run) -> Run:
    """The run with the line, near its own, on which it is most alike."""
    frames = _looked_at(run)
    at_s, own = pair.trailer.middles_s[frames], pair.trailer_frames(frames)
    middle_s = float(at_s.mean())
    film_s = run.line.film_at(middle_s)
    frame_s = float(1 / pair.film.timeline.rate)
    lines = [
        Line(middle_s, film_s + float(shift), float(speed))
        for speed in _speeds(float(at_s[-1] - at_s[0]), frame_s, run.line.speed)
        for shift in np.arange(-REACH_S, REACH_S, frame_s / 2)
    ]
    wanted = pair.film.frames_at(np.stack([line.film_at(at_s) for line in lines]))
    low = int(wanted.min())
    near = pair.film_frames(np.arange(low, int(wanted.max()) + 1))
    found = compare(own, near[wanted - low])
    merits = found.picture + found.movement - NEARER_1 * np.abs([line.speed - 1 for line in lines])
    best = int(np.argmax(merits))
    return replace(run, line=lines[best], picture=float(found.picture[best]), movement=float(found.movement[best]))


def _looked_at(run: Run) -> NDArray[np.int64]:
    """Frames of the run, spread evenly: all of a short one."""
    return np.unique(np.linspace(run.start, run.end - 1, LOOKED_AT).round().astype(np.int64))


def _speeds(length_s: float, frame_s: float, known: float) -> NDArray[np.float64]:
    """Speeds that differ by about a frame from one end of the run to the other, 1 and the known one among them."""
    step = frame_s / max(length_s, frame_s)
    lowest, highest = SPEEDS
    around = 1 + step * np.arange(-int((1 - lowest) / step), int((highest - 1) / step) + 1)
    if len(around) > 25:
        around = known + step * np.arange(-8, 9)
    return np.unique(np.clip(np.append(around, [1.0, known]), lowest, highest))


def extend(pair: Pair, run: Run, first: int, last: int) -> Run:
    """The run, fitted, and made longer at both ends inside `[first, last)` for as long as the pictures stay alike."""
    run = fit(pair, run)
    while True:
        reach = max(4, (run.end - run.start) // 2)
        start = run.start - _good(pair, run, np.arange(run.start - 1, max(first, run.start - reach) - 1, -1))
        end = run.end + _good(pair, run, np.arange(run.end, min(last, run.end + reach)))
        if (start, end) == (run.start, run.end):
            return run
        run = fit(pair, replace(run, start=start, end=end))


def _good(pair: Pair, run: Run, frames: NDArray[np.int64]) -> int:
    """How many of the frames, from the first on, still lie on the run's line."""
    if not len(frames):
        return 0
    bad = pair.alike(frames, run.line) < run.picture - WORSE
    streak = 0
    for count, missed in enumerate(bad):
        streak = streak + 1 if missed else 0
        if streak == MISSES:
            return count + 1 - MISSES
    return len(frames) - streak


def rivals(pair: Pair, run: Run, apart_s: float) -> Likeness:
    """How alike the run is to other places of the film, `apart_s` or more away, that look nearly as much like it."""
    length_s = float(pair.trailer.starts_s[run.end] - pair.trailer.starts_s[run.start]) * run.line.speed
    step = max(1, round(length_s * GRID_HZ / (LOOKED_AT // 2)))
    count = max(2, int(length_s * GRID_HZ / step))
    away_s = (np.arange(count, dtype=np.float64) + 0.5) * step / GRID_HZ
    begin_s = float(pair.trailer.starts_s[run.start])
    own = pair.trailer_frames(pair.trailer.frames_at(begin_s + away_s / run.line.speed))
    room = len(pair.film_grid) - (count - 1) * step
    if room < 1:
        return Likeness(np.zeros(0, np.float32), np.zeros(0, np.float32))
    table = own @ pair.film_grid.T
    pictures = sum((table[k, k * step : k * step + room] for k in range(count)), np.zeros(room, np.float32)) / count
    film_begin_s = run.line.film_at(begin_s)
    apart = np.abs(np.arange(room) / GRID_HZ - film_begin_s) >= apart_s
    likely = np.flatnonzero(apart & (1 - pictures < 1.5 * (1 - run.picture) + 0.01))
    likely = likely[np.argsort(-pictures[likely])[:3000]]
    return compare(own, pair.film_grid[likely[:, None] + step * np.arange(count)])


def details(pair: Pair, run: Run) -> float:
    """How alike the details of the run are, picture or movement: the less of both."""
    return min(compare_details(*_side_by_side(pair, run)))


def _side_by_side(pair: Pair, run: Run) -> tuple[Descriptors, Descriptors]:
    """Pictures of the run, and of the film where it lies."""
    frames = _looked_at(run)
    film = pair.film.frames_at(run.line.film_at(pair.trailer.middles_s[frames]))
    return pair.trailer_frames(frames), pair.film_frames(film)


def steady(pair: Pair, run: Run) -> float:
    """How alike the run moves apart from its jump, if it has one: before it and after it, each about its own mean.

    A cut that nobody marked, between two pictures that stand still, would else count as movement that both have.
    """
    own, film = _side_by_side(pair, run)
    steps = ((own[1:] - own[:-1]) ** 2).sum(axis=1)
    if steps.max() < JUMP * own.var(axis=0).sum():
        return run.movement
    at = int(steps.argmax()) + 1
    return correlation(*(np.concatenate([_about_mean(one[:at]), _about_mean(one[at:])]) for one in (own, film)))


def _about_mean(pictures: Descriptors) -> Descriptors:
    return np.asarray(pictures - pictures.mean(axis=0), np.float32)


def turned(pair: Pair, run: Run) -> float:
    """How alike, picture and movement summed, the run would be mirrored, upside down or backwards: the best of them."""
    pictures, film = _side_by_side(pair, run)
    own = pictures.reshape(-1, ROWS, COLUMNS)
    ways = np.stack([own[:, :, ::-1], own[:, ::-1], own[::-1]]).reshape(3, *film.shape)
    found = compare(ways, film)
    return float((found.picture + found.movement).max())
