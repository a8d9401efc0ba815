"""What the priors look at: documented measures of a window, each with its block and the words a person reads.

All are computed for every window at once from cumulative sums. A signal that a film lacks (no audio, no faces) is
constant, and what is constant says nothing: its standardised value is 0 everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.scoring.film import Floats, ScoringFilm
from backend.scoring.scenes import scene_of_shot, scene_starts_s
from backend.scoring.standard import Integral, robust_z
from backend.scoring.windows import Segments, Windows, pool

OPENING_S = 3.0
QUIETEST_DB = -50.0
"""Loudness below this is silence; how silent does not matter."""

SPEECH_SHARE = 0.02
"""A film with less speech than this counts as one without."""

EDGE_S = 0.05
SKETCH = 24
"""Shot vectors are sketched in so many dimensions (a fixed random projection keeps distances) to measure variety."""


@dataclass(frozen=True)
class Stage:
    """A film with its windows, and what several measures share."""

    film: ScoringFilm
    segments: Segments
    windows: Windows

    def seconds(self, name: str) -> Floats:
        """The per-second signal, finite float64 [S]; zeros where the film has none."""
        size = max(1, int(np.ceil(self.film.duration_s - 1e-6)))
        values = np.nan_to_num(np.asarray(self.film.signals.get(name, ()), np.float64), posinf=0.0, neginf=0.0)[:size]
        if name == "loudness_db" and len(values):
            values = np.maximum(values, QUIETEST_DB)
        return np.pad(values, (0, size - len(values)), mode="edge" if len(values) else "constant")

    def mean(self, values: Floats) -> Floats:
        """Mean of a per-second signal over each window, float64 [W]."""
        found, sums = self.windows, Integral(values, self.film.duration_s)
        # Windows share their ends: look up each segment's once, not each window's.
        before, after = sums.until(self.segments.start_s), sums.until(self.segments.end_s)
        return np.asarray(
            (after[found.last - 1] - before[found.first]) / np.maximum(found.durations_s, 1e-9), np.float64
        )

    def spread(self, values: Floats) -> Floats:
        """Standard deviation of a per-second signal within each window, float64 [W]."""
        centred = values - np.mean(values)
        return np.sqrt(np.maximum(self.mean(centred**2) - self.mean(centred) ** 2, 0.0))

    def per_shot(self, values: Floats) -> Floats:
        """Mean of a per-shot signal over each window, by duration, float64 [W]."""
        column = np.nan_to_num(np.asarray(values, np.float64))[self.segments.shot][:, None]
        return pool(column, self.segments.durations_s, self.windows)[:, 0]

    @cached_property
    def energy(self) -> Floats:
        """How much happens, per second: loudness, onsets, motion and cuts on one scale, over three seconds. [S]."""
        parts = [robust_z(self.seconds(name)) for name in ("loudness_db", "onsets", "motion", "cuts")]
        padded = np.pad(np.mean(parts, axis=0), 1, mode="edge")
        return np.asarray((padded[:-2] + padded[1:-1] + padded[2:]) / 3, np.float64)


@dataclass(frozen=True)
class Measure:
    """One number a window: the block it belongs to, words for much and for little of it, and how it is computed.

    The words are empty where a reason of its own says it already.
    """

    block: str
    much: str
    little: str
    of: Callable[[Stage], Floats]


def _mean_of(name: str) -> Callable[[Stage], Floats]:
    return lambda stage: stage.mean(stage.seconds(name))


def _speech(stage: Stage) -> Floats:
    speech = stage.seconds("speech")
    # Sighs and grunts are heard as speech too: in Big Buck Bunny, where nobody speaks, for 0.9 % of the film.
    return stage.mean(speech if np.mean(speech) >= SPEECH_SHARE else np.zeros_like(speech))


def _opening(stage: Stage) -> Floats:
    start = stage.windows.start_s
    end = np.minimum(start + OPENING_S, stage.windows.end_s)
    return Integral(stage.energy, stage.film.duration_s).mean(start, end) - stage.mean(stage.energy)


def _rise(stage: Stage) -> Floats:
    start, end = stage.windows.start_s, stage.windows.end_s
    turn = start + (end - start) * 2 / 3
    energy = Integral(stage.energy, stage.film.duration_s)
    return energy.mean(turn, end) - energy.mean(start, turn)


def _faces(stage: Stage) -> Floats:
    count = stage.film.shot_signals.get("face_count", np.zeros(len(stage.film.shots)))
    return stage.per_shot(np.minimum(count, 1.0))


def _close_faces(stage: Stage) -> Floats:
    # Equal steps of closeness are equal ratios of size: the root of the area is the face's height.
    share = np.nan_to_num(stage.film.shot_signals.get("face_share", np.zeros(len(stage.film.shots))))
    return stage.per_shot(np.sqrt(np.clip(share, 0.0, 1.0)))


def _whole(stage: Stage) -> Floats:
    starts, ends = scene_edges(stage.film, stage.windows)
    scenes = scene_of_shot(stage.film)[stage.segments.shot]
    held = scenes[stage.windows.last - 1] - scenes[stage.windows.first] + 1 if len(scenes) else np.zeros(0)
    return 0.4 * starts + 0.4 * ends + 0.2 / np.maximum(held, 1)


def scene_edges(film: ScoringFilm, found: Windows) -> tuple[Floats, Floats]:
    """1 where a window starts (first array) or ends (second) on a scene's edge, else 0; float64 [W] each."""
    edges = np.append(scene_starts_s(film), film.duration_s)
    return _on(edges, found.start_s), _on(edges, found.end_s)


