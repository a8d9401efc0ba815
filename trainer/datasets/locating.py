"""Where a published clip lies in a film: the one line that its aligned pictures agree on, as far as pictures go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.references.align import Segment
from labeling.references.align import align as find_segments
from labeling.references.fitting import SPEEDS, Line, Pair
from labeling.references.footage import GRID_HZ, Footage
from labeling.references.framing import find_framing

TOLERANCE_S = 0.2
"""Segments this near a line lie on it: a few frames at either end."""
LEAST_S, LEAST_SHARE = 2.0, 0.2
"""So much of a clip, in seconds and as a share of it, must lie on one line."""
APART_S = 5.0
"""Two segments this far apart say how fast the clip goes."""
ALIKE = 0.5
NEARLY_PLAIN = 0.5
"""Of a descriptor's length: a picture as plain as this is like another plain one."""
EDGE_S = 2.0
"""Fades and titles of the channel may take so much of either end."""
GAP_S = 1.0
"""A longer stretch of other pictures ends what is the film's."""
FIRST_SEGMENTS = 80


@dataclass(frozen=True)
class Location:
    """The seconds of the film that a clip shows, and the seconds of the clip that show them.

    confidence  mean of the aligned segments', by their length: what `Segment` says of it
    covered     the share of the clip that was aligned for sure
    content_s   how much of the clip, from its start, should be the film's
    """

    film_start_s: float
    film_end_s: float
    clip_start_s: float
    clip_end_s: float
    confidence: float
    covered: float
    content_s: float

    @property
    def whole(self) -> bool:
        """Whether the film has all of the clip here; where a clip was put together, parts of it are elsewhere."""
        return self.clip_start_s <= EDGE_S and self.clip_end_s >= self.content_s - EDGE_S

    def to_json(self) -> dict[str, float]:
        """Plain values, in seconds, to the millisecond."""
        return {name: round(value, 3) for name, value in vars(self).items()}


def locate(film: Footage, clip: Footage, content_s: float | None = None) -> Location | None:
    """The interval of the film that a clip shows without a cut of its own, or None where that is not sure.

    content_s  how much of the clip is the film's, from its start; what follows (an advertisement) is not looked at
    """
    end_s = min(content_s or np.inf, float(clip.starts_s[-1]))
    segments = [one for one in find_segments(film, clip) if one.trailer_start_s < end_s]
    line = fit_line(segments)
    if line is None:
        return None
    on = [one for one in segments if _is_on(one, line)]
    lengths = np.array([one.trailer_end_s - one.trailer_start_s for one in on])
    if lengths.sum() < max(LEAST_S, LEAST_SHARE * end_s):
        return None
    begin_s, finish_s = _reach(film, clip, line, (on[0].trailer_start_s, min(on[-1].trailer_end_s, end_s)), end_s)
    limit_s = float(film.starts_s[-1])
    start, end = (float(np.clip(line.film_at(at_s), 0.0, limit_s)) for at_s in (begin_s, finish_s))
    confidence = float(lengths @ [one.confidence for one in on] / lengths.sum())
    return Location(start, end, begin_s, finish_s, confidence, min(1.0, float(lengths.sum()) / end_s), end_s)


def fit_line(segments: Sequence[Segment]) -> Line | None:
    """The line on which most seconds of the segments lie; None where there is no segment.

    Tried: each segment at the film's own speed, and each two that are apart. The best is then fitted to all on it.
    """
    longest = sorted(segments, key=lambda one: one.trailer_start_s - one.trailer_end_s)[:FIRST_SEGMENTS]
    middles = [_middle(one) for one in longest]
    lines = [Line(trailer_s, film_s) for trailer_s, film_s in middles]
    for number, (trailer_s, film_s) in enumerate(middles):
        for other_s, other_film_s in middles[number + 1 :]:
            if abs(other_s - trailer_s) >= APART_S:
                speed = (other_film_s - film_s) / (other_s - trailer_s)
                if SPEEDS[0] <= speed <= SPEEDS[1]:
                    lines.append(Line(trailer_s, film_s, speed))
    if not lines:
        return None
    # Of lines that hold as much, the one nearest to the film's own speed.
    best = max(lines, key=lambda line: (round(_seconds_on(longest, line), 1), -abs(line.speed - 1)))
    return _refined([one for one in longest if _is_on(one, best)], best)


