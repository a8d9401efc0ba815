"""/api/score: the scoring service."""

from fastapi import APIRouter

from backend.answers import errors
from backend.dependencies import PrincipalDep, ReadSession, ResourcesDep
from backend.errors import Conflict, InputError, NotFound
from backend.library.service import movie_named, project_for, projects_of
from backend.scoring.service import models_for, score_movie, score_windows
from backend.scoring.shapes import Scored, ScoreRequest

router = APIRouter(tags=["scoring"])


@router.post("/score", responses=errors(NotFound, Conflict, InputError))
def score(asked: ScoreRequest, session: ReadSession, who: PrincipalDep, resources: ResourcesDep) -> Scored:
    """Ranked windows of a stored film, or of windows given by features, and the model versions that scored them.

    Any weights, preset, length and model: without `model` what is live in the film's project, for its genre where that
    has a model of its own. All is taken from what is stored; no film is opened.
    """
    if (asked.movie is None) == (not asked.windows):
        raise InputError("Name a stored film in `movie`, or send `windows`: one of the two.")
    ranking, version = resources.settings.ranking, asked.model
    if asked.movie is None:
        named = asked.project is not None or projects_of(session, who)
        project_id = project_for(session, who, asked.project, "viewer") if named else None
        genres = [asked.genre] if asked.genre else []
        return score_windows(asked, ranking, models_for(session, resources, project_id, version, genres))
    movie = movie_named(session, who, asked.movie)
    if asked.project not in (None, movie.project_id):
        raise InputError(f"The film {movie.id} is not in project {asked.project}; leave `project` out.")
    models = models_for(session, resources, movie.project_id, version, movie.genres)
    return score_movie(resources.shelf, movie, asked, ranking, models)
