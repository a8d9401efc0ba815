"""/api/projects and /api/movies: films come in, are shown, changed and removed."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session, col, select
from starlette.concurrency import run_in_threadpool

from backend.analysis.checksum import checksums_file, remembered_checksum
from backend.answers import errors, is_known
from backend.dependencies import Id, MaybeProjectQuery, PageDep, PrincipalDep, ReadSession, ResourcesDep, WriteSession
from backend.errors import Conflict, InputError, NotAllowed, NotFound, OutputError, TooLarge
from backend.jobs.models import JobPublic
from backend.jobs.service import enqueue, public
from backend.library import candidates as clips
from backend.library import service
from backend.library.bodies import is_form, json_body, shaped
from backend.library.models import DialogueLine, Movie, MovieFacts, MovieState, ProjectBase, ProjectPublic, Scene, Shot
from backend.library.places import allowed_path, uploads_lock
from backend.library.shapes import (
    Added,
    CandidateNew,
    CandidatePublic,
    LinePublic,
    MovieChange,
    MoviePath,
    MoviePublic,
    ScenePublic,
    ShotPublic,
)
from backend.library.shown import Wanted, count, shown, wanted_movies
from backend.library.uploads import Uploaded, keep, receive
from backend.members.service import Principal
from backend.paging import Paged, paged
from backend.resources import Resources
from backend.search.removal import indexed_rows, remove_vectors
from backend.store.media import publish

FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "The film."},
        "project": {"type": "integer"},
        "title": {"type": "string"},
        "year": {"type": "integer"},
        "genres": {"type": "array", "items": {"type": "string"}},
        "plot": {"type": "string"},
        "rights_note": {"type": "string"},
        "rights": {"enum": ["", "cleared", "blocked"]},
        "embargo_until": {"type": "string", "format": "date"},
        "reel": {"type": "string"},
        "tape": {"type": "string"},
        "audio_track": {"type": "integer"},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": MoviePath.model_json_schema()},
            "multipart/form-data": {"schema": FORM},
        },
    }
}
Responses = dict[int | str, dict[str, Any]]
KNOWN: Responses = {200: {"model": Added, "description": "The same film is here and analysed already."}}
UNCHANGED: Responses = {304: {"description": "Nothing has changed since the list with this ETag."}}

router = APIRouter(tags=["library"])


@router.get("/projects")
def list_projects(session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[ProjectPublic]:
    """The projects that you are a member of."""
    own = service.projects_of(session, who)
    return paged(own[page.offset : page.offset + page.limit], len(own), page.offset)


@router.post("/projects", status_code=201, responses=errors(NotAllowed))
def create_project(new: ProjectBase, session: WriteSession, who: PrincipalDep) -> ProjectPublic:
    """Make a project; you are its admin. Only a superuser may."""
    if not who.superuser:
        raise NotAllowed("Only a superuser makes projects; ask whoever runs this server.")
    project = service.create_project(session, who, new.name)
    return ProjectPublic.model_validate(project, update={"role": "admin"})


@router.post(
    "/movies",
    status_code=202,
    openapi_extra=BODY,
    responses=KNOWN | errors(InputError, TooLarge, NotAllowed, NotFound, OutputError),
)
async def add_movie(request: Request, response: Response, resources: ResourcesDep, who: PrincipalDep) -> Added:
    """Add a film: upload it as a form with the part `file`, or name its path in JSON. Answers at once with the job.

    An upload is written to disk as it comes. A path must lie under a folder that the server may read from; the film is
    read there and never touched. The same file is one film, however often it is added.
    """
    if is_form(request):
        # Who may not add films is told before the film is sent whole.
        await run_in_threadpool(_may_add, resources, who, None)
        limit = resources.settings.upload_limit_bytes
        async with receive(request.stream(), request.headers, resources.home, limit) as uploaded:
            added = await run_in_threadpool(_add_upload, resources, who, uploaded)
    else:
        wanted = shaped(MoviePath, await json_body(request))
        added = await run_in_threadpool(_add_path, resources, who, wanted)
    if added.job is None:
        response.status_code = 200
    return added


@router.get("/movies", responses=errors(NotFound))
def list_movies(
    session: ReadSession,
    who: PrincipalDep,
    page: PageDep,
    project: MaybeProjectQuery = None,
    text: Annotated[str, Query(max_length=200, description="Part of the title.")] = "",
    genre: Annotated[str, Query(max_length=50)] = "",
    state: MovieState | None = None,
    sort: Literal["newest", "oldest", "title", "year", "longest"] = "newest",
) -> Paged[MoviePublic]:
    """Films of a project, each with its newest job."""
    wanted = Wanted(service.project_for(session, who, project, "viewer"), text, genre, state or "", sort)
    movies, total = wanted_movies(session, wanted, page.limit, page.offset)
    return paged(movies, total, page.offset)


@router.get("/movies/{movie_id}", responses=errors(NotFound))
def get_movie(movie_id: Id, session: ReadSession, who: PrincipalDep) -> MoviePublic:
    """One film."""
    return shown(session, [service.movie_named(session, who, movie_id)])[0]


@router.patch("/movies/{movie_id}", responses=errors(NotFound, NotAllowed))
def change_movie(movie_id: Id, change: MovieChange, session: WriteSession, who: PrincipalDep) -> MoviePublic:
    """Change what people say of a film: title, year, genres, plot, rights, embargo, reel and tape."""
    movie = service.movie_named(session, who, movie_id, "curator")
    return shown(session, [service.change_movie(session, movie, change)])[0]


@router.delete("/movies/{movie_id}", status_code=204, responses=errors(NotFound, NotAllowed))
def delete_movie(
    movie_id: Id,
    session: WriteSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    upload: Annotated[bool, Query(description="Remove the server's own copy of an uploaded film, too.")] = False,
) -> None:
    """Remove a film from the library: rows, what was made from it, vectors; never the film that a path names.

    What people decided about it stays.
    """
    movie = service.movie_named(session, who, movie_id, "admin")
    sha256, was = movie.sha256, indexed_rows(session, movie.id)
    service.delete_movie(session, resources, movie, upload=upload)
    if sha256:
        remove_vectors(resources, sha256, was)


@router.post("/movies/{movie_id}/analyse", status_code=202, responses=errors(NotFound, NotAllowed))
def analyse_again(movie_id: Id, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> JobPublic:
    """Analyse a film with today's settings; what is stored and still right is not made again."""
    movie = service.movie_named(session, who, movie_id, "curator")
    job = service.analyse_again(session, movie, who.name)
    enqueue(resources.queue, job)
    return public(job, movie.title)