def _on(edges: Floats, at_s: Floats) -> Floats:
    after = np.clip(np.searchsorted(edges, at_s), 1, len(edges) - 1)
    nearest = np.minimum(np.abs(edges[after] - at_s), np.abs(at_s - edges[after - 1]))
    return (nearest <= EDGE_S).astype(np.float64)


def _variety(stage: Stage) -> Floats:
    """Standard deviation of the shots' pictures around the window's mean picture, by duration."""
    schema = stage.film.schema
    name = "visual" if "visual" in schema.slices else schema.blocks[0].name
    vectors = np.nan_to_num(np.asarray(stage.film.vectors[:, schema.slices[name]], np.float32))
    projection = np.random.default_rng(0).standard_normal((vectors.shape[1], SKETCH), np.float32) / np.sqrt(SKETCH)
    sketch = (vectors @ projection.astype(np.float32))[stage.segments.shot].astype(np.float64)
    variance = np.zeros(len(stage.windows))
    for column in (sketch - sketch.mean(axis=0)).T:
        both = pool(np.stack([column, column**2], axis=1), stage.segments.durations_s, stage.windows)
        variance += np.maximum(both[:, 1] - both[:, 0] ** 2, 0.0)
    return np.sqrt(variance)


MEASURES: Mapping[str, Measure] = {
    "loudness": Measure("audio", "loud", "quiet", _mean_of("loudness_db")),
    "onsets": Measure("audio", "lively sound", "calm sound", _mean_of("onsets")),
    "music": Measure("audio", "music", "little music", _mean_of("music")),
    "loudness_range": Measure(
        "audio",
        "both quiet and loud moments",
        "even loudness",
        lambda stage: stage.spread(stage.seconds("loudness_db")),
    ),
    "cutting": Measure("dynamics", "fast cutting", "slow cutting", _mean_of("cuts")),
    "motion": Measure("dynamics", "much movement", "little movement", _mean_of("motion")),
    "opening": Measure("dynamics", "strong opening", "slow opening", _opening),
    "rise": Measure("dynamics", "builds towards its end", "quiet ending", _rise),
    "energy_range": Measure("dynamics", "changes of pace", "even pace", lambda stage: stage.spread(stage.energy)),
    "colour": Measure("visual", "strong colours", "pale colours", _mean_of("colour")),
    "contrast": Measure("visual", "strong light and shade", "flat light", _mean_of("contrast")),
    "variety": Measure("visual", "varied pictures", "pictures alike", _variety),
    "faces": Measure("faces", "faces on screen", "few faces", _faces),
    "close_faces": Measure("faces", "close faces", "no close faces", _close_faces),
    "speech": Measure("dialogue", "much speech", "little speech", _speech),
    "wholeness": Measure("scene", "", "cut out of a scene", _whole),
}

BLOCKS = tuple(dict.fromkeys(measure.block for measure in MEASURES.values()))


def measured(film: ScoringFilm, parts: Segments, found: Windows) -> dict[str, Floats]:
    """Every measure of every window in its own unit, name → float64 [W]."""
    stage = Stage(film, parts, found)
    return {name: item.of(stage) for name, item in MEASURES.items()}


def measure(film: ScoringFilm, parts: Segments, found: Windows) -> dict[str, Floats]:
    """Every measure of every window, standardised within the film (robust z), name → float64 [W]."""
    return {name: robust_z(values) for name, values in measured(film, parts, found).items()}
