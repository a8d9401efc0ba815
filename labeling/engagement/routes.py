"""/api/engagement: what became of published clips."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.answers import errors
from backend.dependencies import LARGEST_ID, MaybeProjectQuery, PageDep, PrincipalDep, ReadSession, ResourcesDep
from backend.errors import InputError, NotAllowed, NotFound, TooLarge
from backend.library.service import movie_named, project_for
from backend.members.service import Principal
from backend.paging import Paged, paged
from backend.resources import Resources
from labeling.bodies import kind_of, project_named, whole_body
from labeling.engagement import service
from labeling.engagement.reading import READERS
from labeling.engagement.shapes import EngagementNew, EngagementPublic, EngagementRead
from labeling.sheets import Row

LARGEST_BODY_BYTES = 16 << 20
MOST_ROWS = 5000
ONE = EngagementNew.model_json_schema()
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": [ONE, {"type": "array", "items": ONE}]}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}

router = APIRouter(prefix="/engagement", tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.post("", openapi_extra=BODY, responses=errors(InputError, TooLarge))
async def add_engagement(
    request: Request, who: PrincipalDep, resources: ResourcesDep, project: MaybeProjectQuery = None
) -> EngagementRead:
    """Keep figures of published clips, as JSON (an object or a list) or CSV with the same names in its first line.

    Rows that are wrong are named by line, with why; the others are kept. The same measurement again is one: with other
    figures it is corrected. Other columns of a CSV are ignored, and named.
    """
    kind = kind_of(request, READERS)
    project_id = await run_in_threadpool(project_named, resources, who, project, "curator")
    body = await whole_body(request, LARGEST_BODY_BYTES)
    return await run_in_threadpool(_add, resources, who, project_id, READERS[kind], body)


@router.get("")
def list_engagement(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    project: MaybeProjectQuery = None,
    candidate: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    movie: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    sha256: Annotated[str, Query(max_length=64, description="Checksum of a film, also of one that is gone.")] = "",
    platform: Annotated[str, Query(max_length=500)] = "",
) -> Paged[EngagementPublic]:
    """Figures of published clips, the newest first."""
    project_id = project_for(session, who, project, "viewer")
    film = movie_named(session, who, movie).sha256 or "-" if movie else sha256
    wanted = service.Wanted(project_id, candidate, film, platform)
    rows, total = service.list_engagement(session, wanted, page.limit, page.offset)
    return paged([EngagementPublic.model_validate(row) for row in rows], total, page.offset)


def _add(
    resources: Resources, who: Principal, project_id: int, read: Callable[[bytes], list[Row]], body: bytes
) -> EngagementRead:
    rows = read(body)
    if len(rows) > MOST_ROWS:
        raise InputError(f"{len(rows)} rows are too many at once; send at most {MOST_ROWS}.")
    with Session(resources.engine) as session:
        return service.add(session, who, project_id, rows)
