"""/api/decisions: what curators say, is taken back, listed, and carried out and in."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Discriminator, Tag
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.answers import MANY, ONE, errors
from backend.dependencies import MaybeProjectQuery, PageDep, PrincipalDep, ReadSession, ResourcesDep, WriteSession
from backend.errors import Conflict, InputError, NotAllowed, NotFound, TooLarge
from backend.library.service import movie_named, project_for
from backend.members.service import Principal
from backend.paging import Paged, paged
from backend.resources import Resources
from labeling.bodies import kind_of, project_named, whole_body
from labeling.decisions import service
from labeling.decisions.exporting import FORMATS
from labeling.decisions.importing import READERS, bring_in
from labeling.decisions.labelstudio import Films
from labeling.decisions.shapes import LARGEST_ID, DecisionNew, DecisionPublic, Imported, one_or_many
from labeling.decisions.trims import cuts_of

MOST = 200
LARGEST_IMPORT_BYTES = 64 << 20

FILMS = "For Label Studio: what stands before the name of a film's file where it finds it; left out, this service."
Format = Literal["jsonl", "csv", "label-studio"]
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The decisions.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("application/x-ndjson", "text/csv")}
        | {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
    }
}
KINDS = {"application/x-ndjson": "jsonl", "text/csv": "csv"}
IMPORTED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in KINDS}}
}

One = Annotated[DecisionNew, Tag(ONE)]
Many = Annotated[list[DecisionNew], Tag(MANY), Body(max_length=MOST)]
OneOrMany = Annotated[One | Many, Discriminator(one_or_many)]

router = APIRouter(tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.post("/decisions", status_code=201, responses=errors(Conflict, InputError))
async def decide(
    wanted: OneOrMany, who: PrincipalDep, resources: ResourcesDep
) -> DecisionPublic | list[DecisionPublic]:
    """Say what you think of a candidate, or of several in a list: then all are kept, or none.

    What is answered is kept. The same `key` twice is one decision and has the same answer, so sending again is safe.
    """
    # One change of thread and back: a route that is no coroutine has its answer checked on yet another thread, and a
    # session as a dependency would be opened and closed on others. This is what curators wait for.
    kept = await run_in_threadpool(_keep, resources, who, wanted if isinstance(wanted, list) else [wanted])
    return kept if isinstance(wanted, list) else kept[0]


def _keep(resources: Resources, who: Principal, wanted: list[DecisionNew]) -> list[DecisionPublic]:
    cuts = cuts_of(resources, wanted)
    with Session(resources.engine) as session:
        return service.save(session, who, wanted, cuts)


class Filters:
    """Which decisions are wanted."""

    def __init__(
        self,
        candidate: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
        movie: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
        sha256: Annotated[str, Query(max_length=64, description="Checksum of a film, also of one that is gone.")] = "",
        curator: Annotated[str, Query(max_length=200, description="The curator's name; `me` for your own.")] = "",
        verdict: Literal["approve", "reject", "skip", "flag", "undo", ""] = "",
        strategy: Annotated[str, Query(max_length=50)] = "",
        undone: Annotated[bool | None, Query(description="Only those that were taken back, or only others.")] = None,
    ) -> None:
        self.candidate, self.movie, self.sha256, self.curator = candidate, movie, sha256, curator
        self.verdict, self.strategy, self.undone = verdict, strategy, undone


@router.get("/decisions")
def list_decisions(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    only: Annotated[Filters, Depends()],
    project: MaybeProjectQuery = None,
) -> Paged[DecisionPublic]:
    """Decisions of a project, the newest first."""
    wanted = service.Wanted(
        project_id=project_for(session, who, project, "viewer"),
        candidate_id=only.candidate,
        # A film without a checksum has no decisions.
        movie_sha256=movie_named(session, who, only.movie).sha256 or "-" if only.movie else only.sha256,
        curator=who.name if only.curator == "me" else only.curator,
        verdict=only.verdict,
        strategy=only.strategy,
        undone=only.undone,
    )
    rows, total = service.list_decisions(session, wanted, page.limit, page.offset)
    return paged(rows, total, page.offset)


@router.post("/decisions/{decision_id}/undo", status_code=201, responses=errors(Conflict))
def undo(
    decision_id: Annotated[int, Path(ge=1, le=LARGEST_ID)], session: WriteSession, who: PrincipalDep
) -> DecisionPublic:
    """Take one of your last ten decisions back; a new row says so. The candidate is put to you again."""
    return service.undo(session, who, decision_id)


@router.get("/decisions/export", response_class=StreamingResponse, responses=EXPORTED)
def export_decisions(
    request: Request,
    who: PrincipalDep,
    resources: ResourcesDep,
    project: MaybeProjectQuery = None,
    format: Annotated[Format, Query(description="JSONL and CSV can be imported again.")] = "jsonl",  # noqa: A002
    films: Annotated[str, Query(max_length=500, description=FILMS)] = "",
) -> StreamingResponse:
    """All decisions of a project, undone ones and undos too, in the order in which they were made.

    For Label Studio: a task for each clip, with what every curator stands by.
    """
    project_id = project_named(resources, who, project, "viewer")
    write, kind, ending = FORMATS[format]
    name = f'attachment; filename="decisions-{project_id}.{ending}"'
    service_at = resources.settings.server.public_url or str(request.base_url)
    lines = write(resources.reading, project_id, Films(service_at.rstrip("/"), films))
    return StreamingResponse(lines, media_type=kind, headers={"Content-Disposition": name})


@router.post("/decisions/import", openapi_extra=IMPORTED, responses=errors(InputError, TooLarge))
async def import_decisions(
    request: Request, who: PrincipalDep, resources: ResourcesDep, project: MaybeProjectQuery = None
) -> Imported:
    """Keep decisions that were exported as JSONL or CSV, under the names of their curators. Only admins may.

    What is here already is known by curator and key, so sending again adds nothing. Rows that are wrong are named by
    line, with why; the others are kept. Names that are not known are ignored, and named.
    """
    form = KINDS[kind_of(request, KINDS)]
    project_id = await run_in_threadpool(project_named, resources, who, project, "admin")
    body = await whole_body(request, LARGEST_IMPORT_BYTES)
    return await run_in_threadpool(_bring_in, resources, project_id, form, body)


def _bring_in(resources: Resources, project_id: int, form: str, body: bytes) -> Imported:
    return bring_in(resources.engine, project_id, READERS[form](body))
