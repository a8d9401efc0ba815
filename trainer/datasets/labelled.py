"""A snapshot of published clips: positives where they lie in their films, negatives from the rest of the same films.

Without the film of a clip there is no negative beside it: nothing is made up, not from other films, not from metadata.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.film import Analysis, analyse
from backend.analysis.request import AnalysisRequest
from backend.analysis.view import scoring_film
from backend.errors import FilmUnreadable, InputError
from backend.features.base import Extractor
from backend.features.registry import build, profile_named
from backend.features.schema import FeatureSchema
from backend.settings import Settings
from trainer.datasets.condensed_movies import Clip, Dataset, Film
from trainer.datasets.given import Given
from trainer.datasets.locating import Location
from trainer.datasets.owned import Owned
from trainer.datasets.progress import PreparingBars
from trainer.datasets.unpublished import free_spans, negatives
from trainer.snapshot import Snapshot, make_snapshot

SOURCE = "condensed-movies"
TEST = "test"

Analyser = Callable[[Path], Analysis]


@dataclass(frozen=True)
class Window:
    """A labelled stretch of a film (or of a clip's own file, where its film is not here), in seconds."""

    id: str
    film: Film
    start_s: float
    end_s: float
    label: int
    vector: NDArray[np.float32]


@dataclass(frozen=True)
class Labelled:
    """What can be learned from, and what could not be used: why → how many."""

    schema: FeatureSchema
    windows: Sequence[Window]
    left_out: Mapping[str, int]

    @property
    def snapshot(self) -> Snapshot:
        """The windows as a snapshot; the published test films are held out. Raises InputError where there is none."""
        if not self.windows:
            why = "; ".join(f"{reason}: {count}" for reason, count in self.left_out.items())
            raise InputError(f"There is nothing to make a snapshot of ({why}).")
        tests = np.array([window.film.split == TEST for window in self.windows])
        return make_snapshot(
            self.schema,
            [window.id for window in self.windows],
            [window.film.imdbid for window in self.windows],
            np.stack([window.vector for window in self.windows]),
            start_s=[window.start_s for window in self.windows],
            end_s=[window.end_s for window in self.windows],
            labels=[window.label for window in self.windows],
            sources=[SOURCE] * len(self.windows),
            genres=[tuple(name.lower() for name in window.film.genres) for window in self.windows],
            holdout=tests if tests.any() else None,
        )


def analyser(settings: Settings, profile: str, bars: PreparingBars) -> Analyser:
    """What analyses a film as `selects find` does, and shares what that has kept; networks are built when needed."""
    schema = profile_named(profile).schema

    @cache
    def extractors() -> Mapping[str, Extractor]:
        paths = {name: str(path) for name, path in settings.models.paths.items()}
        return build(profile, paths=paths, cache=settings.home / "networks", offline=settings.models.offline)

    def look(path: Path) -> Analysis:
        bars.step(f"Analysing {path.name}")
        return analyse(AnalysisRequest(path=path, home=settings.home, schema=schema, extractors=extractors()), bars)

    return look


def from_films(
    dataset: Dataset, owned: Owned, located: Mapping[str, Location], given: Given | None, profile: str, look: Analyser
) -> Labelled:
    """Windows of all films in which clips were located: with given features of the films, else with those of `look`.

    Films that give no negative are left out, so that no film is told from another where clips should be; where none
    gives one, the positives stay alone.
    """
    left_out: Counter[str] = Counter()
    by_film: list[list[Window]] = []
    for imdbid in owned.films:
        listed = [clip for clip in dataset.clips if clip.film.imdbid == imdbid]
        if not any(clip.videoid in located for clip in listed):
            continue
        if given is not None and imdbid not in given.films:
            left_out["films without given features"] += 1
            continue
        try:
            analysis = look(owned.films[imdbid])
        except FilmUnreadable:
            left_out["films that cannot be read"] += 1
            continue
        by_film.append(_windows(listed, located, analysis, given))
    whole = [windows for windows in by_film if any(window.label == 0 for window in windows)]
    kept = whole or by_film
    if whole:
        left_out["films of which no part is free of clips for sure"] = len(by_film) - len(whole)
    schema = given.schema if given is not None else profile_named(profile).schema
    return Labelled(schema, [window for windows in kept for window in windows], +left_out)


def _windows(
    listed: Sequence[Clip], located: Mapping[str, Location], analysis: Analysis, given: Given | None
) -> list[Window]:
    film, timeline = listed[0].film, analysis.scan.timeline
    shown = [clip for clip in listed if clip.videoid in located]
    spans = np.array([(located[clip.videoid].film_start_s, located[clip.videoid].film_end_s) for clip in shown])
    free = free_spans(listed, located, timeline.duration_s)
    rest = negatives(scoring_film(analysis), free, (spans[:, 1] - spans[:, 0]).tolist())
    ids = [f"{SOURCE}:{clip.videoid}" for clip in shown]
    ids += [f"{SOURCE}:{film.imdbid}:{start:.3f}-{end:.3f}" for start, end in rest.tolist()]
    shots_s = np.stack([timeline.seconds_of(analysis.scan.shots[:, side]) for side in (0, 1)], axis=1)
    vectors, parts_s = (analysis.vectors, shots_s) if given is None else given.films[film.imdbid]
    windows = np.concatenate([spans, rest])
    pooled, inside = pool(vectors, parts_s, windows)
    return [
        Window(name, film, start, end, int(number < len(shown)), pooled[number])
        for number, (name, (start, end)) in enumerate(zip(ids, windows.tolist(), strict=True))
        if inside[number]
    ]


def pool(
    vectors: NDArray[np.float32], parts_s: NDArray[np.float64], windows_s: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Means [W, D] of the parts' vectors [n, D] over windows [W, 2], each as long as it is seen there; and which of
    the windows any part [n, 2] reaches into.
    """
    starts = np.maximum(windows_s[:, None, 0], parts_s[None, :, 0])
    ends = np.minimum(windows_s[:, None, 1], parts_s[None, :, 1])
    seen_s = np.maximum(ends - starts, 0.0)
    total_s = seen_s.sum(axis=1)
    inside = total_s > 0
    means = seen_s @ vectors.astype(np.float64) / np.where(inside, total_s, 1.0)[:, None]
    return means.astype(np.float32), inside


def from_given_clips(dataset: Dataset, given: Given) -> Labelled:
    """Positives alone, of clips whose features are given: without their films nothing says what was not chosen."""
    left_out: Counter[str] = Counter(given.left_out)
    windows = []
    for clip in dataset.clips:
        if clip.videoid not in given.clips:
            continue
        if clip.misfiled:
            left_out["clips that seem to be of another film than the one they are listed under"] += 1
        elif not clip.duration_s:
            left_out["clips without duration"] += 1
        else:
            vector = given.clips[clip.videoid]
            windows.append(Window(f"{SOURCE}:{clip.videoid}", clip.film, 0.0, float(clip.duration_s), 1, vector))
    return Labelled(given.schema, windows, +left_out)


def from_clip_files(dataset: Dataset, owned: Owned, profile: str, look: Analyser) -> Labelled:
    """Positives alone, of clips whose files are here and whose films are not; each is seen up to its advertisement."""
    left_out: Counter[str] = Counter()
    windows = []
    for clip in dataset.clips:
        if clip.videoid not in owned.clips:
            continue
        if clip.misfiled:
            left_out["clips that seem to be of another film than the one they are listed under"] += 1
            continue
        try:
            analysis = look(owned.clips[clip.videoid])
        except FilmUnreadable:
            left_out["clips that cannot be read"] += 1
            continue
        timeline = analysis.scan.timeline
        end_s = min(float(clip.duration_s or np.inf), timeline.duration_s)
        shots_s = np.stack([timeline.seconds_of(analysis.scan.shots[:, side]) for side in (0, 1)], axis=1)
        vectors, _ = pool(analysis.vectors, shots_s, np.array([[0.0, end_s]]))
        windows.append(Window(f"{SOURCE}:{clip.videoid}", clip.film, 0.0, end_s, 1, vectors[0]))
    return Labelled(profile_named(profile).schema, windows, +left_out)
