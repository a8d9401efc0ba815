"""The one entry to scoring: an analysed film in, ranked clips with their reasons out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.errors import InputError
from backend.scoring import explain
from backend.scoring.candidates import Candidates, candidates, check_skip
from backend.scoring.ensemble import Weights
from backend.scoring.film import Floats, Frames, ScoringFilm
from backend.scoring.mlp import Model
from backend.scoring.presets import MAX_S, MIN_S
from backend.scoring.registry import SCORERS
from backend.scoring.remarks import remarks
from backend.scoring.scenes import scene_of_window
from backend.scoring.signals import measure
from backend.scoring.slate import MAX_OVERLAP, choose, preference
from backend.scoring.windows import Windows, check_limits

FRAMES_END = 2**31
"""No film has so many frames."""


@dataclass(frozen=True)
class RankRequest:
    """What is asked for: lengths in seconds, how many clips, the ensemble's weights, what to leave out.

    per_scene    at most so many clips of one scene; None: two, or more where a film has few scenes
    max_overlap  what two clips may share, as a share of the shorter one
    """

    min_s: float = MIN_S
    max_s: float = MAX_S
    top_n: int = 5
    weights: Weights = field(default_factory=Weights)
    skip_last_percent: float = 0.0
    per_scene: int | None = None
    max_overlap: float = MAX_OVERLAP


@dataclass(frozen=True)
class ScoredClip:
    """One chosen window. score = weights.viral · viral + weights.compelling · compelling.

    explanation  block → what the score would lose without it, largest first
    reasons      sentences for a person
    """

    rank: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    score: float
    viral: float
    compelling: float
    band: str
    explanation: Mapping[str, float]
    reasons: tuple[str, ...]
    scene: int


@dataclass(frozen=True)
class Curve:
    """Per second of the film (float64 [S]) the mean scores of all windows that hold it; NaN where there is none."""

    viral: Floats
    compelling: Floats
    score: Floats


@dataclass(frozen=True)
class Ranking:
    """Clips sorted by score, and all that was considered.

    model            "prior", the version of the model that gave one of the scores, or "COMPELLING + VIRAL"
    scored_by        "viral" and "compelling" → "prior" or a model version
    windows, scores  every candidate; scores hold "viral", "compelling", "score", float64 [W]
    """

    clips: tuple[ScoredClip, ...]
    curve: Curve
    notes: tuple[str, ...]
    weights: Weights
    model: str
    scored_by: Mapping[str, str]
    windows: Windows
    scores: Mapping[str, Floats]


def check_request(request: RankRequest) -> None:
    """Raise InputError for impossible limits or numbers; called before a film is decoded for them, too."""
    if request.top_n < 1 or (request.per_scene is not None and request.per_scene < 1):
        raise InputError("At least one clip must be asked for, and at least one a scene.")
    check_limits(request.min_s, request.max_s)
    check_skip(request.skip_last_percent)


@dataclass(frozen=True)
class Measured:
    """All windows of a film within limits, and their measures: what of a ranking no model and no weight changes."""

    pick: Candidates
    measures: Mapping[str, Floats]


def measured_windows(film: ScoringFilm, request: RankRequest) -> Measured:
    """What `rank` may be given, for requests with the same lengths; raises InputError for impossible limits."""
    check_request(request)
    pick = candidates(film, request.min_s, request.max_s, request.skip_last_percent)
    return Measured(pick, measure(film, pick.segments, pick.windows) if len(pick.windows) else {})


def rank(film: ScoringFilm, request: RankRequest, *models: Model | None, measured: Measured | None = None) -> Ranking:
    """Score every window of `film` and choose the slate; what no model gives, its prior does.

    `measured`: what `measured_windows` gave for this film and these lengths, where it is there already.
    Raises InputError for impossible limits or numbers, or two models for one score, SchemaMismatch if a model knows
    other features.
    """
    seen = _see(film, request, models, measured)
    chosen = _slate(seen)
    notes = [*seen.pick.notes]
    if 0 < len(chosen) < request.top_n:
        found = f"{len(chosen)} clip{'s' if len(chosen) > 1 else ''}"
        notes.append(f"Only {found} of {request.top_n}: any other would overlap them or be one too many of its scene.")
    return _ranking(seen, chosen, notes)


def rank_given(
    film: ScoringFilm, request: RankRequest, spans: Iterable[tuple[int, int]], *models: Model | None
) -> Ranking:
    """The same for windows given as (start_frame, end_frame), best first: those that `rank` would consider too.

    The others are left out, since a prior's scores are relative to all windows of the film.
    """
    seen = _see(film, request, models, None)
    found = seen.pick.windows
    keys = found.start_frame * FRAMES_END + found.end_frame
    wanted = np.array([start * FRAMES_END + end for start, end in spans], np.int64)
    chosen = np.flatnonzero(np.isin(keys, wanted))
    return _ranking(seen, chosen[np.lexsort((chosen, -seen.scores["score"][chosen]))], seen.pick.notes)


@dataclass(frozen=True)
class _Seen:
    """All windows of a film, scored. `models`: score → the model that gives it; scores as in Ranking."""

    film: ScoringFilm
    request: RankRequest
    pick: Candidates
    measures: Mapping[str, Floats]
    scores: Mapping[str, Floats]
    models: Mapping[str, Model]


def _see(film: ScoringFilm, request: RankRequest, given: Sequence[Model | None], measured: Measured | None) -> _Seen:
    check_request(request)
    models: dict[str, Model] = {}
    for model in given:
        if model is None:
            continue
        film.schema.columns(model.schema)
        if model.replaces in models:
            raise InputError(
                f"Two models give the {model.replaces} score: {models[model.replaces].version} and {model.version}."
            )
        models[model.replaces] = model
    made = measured or measured_windows(film, request)
    scores = _scores(film, made.pick, made.measures, models)
    scores["score"] = request.weights.combine(scores["viral"], scores["compelling"])
    return _Seen(film, request, made.pick, made.measures, scores, models)


def _ranking(seen: _Seen, chosen: Frames, notes: Sequence[str]) -> Ranking:
    scored_by = {name: seen.models[name].version if name in seen.models else explain.PRIOR for name in SCORERS}
    return Ranking(
        clips=_clips(seen, chosen),
        curve=_curve(seen.film, seen.pick.windows, seen.scores),
        notes=tuple(notes),
        weights=seen.request.weights,
        model=named(scored_by),
        scored_by=scored_by,
        windows=seen.pick.windows,
        scores=seen.scores,
    )


def named(scored_by: Mapping[str, str]) -> str:
    """The versions in one word: "prior", the version of the one model, or "COMPELLING + VIRAL"."""
    own = [scored_by[name] for name in ("compelling", "viral") if scored_by[name] != explain.PRIOR]
    return " + ".join(own) or explain.PRIOR


def _scores(
    film: ScoringFilm, pick: Candidates, measures: Mapping[str, Floats], models: Mapping[str, Model]
) -> dict[str, Floats]:
    scores: dict[str, Floats] = {}
    for name, scorer in SCORERS.items():
        if not len(pick.windows):
            scores[name] = np.zeros(0)
        elif name in models:
            parts = pick.segments
            scores[name] = models[name].window_probabilities(
                film.vectors_for(models[name].schema), parts.durations_s, pick.windows, parts.shot
            )
        else:
            scores[name] = scorer.score(measures)
    return scores


def _slate(seen: _Seen) -> Frames:
    """Indices of the chosen windows, best score first (equal scores: earlier first)."""
    film, found, scores, request = seen.film, seen.pick.windows, seen.scores["score"], seen.request
    if not len(found):
        return np.zeros(0, np.int64)
    order = preference(film, found, scores)
    scenes = scene_of_window(film, found)
    chosen = choose(found, order, scenes, request.top_n, request.max_overlap, request.per_scene)
    return chosen[np.lexsort((chosen, -scores[chosen]))]


def _clips(seen: _Seen, chosen: Frames) -> tuple[ScoredClip, ...]:
    if not len(chosen):
        return ()
    film, request = seen.film, seen.request
    found = seen.pick.windows.take(chosen)
    judges = _judges(seen, chosen)
    blocks = explain.contributions(judges, len(chosen))
    scenes = scene_of_window(film, found)
    ends = remarks(film, seen.pick, found, request.min_s, request.max_s, request.skip_last_percent)
    clips = []
    for at, window in enumerate(chosen):
        own = {name: float(values[window]) for name, values in seen.scores.items()}
        clips.append(
            ScoredClip(
                rank=at + 1,
                start_frame=int(found.start_frame[at]),
                end_frame=int(found.end_frame[at]),
                start_s=float(found.start_s[at]),
                end_s=float(found.end_s[at]),
                **own,
                band=explain.band(own["score"]),
                explanation=blocks[at],
                reasons=(*explain.sentences(judges, at, blocks[at]), *ends[at]),
                scene=int(scenes[at]),
            )
        )
    return tuple(clips)


def _judges(seen: _Seen, chosen: Frames) -> list[tuple[float, Floats, explain.Judge]]:
    judges = []
    standard = {name: values[chosen] for name, values in seen.measures.items()}
    parts, weights = seen.pick.segments, seen.request.weights
    for name, weight in (("viral", weights.viral), ("compelling", weights.compelling)):
        if name in seen.models:
            model = seen.models[name]
            own = seen.film.vectors_for(model.schema)
            pooled, typical = explain.few(own, parts, seen.pick.windows.take(chosen))
            judge = explain.Judge(SCORERS[name], standard, {}, model, pooled, typical)
        else:
            judge = explain.Judge(SCORERS[name], standard, SCORERS[name].effective(seen.measures))
        judges.append((weight, seen.scores[name][chosen], judge))
    return judges


def _curve(film: ScoringFilm, found: Windows, scores: Mapping[str, Floats]) -> Curve:
    size = int(np.ceil(film.duration_s - 1e-6))
    begin = np.clip(np.floor(found.start_s + 1e-6), 0, size).astype(np.int64)
    finish = np.clip(np.ceil(found.end_s - 1e-6), 0, size).astype(np.int64)

    def covered(values: Floats) -> Floats:
        gained = np.bincount(begin, values, size + 1) - np.bincount(finish, values, size + 1)
        return np.asarray(np.cumsum(gained)[:size], np.float64)

    holding = np.rint(covered(np.ones(len(found))))
    share = np.where(holding > 0, holding, np.nan)
    viral, compelling, score = (covered(scores[name]) / share for name in ("viral", "compelling", "score"))
    return Curve(*(np.clip(values, 0.0, 1.0) for values in (viral, compelling, score)))
