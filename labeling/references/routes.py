"""/api/references: trailers, promos and edits of a film, what they show of it, and what that labels."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.analysis.checksum import checksums_file, film_checksum
from backend.answers import errors
from backend.dependencies import (
    LARGEST_ID,
    Id,
    MaybeProjectQuery,
    PageDep,
    PrincipalDep,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import Conflict, InputError, NotAllowed, NotFound, OutputError, TooLarge
from backend.jobs.service import enqueue, public
from backend.library.bodies import is_form, json_body, shaped
from backend.library.models import Movie
from backend.library.places import allowed_path, uploads_lock
from backend.library.service import movie_named, project_for
from backend.library.uploads import Uploaded, keep, receive
from backend.members.service import Principal
from backend.paging import Paged, paged
from backend.resources import Resources
from labeling.references import service
from labeling.references.places import references_home, require_reference_name
from labeling.references.shapes import IntervalPublic, LabelPublic, ReferenceAdded, ReferenceNew, ReferencePublic
from labeling.references.weak import labels_of_movie

FORM = {
    "type": "object",
    "required": ["file", "movie"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The trailer, promo or edit list."},
        "movie": {"type": "integer"},
        "film_called": {"type": "string"},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ReferenceNew.model_json_schema()},
            "multipart/form-data": {"schema": FORM},
        },
    }
}
KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": ReferenceAdded, "description": "The same file is here and aligned already."}
}
MovieQuery = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only references of this film.")]

router = APIRouter(prefix="/references", tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.post(
    "", status_code=202, openapi_extra=BODY, responses=KNOWN | errors(InputError, TooLarge, Conflict, OutputError)
)
async def add_reference(
    request: Request, response: Response, resources: ResourcesDep, who: PrincipalDep
) -> ReferenceAdded:
    """Add a trailer, promo or edit list (EDL, FCP7 XML, FCPXML, OTIO) of an analysed film: as a form, or by path.

    Answers at once with the job that finds which parts of the film it shows; the film is not decoded again. The same
    file is one reference of a film, however often it is added.
    """
    if is_form(request):
        limit, home = resources.settings.upload_limit_bytes, references_home(resources.home)
        async with receive(request.stream(), request.headers, home, limit, require_reference_name) as uploaded:
            added = await run_in_threadpool(_add_upload, resources, who, uploaded)
    else:
        wanted = shaped(ReferenceNew, await json_body(request))
        added = await run_in_threadpool(_add_path, resources, who, wanted)
    if added.job is None:
        response.status_code = 200
    return added


@router.get("")
def list_references(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    movie: MovieQuery = None,
    project: MaybeProjectQuery = None,
) -> Paged[ReferencePublic]:
    """References of a film, or of a project, the newest first."""
    if movie is not None:
        project_id = movie_named(session, who, movie).project_id
    else:
        project_id = project_for(session, who, project, "viewer")
    found, total = service.list_references(session, project_id, movie, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.get("/{reference_id}")
def get_reference(reference_id: Id, session: ReadSession, who: PrincipalDep) -> ReferencePublic:
    """One reference, and how far its alignment is."""
    return service.shown(session, [service.reference_named(session, who, reference_id)])[0]


@router.delete("/{reference_id}", status_code=204)
def remove_reference(reference_id: Id, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> None:
    """Remove a reference and all that it labels; never the file that a path names."""
    service.remove(session, resources, service.reference_named(session, who, reference_id, "curator"))


@router.get("/{reference_id}/intervals")
def list_intervals(reference_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[IntervalPublic]:
    """The intervals of the film that a reference shows, in its order; withdrawn ones too."""
    reference = service.reference_named(session, who, reference_id)
    found, total = service.list_intervals(session, reference, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/{reference_id}/intervals/{interval_id}/withdraw")
def withdraw_interval(reference_id: Id, interval_id: Id, session: WriteSession, who: PrincipalDep) -> IntervalPublic:
    """Let an interval label nothing: it is wrong, or says nothing about what is worth keeping."""
    reference = service.reference_named(session, who, reference_id, "curator")
    return service.withdraw(session, reference, interval_id, who.name)


@router.post("/{reference_id}/intervals/{interval_id}/restore")
def restore_interval(reference_id: Id, interval_id: Id, session: WriteSession, who: PrincipalDep) -> IntervalPublic:
    """Let a withdrawn interval count again."""
    reference = service.reference_named(session, who, reference_id, "curator")
    return service.withdraw(session, reference, interval_id, who.name, withdrawn=False)


@router.get("/{reference_id}/labels", responses=errors(Conflict))
def list_labels(
    reference_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep, resources: ResourcesDep
) -> Paged[LabelPublic]:
    """What a reference teaches: windows that hold what it shows (1), and windows far from all references (0)."""
    reference = service.reference_named(session, who, reference_id)
    movie = session.get_one(Movie, reference.movie_id)
    found = labels_of_movie(session, resources, movie, reference.id)
    part = found[page.offset : page.offset + page.limit]
    return paged([LabelPublic.model_validate(label) for label in part], len(found), page.offset)


def _may_add(resources: Resources, who: Principal, movie_id: int) -> None:
    with Session(resources.reading) as session:
        service.require_analysed(movie_named(session, who, movie_id, "curator"))


def _add_path(resources: Resources, who: Principal, wanted: ReferenceNew) -> ReferenceAdded:
    _may_add(resources, who, wanted.movie)
    path = allowed_path(resources.settings, wanted.path, require_reference_name)
    base = references_home(resources.home)
    base.mkdir(parents=True, exist_ok=True)
    sha256 = film_checksum(path, checksums_file(base))
    new = service.NewReference(path, "path", sha256, path.stat().st_size, wanted.film_called)
    return add(resources, who, wanted.movie, new)


def _add_upload(resources: Resources, who: Principal, uploaded: Uploaded) -> ReferenceAdded:
    fields = {name: values[-1] for name, values in uploaded.fields.items()}
    wanted = shaped(ReferenceNew, fields | {"path": uploaded.name})
    _may_add(resources, who, wanted.movie)
    base = references_home(resources.home)
    with uploads_lock(base):
        path = keep(uploaded, base)
        new = service.NewReference(path, "upload", uploaded.sha256, uploaded.size_bytes, wanted.film_called)
        try:
            return add(resources, who, wanted.movie, new)
        finally:  # it may be refused, or here already, by its path
            service.tidy_references(resources)


def add(resources: Resources, who: Principal, movie_id: int, new: service.NewReference) -> ReferenceAdded:
    """Write the row and hand out the job."""
    with Session(resources.engine) as session:
        movie = movie_named(session, who, movie_id, "curator")
        reference, job, known = service.add(session, movie, new, who.name)
        shown = service.shown(session, [reference])[0]
        session.commit()
        if job is not None:
            enqueue(resources.queue, job)
        return ReferenceAdded(reference=shown, job=public(job, movie.title) if job else None, known=known)
