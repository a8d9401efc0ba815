"""What routes ask for by type: sessions, resources, and who asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from sqlmodel import Session

from backend.members.service import Principal
from backend.members.signin import COOKIE, principal_of
from backend.resources import Resources

PAGE = 50
LARGEST_PAGE = 500
LARGEST_ID = 2**31 - 1

Id = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
ProjectQuery = Annotated[int, Query(ge=1, le=LARGEST_ID, description="The project's id.", examples=[1])]
MaybeProjectQuery = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="The project's id; left out, your first.", examples=[1])
]


async def _resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


ResourcesDep = Annotated[Resources, Depends(_resources)]


def _reading(resources: ResourcesDep) -> Iterator[Session]:
    with Session(resources.reading) as session:
        yield session


def _writing(resources: ResourcesDep) -> Iterator[Session]:
    with Session(resources.engine) as session:
        yield session


ReadSession = Annotated[Session, Depends(_reading)]
WriteSession = Annotated[Session, Depends(_writing)]


_BEARER = HTTPBearer(auto_error=False, description="An API token: `Authorization: Bearer slc_…`.")
_COOKIE = APIKeyCookie(name=COOKIE, auto_error=False, description="A browser that has signed in.")


async def _principal(
    request: Request, _header: Annotated[object, Security(_BEARER)], _cookie: Annotated[object, Security(_COOKIE)]
) -> Principal:
    # The gate has read header or cookie; they are named here for the OpenAPI document.
    return principal_of(request)


PrincipalDep = Annotated[Principal, Depends(_principal)]


@dataclass(frozen=True)
class Page:
    """Which part of a list is wanted."""

    limit: int
    offset: int


async def _page(
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many at most.")] = PAGE,
    offset: Annotated[int, Query(ge=0, le=2**31, description="How many to leave out first.")] = 0,
) -> Page:
    return Page(limit, offset)


PageDep = Annotated[Page, Depends(_page)]
