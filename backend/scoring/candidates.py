"""Which windows of a film may become clips: what is excluded, and what is done when nothing fits."""

from dataclasses import dataclass

import numpy as np

from backend.errors import InputError
from backend.scoring.film import Floats, ScoringFilm
from backend.scoring.windows import NOTHING, Segments, Windows, check_limits, segments, stride, windows

FADE_S = 1.0
"""Black shorter than this is a fade between shots, not excluded material, but for the film's first and last frames."""

SHORTEST_S = 2.0
"""No clip is shorter than this, unless the film or the clips asked for are."""


@dataclass(frozen=True)
class Candidates:
    """Segments, the windows made of them, and what a person should know of how they came about.

    excluded_s  black, titles and the like, float64 [K, 2]; nothing after `until_s` was taken either
    shortened   whether windows are shorter than asked for
    """

    segments: Segments
    windows: Windows
    excluded_s: Floats
    until_s: float
    notes: tuple[str, ...] = ()
    shortened: bool = False


def excluded(film: ScoringFilm) -> Floats:
    """Black, logos, credits, bars and tone as sorted, disjoint intervals in seconds, float64 [K, 2]."""
    spans = [
        (float(start), float(end))
        for name, band in film.bands_s.items()
        for start, end in np.reshape(band, (-1, 2))
        if end > start and (name != "black" or end - start >= FADE_S or start <= 0 or end >= film.duration_s)
    ]
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return np.array(merged, np.float64).reshape(-1, 2) if merged else NOTHING


def check_skip(skip_last_percent: float) -> None:
    """Raise InputError unless something is left of the film."""
    if not 0 <= skip_last_percent < 100:
        raise InputError(f"The part to skip at the end must be from 0 to below 100 percent, not {skip_last_percent:g}.")


def candidates(film: ScoringFilm, min_s: float, max_s: float, skip_last_percent: float = 0.0) -> Candidates:
    """All windows of `film` in [min_s, max_s] without excluded material; shorter ones, with a note, where none fits.

    The steps, each taken only when the one before finds nothing: whole shots; shots cut at the edges of excluded
    material; windows at least half as long as the longest that there is, and no shorter than SHORTEST_S. Raises
    InputError for wrong limits.
    """
    check_limits(min_s, max_s)
    check_skip(skip_last_percent)
    spans = excluded(film)
    until_s = film.duration_s * (1 - skip_last_percent / 100) if skip_last_percent else np.inf
    tries = [segments(film, min_s, max_s, spans, until_s, split) for split in (False, True)]
    for parts in tries:
        found = windows(parts, min_s, max_s)
        if len(found):
            step = stride(parts, min_s, max_s)
            note = f"The film has so many cuts for these lengths that clips start and end at one in {step} only."
            return Candidates(parts, found, spans, until_s, (note,) if step > 1 else ())
    floor_s = min(SHORTEST_S, min_s, film.duration_s)
    for parts in tries:
        every = windows(parts, floor_s, max_s)
        if len(every):
            longest_s = float(every.durations_s.max())
            found = windows(parts, max(longest_s / 2, floor_s), max_s)
            note = _shorter(film, min_s, max_s, longest_s, skip_last_percent)
            return Candidates(parts, found, spans, until_s, (note,), shortened=True)
    note = _nothing(film, floor_s, skip_last_percent)
    return Candidates(tries[1], windows(tries[1], min_s, max_s), spans, until_s, (note,))


def _nothing(film: ScoringFilm, floor_s: float, skip_last_percent: float) -> str:
    if not len(film.shots):
        return "The film has no shots."
    skipped = [f"its last {skip_last_percent:g} %"] if skip_last_percent else []
    gone = ", ".join(skipped + sorted(name for name, band in film.bands_s.items() if len(band)))
    without = f" without {gone}" if gone else ""
    return f"No stretch of {floor_s:.2g} s or more is left of the film{without}: there is no clip."


def _shorter(film: ScoringFilm, min_s: float, max_s: float, longest_s: float, skip_last_percent: float) -> str:
    left_s = film.duration_s * (1 - skip_last_percent / 100)
    if left_s < min_s:
        skipped = f"Without its last {skip_last_percent:g} % the" if skip_last_percent else "The"
        return f"{skipped} film lasts {left_s:.1f} s, less than the {min_s:g} s asked for: these are shorter clips."
    return (
        f"No run of whole shots without titles, credits or black lasts {min_s:g} to {max_s:g} s: "
        f"these are shorter clips, {longest_s:.1f} s at most."
    )