@router.get("/movies/{movie_id}/shots", responses=errors(NotFound))
def list_shots(movie_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[ShotPublic]:
    """The shots of a film in order."""
    return _parts(session, service.movie_named(session, who, movie_id), Shot, ShotPublic, page)


@router.get("/movies/{movie_id}/scenes", responses=errors(NotFound))
def list_scenes(movie_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[ScenePublic]:
    """The scenes of a film in order."""
    return _parts(session, service.movie_named(session, who, movie_id), Scene, ScenePublic, page)


@router.get("/movies/{movie_id}/lines", responses=errors(NotFound))
def list_lines(movie_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[LinePublic]:
    """What is said in a film, in order."""
    return _parts(session, service.movie_named(session, who, movie_id), DialogueLine, LinePublic, page)


@router.get(
    "/movies/{movie_id}/candidates",
    responses=UNCHANGED | errors(NotFound),
)
def list_candidates(
    movie_id: Id, request: Request, response: Response, session: ReadSession, who: PrincipalDep, page: PageDep
) -> Paged[CandidatePublic]:
    """The candidates of a film: the ranking's by rank, then those made by hand. `If-None-Match` saves the list."""
    movie = service.movie_named(session, who, movie_id)
    etag = clips.version_of(session, movie)
    if is_known(request, etag):
        return Response(status_code=304, headers={"ETag": etag})  # type: ignore[return-value]
    response.headers["ETag"] = etag
    rows, total = clips.list_candidates(session, movie, page.limit, page.offset)
    return paged([CandidatePublic.model_validate(row) for row in rows], total, page.offset)


@router.post("/movies/{movie_id}/candidates", status_code=201, responses=errors(NotFound, NotAllowed, Conflict))
def add_candidate(
    movie_id: Id, new: CandidateNew, session: WriteSession, who: PrincipalDep, resources: ResourcesDep
) -> CandidatePublic:
    """Make a candidate of your own from an in and an out point."""
    movie = service.movie_named(session, who, movie_id, "curator")
    timeline = resources.shelf.get(movie).known.scan.timeline
    return CandidatePublic.model_validate(clips.add_candidate(session, movie, timeline, new, who.name))


@router.delete("/candidates/{candidate_id}", status_code=204, responses=errors(NotFound, NotAllowed, Conflict))
def remove_candidate(candidate_id: Id, session: WriteSession, who: PrincipalDep) -> None:
    """Remove a candidate that was made by hand."""
    clips.remove_candidate(session, who, candidate_id)


def _parts(session: Session, movie: Movie, table: Any, shape: Any, page: Any) -> Paged[Any]:
    found = select(table).where(col(table.movie_id) == movie.id).order_by(col(table.number))
    total = count(session, table, movie)
    rows = session.exec(found.limit(page.limit).offset(page.offset)).all()
    return paged([shape.of(row, movie) for row in rows], total, page.offset)


def _may_add(resources: Resources, who: Principal, project: int | None) -> int:
    with Session(resources.reading) as session:
        return service.project_for(session, who, project, "curator")


def _add_path(resources: Resources, who: Principal, wanted: MoviePath) -> Added:
    _may_add(resources, who, wanted.project)
    path = allowed_path(resources.settings, wanted.path)
    film = service.NewFilm(
        path=path,
        source="path",
        size_bytes=path.stat().st_size,
        sha256=remembered_checksum(path, checksums_file(resources.home)),
        facts=MovieFacts.model_validate(wanted.model_dump()),
        genres=tuple(wanted.genres),
        audio_track=wanted.audio_track,
        profile=resources.settings.analysis.profile,
    )
    return _added(resources, who, wanted.project, film)


def _add_upload(resources: Resources, who: Principal, uploaded: Uploaded) -> Added:
    fields: dict[str, Any] = {name: values[-1] for name, values in uploaded.fields.items() if values[-1] != ""}
    if "genres" in fields:
        fields["genres"] = [part for value in uploaded.fields["genres"] for part in value.split(",") if part.strip()]
    wanted = shaped(MoviePath, fields | {"path": uploaded.name})
    project = _may_add(resources, who, wanted.project)
    with uploads_lock(resources.home):
        path = keep(uploaded, resources.home)
        film = service.NewFilm(
            path=path,
            source="upload",
            size_bytes=uploaded.size_bytes,
            facts=MovieFacts.model_validate(wanted.model_dump()),
            genres=tuple(wanted.genres),
            sha256=uploaded.sha256,
            audio_track=wanted.audio_track,
            profile=resources.settings.analysis.profile,
        )
        try:
            added = _added(resources, who, project, film)
            publish(path)  # another machine may have removed it before the row named it
            return added
        finally:  # the film may be in the library already, by its path
            service.remove_upload(resources, path)


def _added(resources: Resources, who: Principal, project: int | None, film: service.NewFilm) -> Added:
    with Session(resources.engine) as session:
        project_id = service.project_for(session, who, project, "curator")
        movie, job, known = service.add_movie(session, project_id, film, who.name)
        public_film = shown(session, [movie])[0]
        session.commit()
        if job is not None:
            enqueue(resources.queue, job)
        return Added(movie=public_film, job=public(job, movie.title) if job else None, known=known)
