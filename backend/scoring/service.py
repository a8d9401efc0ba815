"""The scoring service: ranked windows of what is stored, or of windows given by features. No film is touched."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlmodel import Session, col, select

from backend.analysis.shelf import Shelf
from backend.errors import InputError, UnknownName
from backend.library.models import Movie
from backend.scoring import ensemble
from backend.scoring.explain import PRIOR, band
from backend.scoring.film import Floats
from backend.scoring.live import Pinned, fitting
from backend.scoring.mlp import Model, load_model
from backend.scoring.models import ModelVersion
from backend.scoring.rank import RankRequest, rank
from backend.scoring.registry import SCORERS
from backend.scoring.shapes import ScoreCurve, Scored, ScoredWindow, ScoreRequest, WindowFeatures
from backend.scoring.signals import MEASURES
from backend.scoring.standard import robust_z
from backend.settings import Ranking
from backend.store.media import listed, present

if TYPE_CHECKING:
    from backend.resources import Resources


def models_folder(home: Path) -> Path:
    """Where trained models lie, a folder each."""
    return home / "models"


def model_named(session: Session, home: Path, project_id: int | None, version: str) -> Model:
    """The model of a version, of this project or entered in none; raises UnknownName."""
    folder = models_folder(home)
    others = select(ModelVersion.version)
    if project_id is not None:
        others = others.where(col(ModelVersion.project_id) != project_id)
    known = sorted(listed(folder).keys() - set(session.exec(others).all()))
    if version not in known:
        raise UnknownName("model", version, [PRIOR, *known])
    return load_model(present(folder / version, folder=True))


def models_for(
    session: Session, resources: "Resources", project_id: int | None, version: str | None, genres: Sequence[str]
) -> tuple[Model, ...]:
    """What scores: what is live in the project for these genres, or what was asked for by its version or as "prior".

    Taken once a request, so that no answer mixes versions. Raises UnknownName, and what loading a model raises.
    """
    if version == PRIOR:
        return ()
    pinned = Pinned() if project_id is None else resources.live.pin(project_id)
    if version is None:
        return pinned.chosen(genres)
    held = [model for model in pinned.models.values() if model.version == version]
    return tuple(held[:1]) or (model_named(session, resources.home, project_id, version),)


def score_movie(
    shelf: Shelf, movie: Movie, asked: ScoreRequest, ranking: Ranking, models: Sequence[Model] = ()
) -> Scored:
    """The best clips of a stored film. Raises Conflict where it is not analysed, InputError, SchemaMismatch."""
    mix, shape = _mix(asked, ranking), ensemble.shape(asked.content, asked.min_s, asked.max_s)
    shelved, left_out = shelf.get(movie), list[str]()
    film = shelved.film
    if asked.model is None:
        models, left_out = fitting(models, film)
    request = RankRequest(
        min_s=shape.min_s,
        max_s=shape.max_s,
        top_n=asked.top_n,
        weights=mix,
        skip_last_percent=asked.skip_last_percent,
        per_scene=asked.per_scene or ranking.clips_per_scene,
    )
    found = rank(film, request, *models, measured=shelved.measured(request))
    clips = [ScoredWindow.model_validate(vars(clip) | {"reasons": list(clip.reasons)}) for clip in found.clips]
    curve = ScoreCurve(**{name: _numbers(values) for name, values in vars(found.curve).items()})
    return Scored(
        movie=movie.id,
        model=found.scored_by["compelling"],
        viral_model=found.scored_by["viral"],
        weights={"viral": mix.viral, "compelling": mix.compelling},
        min_s=shape.min_s,
        max_s=shape.max_s,
        clips=clips,
        notes=[*left_out, *found.notes],
        curve=curve if asked.curve else None,
    )


def score_windows(asked: ScoreRequest, ranking: Ranking, models: Sequence[Model] = ()) -> Scored:
    """Windows given by features, ranked among each other.

    The priors need measures and are relative to the windows given; a model needs features: without any, what is live
    has no say. A score that cannot be had is null, and the other one counts alone, which a note says. Raises
    InputError where neither can be had.
    """
    if asked.model is None and not any(window.features for window in asked.windows):
        models = ()
    mix, shape = _mix(asked, ranking), ensemble.shape(asked.content, asked.min_s, asked.max_s)
    scores = _priors(asked.windows)
    versions = {model.replaces: model.version for model in models}
    for model in models:
        scores[model.replaces] = model.probabilities(_features(asked.windows, model))
    if not scores:
        raise InputError(
            f"Windows without measures need a trained model; send measures ({', '.join(sorted(MEASURES))}), "
            "or name a model, or a stored film."
        )
    notes = [f"There is no {name} score: {_missing(name, models)}." for name in SCORERS if name not in scores]
    total = mix.combine(*(scores[name] for name in SCORERS)) if not notes else next(iter(scores.values()))
    order = np.argsort(-total, kind="stable")[: asked.top_n]
    clips = [
        ScoredWindow(
            id=asked.windows[at].id,
            rank=place + 1,
            score=float(total[at]),
            viral=float(scores["viral"][at]) if "viral" in scores else None,
            compelling=float(scores["compelling"][at]) if "compelling" in scores else None,
            band=band(float(total[at])),
        )
        for place, at in enumerate(order.tolist())
    ]
    return Scored(
        movie=None,
        model=versions.get("compelling", PRIOR),
        viral_model=versions.get("viral", PRIOR),
        weights={"viral": mix.viral, "compelling": mix.compelling},
        min_s=shape.min_s,
        max_s=shape.max_s,
        clips=clips,
        notes=notes,
    )


def _mix(asked: ScoreRequest, ranking: Ranking) -> ensemble.Weights:
    return ensemble.weights(asked.weight_viral, asked.weight_compelling, asked.content, asked.genre, ranking.weights)


def _priors(windows: list[WindowFeatures]) -> dict[str, Floats]:
    """Both priors of the windows, relative to each other; nothing where no window has measures."""
    named = sorted({name for window in windows for name in window.measures})
    for name in named:
        if name not in MEASURES:
            raise UnknownName("measure", name, MEASURES)
    if not named:
        return {}
    if lacking := [window.id for window in windows if set(window.measures) != set(named)]:
        raise InputError(f"All windows must have the same measures; {lacking[0]!r} has others.")
    zeros = np.zeros(len(windows))
    standard = dict.fromkeys(MEASURES, zeros)
    for name in named:
        standard[name] = robust_z(_finite(np.array([window.measures[name] for window in windows])))
    return {name: prior.score(standard) for name, prior in SCORERS.items()}


def _features(windows: list[WindowFeatures], model: Model) -> Floats:
    wrong = [window for window in windows if len(window.features) != model.schema.dimension]
    if wrong:
        raise InputError(
            f"The model wants {model.schema.dimension} features a window ({model.schema.describe()}); "
            f"{wrong[0].id!r} has {len(wrong[0].features)}."
        )
    return _finite(np.array([window.features for window in windows]))


def _finite(values: Floats) -> Floats:
    if not np.all(np.isfinite(values)):
        raise InputError("Features and measures must be finite numbers.")
    return values


def _missing(name: str, models: Sequence[Model]) -> str:
    return "no measures were sent" if models else f"no model for {name} was named and no measures were sent"


def _numbers(values: Floats) -> list[float | None]:
    return [round(value, 4) if np.isfinite(value) else None for value in values.tolist()]
