"""Bodies of requests that are tables."""

from collections.abc import Collection

from fastapi import Request
from sqlmodel import Session

from backend.errors import InputError, TooLarge
from backend.library.service import project_for
from backend.members.models import Role
from backend.members.service import Principal
from backend.resources import Resources


def kind_of(request: Request, kinds: Collection[str]) -> str:
    """The content type of the body; raises InputError for one that is not among these."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise InputError(f"Send {' or '.join(kinds)}.")
    return kind


def project_named(resources: Resources, who: Principal, project: int | None, role: Role) -> int:
    """The project that is meant, before its body is read. Raises NotFound, NotAllowed."""
    with Session(resources.reading) as session:
        return project_for(session, who, project, role)


async def whole_body(request: Request, limit_bytes: int) -> bytes:
    """The body; raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge(f"At most {limit_bytes >> 20} MiB at once; send the rows in parts.")
    return bytes(body)