def _refined(segments: Sequence[Segment], line: Line) -> Line:
    at = np.array([_middle(one) for one in segments]).reshape(-1, 2)
    lengths = np.array([one.trailer_end_s - one.trailer_start_s for one in segments])
    if np.ptp(at[:, 0]) < APART_S:
        return line
    middle_s, film_s = np.average(at, axis=0, weights=lengths)
    away_s = at[:, 0] - middle_s
    speed = float(lengths @ (away_s * (at[:, 1] - film_s)) / (lengths @ away_s**2))
    # What a speed of 1 explains as well is a speed of 1.
    near = np.abs(at[:, 1] - film_s - away_s).max() <= TOLERANCE_S / 2
    return Line(float(middle_s), float(film_s), 1.0 if near else speed)


def _middle(one: Segment) -> tuple[float, float]:
    return (one.trailer_start_s + one.trailer_end_s) / 2, (one.film_start_s + one.film_end_s) / 2


def _is_on(one: Segment, line: Line) -> bool:
    ends = ((one.trailer_start_s, one.film_start_s), (one.trailer_end_s, one.film_end_s))
    return all(abs(line.film_at(trailer_s) - film_s) <= TOLERANCE_S for trailer_s, film_s in ends)


def _seconds_on(segments: Sequence[Segment], line: Line) -> float:
    return sum(one.trailer_end_s - one.trailer_start_s for one in segments if _is_on(one, line))


def _reach(film: Footage, clip: Footage, line: Line, sure: tuple[float, float], end_s: float) -> tuple[float, float]:
    """From what is sure outwards, while the clip's pictures are the film's: alignment leaves out still shots."""
    frames = np.unique(clip.frames_at((np.arange(int(end_s * GRID_HZ), dtype=np.float64) + 0.5) / GRID_HZ))
    same = _same(Pair(film, clip, find_framing(film, clip)), frames, line)
    at_s = clip.middles_s[frames]
    half_s = 0.5 / GRID_HZ
    before, after = np.flatnonzero(at_s < sure[0])[::-1], np.flatnonzero(at_s > sure[1])
    first, last = _walk(same[before]), _walk(same[after])
    begin_s = at_s[before[first - 1]] - half_s if first else sure[0]
    finish_s = at_s[after[last - 1]] + half_s if last else sure[1]
    # The clip's own ends are exact where the film goes on up to them.
    return (0.0 if begin_s < 2 * half_s else float(begin_s)), (
        end_s if finish_s > end_s - 2 * half_s else float(finish_s)
    )


def _same(pair: Pair, frames: NDArray[np.int64], line: Line) -> NDArray[np.bool_]:
    """Whether each frame of the clip looks like the film there, or both are nearly plain (black, fades)."""
    at_s = line.film_at(pair.trailer.middles_s[frames])
    own, film = pair.trailer_frames(frames), pair.film_frames(pair.film.frames_at(at_s))
    plain = np.maximum(np.linalg.norm(own, axis=1), np.linalg.norm(film, axis=1)) < NEARLY_PLAIN
    inside = (at_s >= 0) & (at_s < pair.film.starts_s[-1])
    return np.asarray(inside & (plain | ((own * film).sum(axis=1) >= ALIKE)))


def _walk(same: NDArray[np.bool_]) -> int:
    """How many go along, from the first on, until a stretch of GAP_S does not; those at the end of it not counted."""
    missed, last = 0, 0
    for count, good in enumerate(same.tolist(), 1):
        missed = 0 if good else missed + 1
        if good:
            last = count
        if missed > GAP_S * GRID_HZ:
            break
    return last
