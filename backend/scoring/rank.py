"""The one entry to scoring: an analysed film in, ranked clips with their reasons out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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

    model            "prior", or the version of the model that gave the score `replaces` says
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


def rank(film: ScoringFilm, request: RankRequest, model: Model | None = None) -> Ranking:
    """Score every window of `film` and choose the slate.

    Raises InputError for impossible limits or numbers, SchemaMismatch if the model knows other features.
    """
    check_request(request)
    if model is not None:
        model.require(film.schema)
    pick = candidates(film, request.min_s, request.max_s, request.skip_last_percent)
    measures = measure(film, pick.segments, pick.windows) if len(pick.windows) else {}
    scores = _scores(film, pick, measures, model)
    scores["score"] = request.weights.combine(scores["viral"], scores["compelling"])
    chosen = _slate(film, pick, scores["score"], request)
    notes = [*pick.notes]
    if 0 < len(chosen) < request.top_n:
        found = f"{len(chosen)} clip{'s' if len(chosen) > 1 else ''}"
        notes.append(f"Only {found} of {request.top_n}: any other would overlap them or be one too many of its scene.")
    scored_by = {name: model.version if model and model.replaces == name else explain.PRIOR for name in SCORERS}
    return Ranking(
        clips=_clips(film, pick, chosen, measures, scores, request, model),
        curve=_curve(film, pick.windows, scores),
        notes=tuple(notes),
        weights=request.weights,
        model=model.version if model else explain.PRIOR,
        scored_by=scored_by,
        windows=pick.windows,
        scores=scores,
    )


def _scores(
    film: ScoringFilm, pick: Candidates, measures: Mapping[str, Floats], model: Model | None
) -> dict[str, Floats]:
    scores: dict[str, Floats] = {}
    for name, scorer in SCORERS.items():
        if not len(pick.windows):
            scores[name] = np.zeros(0)
        elif model is not None and model.replaces == name:
            parts = pick.segments
            scores[name] = model.window_probabilities(_finite(film), parts.durations_s, pick.windows, parts.shot)
        else:
            scores[name] = scorer.score(measures)
    return scores


def _finite(film: ScoringFilm) -> NDArray[np.float32]:
    return film.vectors if np.isfinite(film.vectors).all() else np.nan_to_num(film.vectors, posinf=0.0, neginf=0.0)


def _slate(film: ScoringFilm, pick: Candidates, scores: Floats, request: RankRequest) -> Frames:
    """Indices of the chosen windows, best score first (equal scores: earlier first)."""
    if not len(pick.windows):
        return np.zeros(0, np.int64)
    order = preference(film, pick.windows, scores)
    scenes = scene_of_window(film, pick.windows)
    chosen = choose(pick.windows, order, scenes, request.top_n, request.max_overlap, request.per_scene)
    return chosen[np.lexsort((chosen, -scores[chosen]))]


def _clips(
    film: ScoringFilm,
    pick: Candidates,
    chosen: Frames,
    measures: Mapping[str, Floats],
    scores: Mapping[str, Floats],
    request: RankRequest,
    model: Model | None,
) -> tuple[ScoredClip, ...]:
    if not len(chosen):
        return ()
    found = pick.windows.take(chosen)
    judges = _judges(film, pick, chosen, measures, scores, request.weights, model)
    blocks = explain.contributions(judges, len(chosen))
    scenes = scene_of_window(film, found)
    ends = remarks(film, pick, found, request.min_s, request.max_s, request.skip_last_percent)
    clips = []
    for at, window in enumerate(chosen):
        own = {name: float(values[window]) for name, values in scores.items()}
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


def _judges(
    film: ScoringFilm,
    pick: Candidates,
    chosen: Frames,
    measures: Mapping[str, Floats],
    scores: Mapping[str, Floats],
    weights: Weights,
    model: Model | None,
) -> list[tuple[float, Floats, explain.Judge]]:
    judges = []
    standard = {name: values[chosen] for name, values in measures.items()}
    for name, weight in (("viral", weights.viral), ("compelling", weights.compelling)):
        if model is not None and model.replaces == name:
            parts = pick.segments
            pooled, typical = explain.few(_finite(film), parts, pick.windows.take(chosen))
            judge = explain.Judge(SCORERS[name], standard, {}, model, pooled, typical)
        else:
            judge = explain.Judge(SCORERS[name], standard, SCORERS[name].effective(measures))
        judges.append((weight, scores[name][chosen], judge))
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
