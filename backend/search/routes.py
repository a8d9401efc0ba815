"""/api/similar and /api/search: shots by example and by words."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import LARGEST_ID, PageDep, PrincipalDep, ResourcesDep
from backend.errors import InputError, MissingWeights, NotFound, TooLarge
from backend.search import service
from backend.search.filters import Filters
from backend.search.images import FIELD, NotAPicture, read_picture, received
from backend.search.service import Example, Scope
from backend.search.shapes import Similar, Words
from backend.search.words import search_words

LARGEST_FRAME = 2**40
LONGEST_QUESTION = 500
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
Id = Annotated[int, Query(ge=1, le=LARGEST_ID)]
Year = Annotated[int | None, Query(ge=1800, le=2300)]
Seconds = Annotated[float | None, Query(ge=0, le=1e6, allow_inf_nan=False)]
Name = Annotated[str, Query(min_length=1, max_length=100)]


async def _filters(  # noqa: PLR0913  the filters are the interface
    film: Annotated[list[Id] | None, Query(description="Only in these films.", max_length=500)] = None,
    title: Annotated[str, Query(max_length=200, description="Only in films with this in their title.")] = "",
    genre: Annotated[
        list[Name] | None,
        Query(description="Only in films of one of these genres.", max_length=50, examples=[["comedy"]]),
    ] = None,
    year_min: Annotated[Year, Query(description="Only in films of this year and later.")] = None,
    year_max: Annotated[Year, Query(description="Only in films of this year and earlier.")] = None,
    has_faces: Annotated[bool | None, Query(description="Only shots with faces, or only without.")] = None,
    has_speech: Annotated[
        bool | None, Query(description="Only shots in which somebody speaks, or only others.")
    ] = None,
    min_duration_s: Annotated[Seconds, Query(description="Only shots at least this long.")] = None,
    max_duration_s: Annotated[Seconds, Query(description="Only shots at most this long.")] = None,
) -> Filters:
    return Filters(
        films=tuple(film or ()),
        title=title,
        genres=tuple(genre or ()),
        year_min=year_min,
        year_max=year_max,
        has_faces=has_faces,
        has_speech=has_speech,
        min_duration_s=min_duration_s,
        max_duration_s=max_duration_s,
    )


async def _scope(
    page: PageDep,
    filters: Annotated[Filters, Depends(_filters)],
    project: Annotated[Id | None, Query(description="Only in this project; left out, in all of yours.")] = None,
) -> Scope:
    return Scope(project, filters, page.limit, page.offset)


ScopeDep = Annotated[Scope, Depends(_scope)]


async def _example(
    movie: Annotated[Id, Query(description="The film that the example is from.", examples=[1])],
    shot: Annotated[
        int | None, Query(ge=0, le=LARGEST_ID, description="A shot of it by number.", examples=[12])
    ] = None,
    scene: Annotated[int | None, Query(ge=0, le=LARGEST_ID, description="A scene of it by number.")] = None,
    start_frame: Annotated[int | None, Query(ge=0, le=LARGEST_FRAME, description="Or its first frame,")] = None,
    end_frame: Annotated[int | None, Query(ge=1, le=LARGEST_FRAME, description="and the one after its last.")] = None,
) -> Example:
    frames = None if start_frame is None or end_frame is None else (start_frame, end_frame)
    if [shot, scene, frames].count(None) != 2 or (frames is None) != (start_frame is None and end_frame is None):
        raise InputError("Give one of shot, scene, or start_frame with end_frame.")
    return Example(movie, shot, scene, frames)


@router.get("/similar", responses=errors(NotFound, InputError), response_model=Similar)
def similar(
    resources: ResourcesDep, who: PrincipalDep, scope: ScopeDep, example: Annotated[Example, Depends(_example)]
) -> Response:
    """Shots that look like a shot, a scene or a stretch of a film, which itself is left out.

    A score is how far the likeness (cosine of two vectors) is on the way from that of shots which have nothing to do
    with each other, 0, to the same picture, 1.
    """
    with Session(resources.reading) as session:
        return _answer(service.similar(session, resources, who, example, scope))


@router.post(
    "/similar",
    responses=errors(NotFound, NotAPicture, TooLarge, MissingWeights),
    response_model=Similar,
    openapi_extra={"requestBody": PICTURE},
)
def similar_to_picture(
    resources: ResourcesDep, who: PrincipalDep, scope: ScopeDep, image: Annotated[bytes, Depends(received)]
) -> Response:
    """Shots that look like a picture of at most 20 MB."""
    with Session(resources.reading) as session:
        return _answer(service.similar_to_picture(session, resources, who, read_picture(image), scope))


@router.get("/search", responses=errors(NotFound, InputError), response_model=Words)
def search(
    resources: ResourcesDep,
    who: PrincipalDep,
    scope: ScopeDep,
    q: Annotated[
        str, Query(min_length=1, max_length=LONGEST_QUESTION, description="The words.", examples=["a lone warrior"])
    ],
) -> Response:
    """Shots by words: what is said in them, what they seem to show and, with the full profile, what they look like.

    `found_by` says what found a shot: a line with the words marked, a label, or its look. Scores go from 0 to 1: of a
    line, how near its meaning is and how many of the words are in it; of a label, how near it is to the words and how
    probable in the picture; of a look, how much rather the words fit than "a frame of a film".
    """
    if not q.strip():
        raise InputError("Say what to look for, in a word or a few.")
    with Session(resources.reading) as session:
        return _answer(search_words(session, resources, who, q.strip(), scope))


def _answer(found: Similar | Words) -> Response:
    # It is what the model says already; checking it once more takes as long as the search.
    return Response(found.model_dump_json(), media_type="application/json")
