"""The stages of an ingest, in order. Each can be done twice, or begun again by another worker, with the same end.

What a stage makes of the film's content lies in content-addressed files that appear whole; rows change in one
transaction that first makes sure that the job is still this worker's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from backend.analysis import rows
from backend.analysis.cache import CHANGED, FilmCache
from backend.analysis.film import Analysis, analyse, cache_of, watch
from backend.analysis.progress import Progress
from backend.analysis.request import AnalysisRequest, model_detector
from backend.analysis.view import scoring_film
from backend.clusters.placing import add_film
from backend.errors import FilmUnreadable
from backend.features.registry import profile_named
from backend.jobs import service as jobs
from backend.jobs.service import Doing
from backend.library.models import Movie
from backend.media.probe import probe_film
from backend.media.proxy import needs_proxy, write_proxy
from backend.resources import Resources
from backend.scoring.ensemble import weights
from backend.scoring.live import fitting, is_current
from backend.scoring.rank import RankRequest, rank
from backend.search.index import index_movie
from backend.settings import Settings
from backend.store.media import present

PROXY_VERSION = 1
CANDIDATES_PER_SCENE, CANDIDATES_MAX_OVERLAP = 4, 0.5
"""People choose among candidates: more variants of a good moment are kept than a list of clips would show."""


@dataclass(frozen=True)
class Context:
    """What a stage is given: the film as its row was then, how to tell how far it is, and what the job was asked."""

    resources: Resources
    doing: Doing
    movie: Movie
    progress: Progress
    asked: Mapping[str, Any] = field(default_factory=dict)


def probe(context: Context) -> str:
    """Read the header and the checksum. A film that is here already under another row is merged with that."""
    path = present(Path(context.movie.path))
    probed = probe_film(path)
    if context.movie.audio_track and context.movie.audio_track >= len(probed.audio):
        raise FilmUnreadable(path.name, f"it has no audio track {context.movie.audio_track}")
    cache = cache_of(path, context.resources.home, context.progress)
    probed = probe_film(path)  # once more: to sum a long film takes minutes, and it may be another one by now
    cache.require_same()
    with Session(context.resources.engine) as session:
        jobs.fence(session, context.doing)
        note = rows.save_probe(session, context.resources, context.movie.id or 0, probed, cache.sha256)
        session.commit()
    return note


def proxy(context: Context) -> str:
    """Make a copy that browsers play, where the film itself would not."""
    probed = probe_film(present(Path(context.movie.path)))
    wanted = context.resources.settings.analysis.proxy
    why = needs_proxy(probed, context.movie.audio_track) if wanted else None
    made = ""
    if why:
        cache = _same_film(context)
        target = cache.folder / f"proxy-v{PROXY_VERSION}-{context.movie.audio_track}.mp4"
        if not present(target).is_file():
            told = lambda share: context.progress("proxy", share, 1.0)  # noqa: E731  a callback
            write_proxy(probed, target, context.movie.audio_track, told, confirm=cache.require_same)
        made = target.name
    with Session(context.resources.engine) as session:
        jobs.fence(session, context.doing)
        rows.save_proxy(session, context.movie.id or 0, made)
        session.commit()
    return f"a copy for browsers was made: {why}" if why else ""


def scan(context: Context) -> str:
    """Decode the film once: shots, keyframes, signals, sound, and the features of pictures."""
    _same_film(context)
    watch(_request(context), context.progress)
    return ""


def features(context: Context) -> str:
    """Everything else that is known of its shots: words, labels, faces, scenes; then the rows that say so."""
    known = _analysis(context)
    with Session(context.resources.engine) as session:
        jobs.fence(session, context.doing)
        rows.save_analysis(session, context.movie.id or 0, _request(context), known)
        session.commit()
    return ""


def index(context: Context) -> str:
    """Put the vectors where they are searched."""
    fence = lambda session: jobs.fence(session, context.doing)  # noqa: E731  a callback
    index_movie(context.resources, context.movie.id or 0, context.progress, fence)
    return ""


def clusters(context: Context) -> str:
    """Put its shots and the people in them beside those of the project's other films."""
    movie, fence = context.movie, lambda session: jobs.fence(session, context.doing)
    add_film(context.resources, movie.id or 0, movie.project_id, fence)
    return ""


def candidates(context: Context) -> str:
    """Rank the windows with what is live, keep the best as candidates, and let the film be seen as ready."""
    known = _analysis(context)
    film, movie, live = scoring_film(known), context.movie, context.resources.live
    while True:
        live.look()
        pinned = live.pin(movie.project_id)
        models, left_out = fitting(pinned.chosen(movie.genres), film)
        ranking = rank(film, candidates_wanted(context.resources.settings), *models)
        with Session(context.resources.engine) as session:
            jobs.fence(session, context.doing)
            if is_current(session, movie.project_id, pinned):
                rows.save_candidates(session, movie.id or 0, known, ranking)
                session.commit()
                return " ".join(left_out)


def candidates_wanted(settings: Settings) -> RankRequest:
    """What is asked of the ranking that gives candidates."""
    return RankRequest(
        top_n=settings.analysis.candidates,
        weights=weights(settings=settings.ranking.weights),
        per_scene=settings.ranking.clips_per_scene or CANDIDATES_PER_SCENE,
        max_overlap=CANDIDATES_MAX_OVERLAP,
    )


Stages = Mapping[str, tuple[Callable[[Context], str], float]]
"""Stage → what it does, giving a note for people or "", and its share of the whole job."""

STAGES: Stages = {
    "probe": (probe, 0.02),
    "proxy": (proxy, 0.18),
    "scan": (scan, 0.65),
    "features": (features, 0.11),
    "index": (index, 0.02),
    "clusters": (clusters, 0.01),
    "candidates": (candidates, 0.01),
}


def _request(context: Context) -> AnalysisRequest:
    """How the film is analysed: today's settings, the worker's loaded models."""
    settings, movie = context.resources.settings, context.movie
    return AnalysisRequest(
        path=present(Path(movie.path)),
        home=context.resources.home,
        schema=profile_named(settings.analysis.profile).schema_for(framing=settings.analysis.framing),
        extractors=context.resources.extractors,
        detector=settings.analysis.detector,
        fast=settings.analysis.fast,
        model_detector=model_detector(settings.analysis.detector),
        transcribe=context.resources.recogniser if settings.analysis.transcribe else None,
        audio_track=movie.audio_track,
    )


def _same_film(context: Context) -> FilmCache:
    """What is kept of the film; raises FilmUnreadable where its file is another one than when it was probed."""
    path = present(Path(context.movie.path))
    cache = cache_of(path, context.resources.home, context.progress)
    _require_probed(context, cache.sha256)
    return cache


def _analysis(context: Context) -> Analysis:
    _same_film(context)  # before anything is done for another
    known = analyse(_request(context), context.progress)
    _require_probed(context, known.sha256)
    return known


def _require_probed(context: Context, sha256: str) -> None:
    if sha256 != context.movie.sha256:
        raise FilmUnreadable(Path(context.movie.path).name, CHANGED)
