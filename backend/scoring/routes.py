"""/api/score: the scoring service."""

from fastapi import APIRouter

from backend.answers import errors
from backend.dependencies import PrincipalDep, ReadSession, ResourcesDep
from backend.errors import Conflict, InputError, NotFound
from backend.library.service import movie_named
from backend.scoring.service import model_named, score_movie, score_windows
from backend.scoring.shapes import Scored, ScoreRequest

router = APIRouter(tags=["scoring"])


@router.post("/score", responses=errors(NotFound, Conflict, InputError))
def score(asked: ScoreRequest, session: ReadSession, who: PrincipalDep, resources: ResourcesDep) -> Scored:
    """Ranked windows of a stored film, or of windows given by features, and the model version that scored them.

    Any weights, preset, length and model. All is taken from what is stored; no film is opened.
    """
    if (asked.movie is None) == (not asked.windows):
        raise InputError("Name a stored film in `movie`, or send `windows`: one of the two.")
    model, ranking = model_named(resources.home, asked.model), resources.settings.ranking
    if asked.movie is None:
        return score_windows(asked, ranking, model)
    movie = movie_named(session, who, asked.movie)
    return score_movie(resources.shelf, movie, asked, ranking, model)
