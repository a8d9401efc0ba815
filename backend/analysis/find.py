"""The main job: a film in, its best clips out; ranked, explained, and cut if asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backend.analysis.film import Analysis, analyse
from backend.analysis.progress import Progress, silent
from backend.analysis.request import AnalysisRequest, model_detector
from backend.analysis.view import scoring_film
from backend.features.registry import OPTIONAL, build, profile_named
from backend.scoring.ensemble import Weights
from backend.scoring.film import ScoringFilm
from backend.scoring.mlp import load_model
from backend.scoring.rank import Ranking, RankRequest, check_request, rank


@dataclass(frozen=True)
class FindRequest:
    """What is asked for. Lengths in seconds; `model` is the folder of a trained model, None for the prior.

    model_paths, offline  where pretrained weights lie, and whether a hub may be asked
    """

    film: Path
    home: Path
    top_n: int = 5
    min_s: float = 60.0
    max_s: float = 120.0
    weights: Weights = field(default_factory=Weights)
    skip_last_percent: float = 0.0
    per_scene: int | None = None
    profile: str = "embedded"
    fast: bool = False
    detector: str = "adaptive"
    model: Path | None = None
    model_paths: Mapping[str, Path] = field(default_factory=dict)
    offline: bool = False


@dataclass(frozen=True)
class Findings:
    """What was found: the analysis, the film as scoring saw it, and the ranking."""

    request: FindRequest
    analysis: Analysis
    film: ScoringFilm
    ranking: Ranking

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of the film and of this list."""
        return (*self.analysis.warnings, *self.ranking.notes)


def find(request: FindRequest, progress: Progress = silent) -> Findings:
    """Analyse the film (or take the analysis from the cache) and rank its windows.

    Raises InputError for what is asked or the film, MissingWeights for a pretrained model, OutputError for the cache.
    """
    wanted_clips = _rank_request(request)
    check_request(wanted_clips)
    profile = profile_named(request.profile)
    model = load_model(request.model) if request.model else None
    framing = model is not None and model.schema == profile.framed
    schema = profile.schema_for(framing=framing)
    if model:
        model.require(schema)
    paths = {name: str(path) for name, path in request.model_paths.items()}
    cache, extras = request.home / "networks", OPTIONAL if framing else ()
    extractors = build(request.profile, paths=paths, cache=cache, offline=request.offline, extras=extras)
    wanted = AnalysisRequest(
        path=request.film,
        home=request.home,
        schema=schema,
        extractors=extractors,
        detector=request.detector,
        fast=request.fast,
        model_detector=model_detector(request.detector),
    )
    analysis = analyse(wanted, progress)
    film = scoring_film(analysis)
    return Findings(request, analysis, film, rank(film, wanted_clips, model))


def _rank_request(request: FindRequest) -> RankRequest:
    return RankRequest(
        min_s=request.min_s,
        max_s=request.max_s,
        top_n=request.top_n,
        weights=request.weights,
        skip_last_percent=request.skip_last_percent,
        per_scene=request.per_scene,
    )
