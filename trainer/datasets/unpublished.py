"""Which parts of a film are in no published clip for sure: only these give negatives. Values in, values out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from backend.scoring.candidates import candidates
from backend.scoring.film import ScoringFilm
from backend.scoring.windows import time_inside
from trainer.datasets.condensed_movies import Clip
from trainer.datasets.locating import Location

Spans = NDArray[np.float64]

IN_ORDER = 3
"""So many located clips, in the order of their numbers, show that the numbers follow the film."""
MARGIN_S = 1.0
"""A negative keeps this distance from every clip: more than a clip's place is ever off."""
SHORTER, LONGER = 0.8, 1.25
"""Negatives are as long as the film's clips, by these factors."""


def free_spans(clips: Sequence[Clip], located: Mapping[str, Location], duration_s: float) -> Spans:
    """Seconds of a film, float64 [K, 2], that no published clip can be in; `clips` are all that are listed for it.

    A clip that was not located whole (no copy is here, its place is not sure, parts of it are) can be anywhere. But
    where the numbers of the located ones follow the film, it lies between its neighbours: between two located clips
    whose numbers follow each other there is none, nor before the first and after the last if these are located.
    """
    series: defaultdict[tuple[str, int | None], list[Clip]] = defaultdict(list)
    for clip in clips:
        series[clip.title.casefold(), clip.of].append(clip)
    free = np.array([[0.0, duration_s]])
    for of_series in series.values():
        free = _both(free, _between(of_series, located, duration_s))
    for clip in clips:
        place = located.get(clip.videoid)
        if place:
            around = np.array([[0.0, place.film_start_s - MARGIN_S], [place.film_end_s + MARGIN_S, duration_s]])
            free = _both(free, around[around[:, 1] > around[:, 0]])
    return free


def _between(clips: Sequence[Clip], located: Mapping[str, Location], duration_s: float) -> Spans:
    """Seconds that no clip of one numbered series can be in, but for the located ones' own."""
    numbers = [clip.number for clip in clips]
    of = clips[0].of
    complete = of is not None and sorted(n or 0 for n in numbers) == list(range(1, of + 1))
    found = [(clip.number or 0, located[clip.videoid]) for clip in clips if clip.videoid in located]
    known = sorted(((number, place) for number, place in found if place.whole), key=lambda pair: pair[0])
    if complete and len(known) == len(clips):
        return np.array([[0.0, duration_s]])
    places = [place.film_start_s for _, place in known]
    if len(set(numbers)) < len(numbers) or None in numbers or len(known) < IN_ORDER or places != sorted(places):
        return np.zeros((0, 2))
    spans = [(one.film_end_s, other.film_start_s) for (a, one), (b, other) in pairwise(known) if b == a + 1]
    spans += [(place.film_start_s, place.film_end_s) for _, place in known]
    if known[0][0] == 1:
        spans.append((0.0, known[0][1].film_start_s))
    if known[-1][0] == of:
        spans.append((known[-1][1].film_end_s, duration_s))
    return _joined(spans)


def _joined(spans: Sequence[tuple[float, float]]) -> Spans:
    merged: list[list[float]] = []
    for start, end in sorted(span for span in spans if span[1] > span[0]):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, np.float64).reshape(-1, 2)


def _both(one: Spans, other: Spans) -> Spans:
    pairs = [(max(a, c), min(b, d)) for a, b in one.tolist() for c, d in other.tolist()]
    return np.array([pair for pair in pairs if pair[1] > pair[0]], np.float64).reshape(-1, 2)


def negatives(film: ScoringFilm, free: Spans, lengths_s: Sequence[float]) -> Spans:
    """Windows of whole shots in `free`, about as long as the film's clips, that do not overlap; float64 [W, 2] seconds.

    Without titles, credits and black: what could never be a clip says nothing about clips.
    """
    target_s = float(np.median(lengths_s))
    found = candidates(film, SHORTER * target_s, LONGER * target_s)
    if found.shortened or not len(found.windows) or not len(free):
        return np.zeros((0, 2))
    start_s, end_s = found.windows.start_s, found.windows.end_s
    inside = time_inside(free, start_s, end_s) >= end_s - start_s - 1e-6
    chosen: list[tuple[float, float]] = []
    for at in np.lexsort((np.abs(end_s - start_s - target_s), start_s)):
        if inside[at] and (not chosen or start_s[at] >= chosen[-1][1]):
            chosen.append((float(start_s[at]), float(end_s[at])))
    return np.array(chosen, np.float64).reshape(-1, 2)
