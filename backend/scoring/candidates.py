"""Which windows of a film may become clips: what is excluded, and what is done when nothing fits."""

from dataclasses import dataclass

import numpy as np

from backend.errors import InputError
from backend.scoring.film import Floats, ScoringFilm
from backend.scoring.windows import NOTHING, Segments, Windows, check_limits, segments, stride, windows

FADE_S = 1.0
"""Black shorter than this is a fade between shots, not excluded material, but for the film's first and last frames."""


@dataclass(frozen=True)
class Candidates:
    """Segments, the windows made of them, and what a person should know of how they came about."""

    segments: Segments
    windows: Windows
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
    material; windows at least half as long as the longest that there is. Raises InputError for wrong limits.
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
            return Candidates(parts, found, (note,) if step > 1 else ())
    parts = tries[0] if tries[0].usable.any() else tries[1]
    every = windows(parts, 0.0, max_s)
    if not len(every):
        return Candidates(parts, every, (_nothing(film, skip_last_percent),))
    longest = float(every.durations_s.max())
    note = _shorter(film, min_s, max_s, longest)
    return Candidates(parts, windows(parts, longest / 2, max_s), (note,), shortened=True)


def _nothing(film: ScoringFilm, skip_last_percent: float) -> str:
    if not len(film.shots):
        return "The film has no shots."
    kinds = ", ".join(sorted(name for name, band in film.bands_s.items() if len(band))) or "nothing that can be shown"
    skipped = f" once its last {skip_last_percent:g} % are left out" if skip_last_percent else ""
    return f"There is no material for a clip{skipped}: the rest is {kinds}."


def _shorter(film: ScoringFilm, min_s: float, max_s: float, longest: float) -> str:
    if film.duration_s < min_s:
        return f"The film lasts {film.duration_s:.1f} s, less than the {min_s:g} s asked for: these are shorter clips."
    return (
        f"No run of whole shots without titles, credits or black lasts {min_s:g} to {max_s:g} s: "
        f"these are shorter clips, {longest:.1f} s at most."
    )
