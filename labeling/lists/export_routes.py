"""/api/lists/{id}/export and what goes with it: preflight, rendering, what was exported, a project's settings."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from backend.answers import errors
from backend.dependencies import (
    LARGEST_ID,
    Id,
    PageDep,
    PrincipalDep,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import Conflict, InputError, NotAllowed, NotFound
from backend.exports.registry import EXPORTERS
from backend.exports.rendering import LOUDEST, MAX_FADE_S, MAX_HANDLES, QUIETEST, RenderOptions, Subtitles
from backend.jobs.models import JobPublic
from backend.jobs.service import enqueue, public
from backend.media.render import ClipFormat
from backend.members.service import require_role
from backend.paging import Paged, paged
from labeling.lists import exporting, project, rendering
from labeling.lists.downloads import disposition
from labeling.lists.export_shapes import ExportFacts, ExportFactsPublic, ExportPublic, Preflight
from labeling.lists.service import list_named

FormatName = Literal["json", "csv", "edl", "fcpxml", "fcp7", "otio", "html", "clips"]
ExportId = Annotated[int, Path(ge=1, le=LARGEST_ID, examples=[1])]
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file. `ETag` is its sha256, `Content-Location` where the same bytes can be had again.",
        "content": {
            kind: {
                "schema": {"type": "object"} if kind == "application/json" else {"type": "string", "format": "binary"}
            }
            for kind in sorted({each.media_type.partition(";")[0] for each in EXPORTERS.values()})
        },
    }
}


class RenderNew(BaseModel):
    """How clips are rendered.

    shape      as the film is; 9:16 (`reels`), 1:1 (`square`), which follow faces or what moves; 16:9 with bars (`wide`)
    fade_s     seconds of fade at both ends
    loudness   in LUFS, -14 where platforms expect it; null leaves the sound as it is
    subtitles  of what is said: none, burnt into the picture, or files beside it
    handles    frames more at both ends
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"shape": "reels", "fade_s": 0.5, "loudness": -14}]}
    )

    shape: ClipFormat = "original"
    fade_s: float = Field(default=0.0, ge=0, le=MAX_FADE_S)
    loudness: float | None = Field(default=None, ge=QUIETEST, le=LOUDEST)
    subtitles: Subtitles = "none"
    handles: int = Field(default=0, ge=0, le=MAX_HANDLES)


router = APIRouter(tags=["lists"], responses=errors(NotFound))


@router.get("/lists/{list_id}/preflight")
def preflight(list_id: Id, session: ReadSession, who: PrincipalDep, resources: ResourcesDep) -> Preflight:
    """What each format cannot carry of the list as it is, per clip, and what keeps it from going out at all."""
    return exporting.preflight(session, resources, list_named(session, who, list_id))


@router.get("/lists/{list_id}/export", response_class=StreamingResponse, responses=FILE | errors(Conflict))
def export_list(
    list_id: Id,
    session: ReadSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    format: Annotated[FormatName, Query(description="`clips`: a ZIP of what was rendered.")],  # noqa: A002
) -> StreamingResponse:
    """The list as a file. What it was made of is kept: the same bytes can be had again, whatever becomes of the list.

    409 where a clip may not go out, or the format cannot carry the list; the answer says which clip and why.
    """
    list_named(session, who, list_id)
    session.close()
    return _file(list_id, exporting.export(resources, list_id, format, who.name))


@router.post("/lists/{list_id}/render", status_code=202, responses=errors(NotAllowed, Conflict, InputError))
def render_list(
    list_id: Id, wanted: RenderNew, session: WriteSession, who: PrincipalDep, resources: ResourcesDep
) -> JobPublic:
    """Render the clips of the list as it is now; when the job is done, `export?format=clips` gives them as a ZIP.

    What was rendered before with the same options is not rendered again. The same asked twice is one job.
    """
    found = list_named(session, who, list_id, "curator")
    options = RenderOptions(**wanted.model_dump())
    job, new = rendering.start(session, resources, found, options, who.name)
    if new:
        enqueue(resources.queue, job)
    return public(job)


@router.get("/lists/{list_id}/exports")
def list_exports(list_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[ExportPublic]:
    """What was exported of a list, the newest first."""
    found, total = exporting.list_exports(session, list_named(session, who, list_id), page.limit, page.offset)
    return paged(found, total, page.offset)


@router.get("/lists/{list_id}/exports/{export_id}", response_class=StreamingResponse, responses=FILE | errors(Conflict))
def export_again(
    list_id: Id, export_id: ExportId, session: ReadSession, who: PrincipalDep, resources: ResourcesDep
) -> StreamingResponse:
    """What was exported, the same bytes again. Of rendered clips as long as their files are there."""
    row = exporting.export_named(session, list_named(session, who, list_id), export_id)
    session.expunge(row)
    session.close()
    return _file(list_id, exporting.again(resources, row))


@router.get("/lists/{list_id}/exports/{export_id}/made-of", responses=errors(Conflict))
def made_of(list_id: Id, export_id: ExportId, session: ReadSession, who: PrincipalDep) -> dict[str, Any]:
    """What an export was made of: films with checksums, clips with their decisions, scores, reasons and models."""
    return exporting.made_of(exporting.export_named(session, list_named(session, who, list_id), export_id))


@router.get("/projects/{project_id}/exports")
def export_facts(project_id: Id, session: ReadSession, who: PrincipalDep) -> ExportFactsPublic:
    """How a project's lists leave it."""
    require_role(session, who, project_id, "viewer")
    return project.shown(session, project_id)


@router.put("/projects/{project_id}/exports", responses=errors(NotAllowed))
def set_export_facts(
    project_id: Id, wanted: ExportFacts, session: WriteSession, who: PrincipalDep
) -> ExportFactsPublic:
    """Set where the editor's machine has the server's folders, handles, and the edit's rate. Only admins may."""
    require_role(session, who, project_id, "admin")
    return project.put(session, project_id, wanted, who.name)


def _file(list_id: int, made: exporting.Made) -> StreamingResponse:
    headers = {
        "Content-Disposition": disposition(made.name),
        "Content-Length": str(made.size_bytes),
        "Content-Location": f"/api/lists/{list_id}/exports/{made.export}",
        "ETag": f'"{made.sha256}"',
    }
    return StreamingResponse(made.pieces(), media_type=made.media_type, headers=headers)
