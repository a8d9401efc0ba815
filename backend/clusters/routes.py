"""/api/clusters, /api/noise and /api/feedback: places and people, what is corrected of them, and what that teaches."""

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from backend.answers import errors, is_known
from backend.clusters import corrections, further, service, undoing
from backend.clusters.feedback import feedback, json_lines
from backend.clusters.history import history
from backend.clusters.models import Kind
from backend.clusters.service import ItemSort, Sort, Wanted
from backend.clusters.shapes import (
    MOST_ITEMS,
    ClusterName,
    ClusterNew,
    ClusterPublic,
    Corrected,
    CorrectionPublic,
    Feedback,
    ItemPublic,
    Items,
    Merge,
    MergeSuggestion,
    Moved,
    Split,
)
from backend.clusters.workflow import start
from backend.dependencies import (
    LARGEST_ID,
    LARGEST_PAGE,
    PAGE,
    Id,
    MaybeProjectQuery,
    PageDep,
    PrincipalDep,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import Conflict, NotAllowed, NotFound, OutputError
from backend.jobs.models import JobPublic
from backend.jobs.service import enqueue, public
from backend.library.service import project_for
from backend.paging import Paged, paged

KindQuery = Annotated[Kind, Query(description="`scene`: places; `character`: people.", examples=["scene"])]
MaybeKindQuery = Annotated[Kind | None, Query(description="Only places (`scene`) or people (`character`).")]
MaybeId = Annotated[int | None, Field(ge=1, le=LARGEST_ID)]
SceneQuery = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only what is in this place.")]
ItemsQuery = Annotated[
    list[Annotated[int, Query(ge=1, le=LARGEST_ID)]],
    Query(min_length=1, max_length=MOST_ITEMS, description="Ids of items."),
]
SortQuery = Annotated[ItemSort, Query(description="In the order of the films, or the surest first.")]
Responses = dict[int | str, dict[str, Any]]
UNCHANGED: Responses = {304: {"description": "Nothing has changed since the list with this ETag."}}
LINES: Responses = {
    200: {"model": Paged[Feedback], "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}
CORRECTING = errors(NotFound, NotAllowed, Conflict, OutputError)


class Asked(BaseModel):
    """Which clusters, in what order, and which part of the list."""

    kind: Kind = Field("scene", description="`scene`: places; `character`: people.")
    project: MaybeId = Field(None, description="The project's id; left out, your first.", examples=[1])
    scene: MaybeId = Field(None, description="Only people in this place, and what there is of them there.")
    sort: Sort = Field("size", description="The largest, by name, the longest on the screen, or the newest first.")
    q: str = Field("", max_length=200, description="Part of the name.")
    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    offset: int = Field(0, ge=0, le=2**31, description="How many to leave out first.")


router = APIRouter(tags=["clusters"], responses=errors(NotFound))


@router.get("/clusters", responses=UNCHANGED)
def list_clusters(
    request: Request,
    response: Response,
    session: ReadSession,
    who: PrincipalDep,
    asked: Annotated[Asked, Query()],
) -> Paged[ClusterPublic]:
    """Places or people of a project, with covers, figures, and where they appear. `If-None-Match` saves the list."""
    wanted = Wanted(project_for(session, who, asked.project, "viewer"), asked.kind, asked.scene, asked.sort, asked.q)
    found, total = service.list_clusters(session, wanted, asked.limit, asked.offset)
    shown = paged(found, total, asked.offset)
    etag = f'"{hashlib.sha256(shown.model_dump_json().encode()).hexdigest()[:32]}"'
    if is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})  # type: ignore[return-value]
    response.headers["ETag"] = etag
    return shown


@router.post("/clusters", status_code=201, responses=CORRECTING)
def create_cluster(
    new: ClusterNew,
    session: WriteSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    project: MaybeProjectQuery = None,
) -> Corrected:
    """Make a cluster out of items of noise, or of other clusters."""
    project_id = project_for(session, who, project, "curator")
    return corrections.new(session, resources, who, project_id, new.kind, new.items, new.name)


@router.get("/clusters/suggestions", responses=errors(OutputError))
def merge_suggestions(
    session: ReadSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    kind: KindQuery = "scene",
    project: MaybeProjectQuery = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> list[MergeSuggestion]:
    """Pairs of clusters that may be one, the surest first."""
    return service.suggestions(session, resources, project_for(session, who, project, "viewer"), kind, limit)


@router.get("/clusters/corrections")
def list_corrections(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    kind: MaybeKindQuery = None,
    project: MaybeProjectQuery = None,
) -> Paged[CorrectionPublic]:
    """What people corrected, the newest first, in sentences."""
    found, total = history(session, project_for(session, who, project, "viewer"), kind, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/clusters/corrections/{correction_id}/undo", responses=CORRECTING)
def undo(correction_id: Id, session: WriteSession, resources: ResourcesDep, who: PrincipalDep) -> Corrected:
    """Take a correction back, whichever came after it; what others said stays."""
    return undoing.undo(session, resources, who, correction_id)


@router.get("/clusters/corrections/{correction_id}/more", responses=errors(OutputError))
def preview_more(
    correction_id: Id, session: ReadSession, resources: ResourcesDep, who: PrincipalDep, page: PageDep
) -> Paged[Moved]:
    """What else a correction would move, the surest first. Nothing is moved."""
    found, total = further.preview(session, resources, who, correction_id, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/clusters/corrections/{correction_id}/more", responses=CORRECTING)
def move_more(correction_id: Id, session: WriteSession, resources: ResourcesDep, who: PrincipalDep) -> Corrected:
    """Move what else the correction would move; taken back as a whole."""
    return further.carry_on(session, resources, who, correction_id)


@router.post("/clusters/merge", responses=CORRECTING)
def merge(wanted: Merge, session: WriteSession, resources: ResourcesDep, who: PrincipalDep) -> Corrected:
    """Make several clusters one."""
    return corrections.merge(session, resources, who, wanted.into, wanted.clusters)


@router.post("/clusters/split", status_code=201, responses=CORRECTING)
def split(wanted: Split, session: WriteSession, resources: ResourcesDep, who: PrincipalDep) -> Corrected:
    """Make some items of a cluster another one."""
    return corrections.split(session, resources, who, wanted.cluster, wanted.items, wanted.name)


@router.post("/clusters/refresh", status_code=202, responses=errors(NotAllowed))
def refresh(
    session: WriteSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    kind: MaybeKindQuery = None,
    project: MaybeProjectQuery = None,
) -> JobPublic:
    """Cluster all anew, under what people said. Answers at once with the job; an open one is given instead."""
    job, new = start(session, project_for(session, who, project, "curator"), kind, who.name)
    if new:
        enqueue(resources.queue, job)
    return public(job)


@router.get("/clusters/{cluster_id}")
def get_cluster(cluster_id: Id, session: ReadSession, who: PrincipalDep) -> ClusterPublic:
    """One place or person."""
    return service.shown(session, service.cluster_named(session, who, cluster_id))


@router.patch("/clusters/{cluster_id}", responses=CORRECTING)
def rename(
    cluster_id: Id, said: ClusterName, session: WriteSession, resources: ResourcesDep, who: PrincipalDep
) -> Corrected:
    """Give it a name, or take the name away."""
    return corrections.rename(session, resources, who, cluster_id, said.name)


@router.get("/clusters/{cluster_id}/members")
def list_members(
    cluster_id: Id,
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    sort: SortQuery = "time",
    scene: SceneQuery = None,
) -> Paged[ItemPublic]:
    """What lies in a cluster."""
    cluster = service.cluster_named(session, who, cluster_id)
    found, total = service.members(session, cluster, scene, sort, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/clusters/{cluster_id}/members", responses=CORRECTING)
def move(cluster_id: Id, moved: Items, session: WriteSession, resources: ResourcesDep, who: PrincipalDep) -> Corrected:
    """Move items here, out of noise or out of other clusters."""
    return corrections.move(session, resources, who, cluster_id, moved.items)


@router.delete("/clusters/{cluster_id}/members", responses=CORRECTING)
def remove(
    cluster_id: Id, session: WriteSession, resources: ResourcesDep, who: PrincipalDep, items: ItemsQuery
) -> Corrected:
    """Say of items "not this": they go to noise, and no machine puts them here again."""
    return corrections.remove(session, resources, who, cluster_id, items)


@router.get("/noise")
def list_noise(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    kind: KindQuery = "scene",
    project: MaybeProjectQuery = None,
    sort: SortQuery = "time",
) -> Paged[ItemPublic]:
    """What no cluster took, waiting for a person."""
    project_id = project_for(session, who, project, "viewer")
    found, total = service.noise(session, project_id, kind, sort, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.get("/feedback", responses=LINES, response_model=Paged[Feedback])
def list_feedback(
    session: ReadSession,
    resources: ResourcesDep,
    who: PrincipalDep,
    page: PageDep,
    kind: MaybeKindQuery = None,
    project: MaybeProjectQuery = None,
    form: Annotated[
        Literal["json", "jsonl"], Query(alias="format", description="`jsonl`: all of it, one pair a line.")
    ] = "json",
) -> Any:
    """What corrections teach: the anchor is more like the positive than like the negative."""
    project_id = project_for(session, who, project, "viewer")
    if form == "jsonl":
        lines = json_lines(resources.reading, project_id, kind)
        return StreamingResponse(lines, media_type="application/x-ndjson")
    found, total = feedback(session, project_id, kind, page.limit, page.offset)
    return paged(found, total, page.offset)
