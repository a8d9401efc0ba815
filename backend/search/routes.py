"""/api/similar and /api/search: shots by example and by words; films like a film."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.answers import errors
from backend.asked import asked, described
from backend.dependencies import Id, PrincipalDep, ResourcesDep
from backend.errors import InputError, MissingWeights, NotFound, TooLarge
from backend.members.service import Principal
from backend.resources import Resources
from backend.search import service
from backend.search.images import FIELD, NotAPicture, read_picture, received
from backend.search.questions import InWords, LikeThis, Where
from backend.search.shapes import AlikeFilms, Similar, Words
from backend.search.titles import films_like
from backend.search.words import search_words

_BINARY = {"type": "string", "format": "binary"}
PICTURE: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: _BINARY}}},
        "image/jpeg": {"schema": _BINARY},
        "image/png": {"schema": _BINARY},
        "image/webp": {"schema": _BINARY},
    },
}

# Sessions are opened within these routes: as a dependency one costs two changes of threads.
router = APIRouter(tags=["search"])


@router.get(
    "/similar",
    responses=errors(NotFound, InputError),
    response_model=Similar,
    openapi_extra=described(LikeThis),
)
async def similar(
    resources: ResourcesDep, who: PrincipalDep, like: Annotated[LikeThis, Depends(asked(LikeThis))]
) -> Response:
    """Shots that look like a shot, a scene or a stretch of a film, which itself is left out.

    A score is how far the likeness (cosine of two vectors) is on the way from that of shots which have nothing to do
    with each other, 0, to the same picture, 1.
    """
    # To a thread and back takes a tenth of the time of such a question.
    if service.is_at_hand(resources, who, like.movie, like.scope()):
        return _similar(resources, who, like)
    return await run_in_threadpool(_similar, resources, who, like)


def _similar(resources: Resources, who: Principal, like: LikeThis) -> Response:
    with Session(resources.reading) as session:
        return _answer(service.similar(session, resources, who, like.example(), like.scope()))


@router.post(
    "/similar",
    responses=errors(NotFound, NotAPicture, TooLarge, MissingWeights),
    response_model=Similar,
    openapi_extra={"requestBody": PICTURE, **described(Where)},
)
def similar_to_picture(
    resources: ResourcesDep,
    who: PrincipalDep,
    where: Annotated[Where, Depends(asked(Where))],
    image: Annotated[bytes, Depends(received)],
) -> Response:
    """Shots that look like a picture of at most 20 MB."""
    with Session(resources.reading) as session:
        return _answer(service.similar_to_picture(session, resources, who, read_picture(image), where.scope()))


@router.get(
    "/search",
    responses=errors(NotFound, InputError),
    response_model=Words,
    openapi_extra=described(InWords),
)
def search(
    resources: ResourcesDep, who: PrincipalDep, question: Annotated[InWords, Depends(asked(InWords))]
) -> Response:
    """Shots by words: what is said in them, what they seem to show and, with the full profile, what they look like.

    `found_by` says what found a shot: a line with the words marked, a label, or its look. Scores go from 0 to 1: of a
    line, how near its meaning is and how many of the words are in it; of a label, how near it is to the words and how
    probable in the picture; of a look, how much rather the words fit than "a frame of a film".
    """
    with Session(resources.reading) as session:
        return _answer(search_words(session, resources, who, question.words(), question.scope()))


@router.get("/movies/{movie_id}/similar", responses=errors(NotFound, MissingWeights))
def similar_films(
    movie_id: Id, resources: ResourcesDep, who: PrincipalDep, limit: Annotated[int, Query(ge=1, le=50)] = 12
) -> AlikeFilms:
    """Films of the same project whose plot or poster is like this one's.

    A request compares as many as it can in about a second; `waiting` says how many are left for the next one.
    """
    with Session(resources.reading) as session:
        return films_like(session, resources, who, movie_id, limit)


def _answer(found: Similar | Words) -> Response:
    # It is what the model says already; checking it once more takes as long as the search.
    return Response(found.model_dump_json(), media_type="application/json")
