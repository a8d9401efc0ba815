"""What a browser shows of a film: the film itself or its copy for browsers, pictures of its shots, its poster."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool

from backend.analysis.cache import FilmCache
from backend.analysis.pictures import keyframe_path
from backend.answers import ErrorShape, errors
from backend.dependencies import Id, PrincipalDep, ReadSession, ResourcesDep
from backend.errors import InputError, NotAllowed, NotFound, OutputError, TooLarge
from backend.files import write_atomically
from backend.library.models import Movie
from backend.library.places import of_film, poster_path
from backend.library.service import movie_named
from backend.library.shapes import MoviePublic
from backend.library.shown import shown
from backend.members.service import Principal
from backend.pieces import PartsResponse, PieceResponse
from backend.resources import Resources
from backend.store.media import present, renew

TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm"}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
POSTER_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
LARGEST_POSTER_BYTES = 10 << 20
PARTS: dict[int | str, dict[str, Any]] = {
    206: {"description": "The part that `Range` asks for."},
    416: {"model": ErrorShape, "description": "The film ends before what `Range` asks for."},
}
PICTURE = {"schema": {"type": "string", "format": "binary"}}
POSTER_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"image/jpeg": PICTURE, "image/png": PICTURE}}
}

router = APIRouter(prefix="/movies/{movie_id}", tags=["library"])


@router.get(
    "/media",
    response_class=FileResponse,
    responses=PARTS | errors(NotFound),
)
def play(
    movie_id: Id,
    session: ReadSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    pieces: Annotated[bool, Query(description="Answer `Range: bytes=N-` with a piece, and players ask on.")] = False,
) -> FileResponse:
    """The film as browsers play it; ranges are answered, so that a player can jump."""
    movie = movie_named(session, who, movie_id)
    path = present(played_file(resources, movie))
    if not path.is_file():
        raise NotFound(f"The file of {movie.title!r} is not where it was: {path.name}.")
    kind = TYPES.get(path.suffix.lower(), "application/octet-stream")
    if pieces:
        return PieceResponse(path, kind)
    return PartsResponse(path, media_type=kind, headers={"Cache-Control": "private, max-age=3600"})


@router.get("/frames/{frame}.jpg", response_class=FileResponse, responses=errors(NotFound))
def keyframe(
    movie_id: Id,
    frame: int,
    session: ReadSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    of: Annotated[str, Query(max_length=64, description="As `picture` says it: then browsers may keep it.")] = "",
) -> FileResponse:
    """The picture of a keyframe, 320 wide; which frames are keyframes, the shots say."""
    movie = movie_named(session, who, movie_id)
    path = _keyframe(resources, movie, frame)
    if path is None:
        raise NotFound(f"Frame {frame} of {movie.title!r} is not a keyframe.")
    # Without it the address may be another film's tomorrow.
    kept = FOREVER if of and of == of_film(movie.sha256) else {"Cache-Control": "private, no-cache"}
    return FileResponse(path, media_type="image/jpeg", headers=kept)


@router.get("/picture", response_class=Response, responses=errors(NotFound))
def picture(movie_id: Id, session: ReadSession, who: PrincipalDep, resources: ResourcesDep) -> Response:
    """The poster, or the keyframe that stands in for it."""
    movie = movie_named(session, who, movie_id)
    if movie.poster and (poster := present(poster_path(resources.home, movie_id), newest=True)).is_file():
        return FileResponse(poster, media_type=movie.poster, headers={"Cache-Control": "private, no-cache"})
    path = _keyframe(resources, movie, movie.picture)
    if path is None:
        raise NotFound(f"{movie.title!r} has no picture yet.")
    return FileResponse(path, media_type="image/jpeg", headers={"Cache-Control": "private, no-cache"})


@router.put(
    "/poster", openapi_extra=POSTER_BODY, responses=errors(NotFound, NotAllowed, InputError, TooLarge, OutputError)
)
async def set_poster(movie_id: Id, request: Request, who: PrincipalDep, resources: ResourcesDep) -> MoviePublic:
    """Give a film a poster: the body is the picture, JPEG or PNG, at most 10 MiB."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST_POSTER_BYTES:
            raise TooLarge("A poster may have 10 MiB at most.")
    return await run_in_threadpool(_keep_poster, resources, who, movie_id, bytes(content))


def _keep_poster(resources: Resources, who: Principal, movie_id: int, content: bytes) -> MoviePublic:
    with Session(resources.engine) as session:
        movie = movie_named(session, who, movie_id, "curator")
        kind = next((kind for magic, kind in POSTER_TYPES.items() if content.startswith(magic)), None)
        if kind is None:
            raise InputError("A poster must be a JPEG or PNG picture.")
        movie.poster = kind
        write_atomically(poster_path(resources.home, movie_id), content)
        renew(poster_path(resources.home, movie_id))
        session.add(movie)
        session.commit()
        return shown(session, [movie])[0]


def played_file(resources: Resources, movie: Movie) -> Path:
    """The copy for browsers where one was made, else the film."""
    if movie.proxy and movie.sha256:
        return resources.home / "films" / movie.sha256 / movie.proxy
    return Path(movie.path)


def _keyframe(resources: Resources, movie: Movie, frame: int) -> Path | None:
    if not movie.sha256 or not movie.scan_key or not 0 <= frame < 2**40:
        return None
    folder = FilmCache(resources.home / "films" / movie.sha256).stored_scan(movie.scan_key)
    path = keyframe_path(folder, frame)
    return path if path.is_file() else None
