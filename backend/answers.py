"""The shape of every error that the service answers with."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from backend.errors import SelectsError

ONE, MANY = "one", "many"
"""Tags of bodies that are one thing or a list of them; whoever sends one does not know them."""


class ErrorShape(BaseModel):
    """Every error: its name, and one sentence a person can act on."""

    error: str = Field(examples=["NotAllowed"])
    detail: str = Field(examples=["This needs the role admin, yours here is viewer; ask an admin of the project."])


def answer(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as JSON."""
    return JSONResponse(ErrorShape(error=error, detail=detail).model_dump(), status_code=status, headers=headers)


def said_of(found: Sequence[Any], *, within: str = "") -> str:
    """What is wrong with a request in one sentence, of all that pydantic found; `within` names what holds it."""
    first = found[0]
    where = ".".join(str(part) for part in first["loc"] if part not in (ONE, MANY)) or within
    if first["type"] == "json_invalid":
        return "The body is not JSON."
    if first["type"] == "extra_forbidden":
        return f"{where}: there is no such field."
    if first["type"] == "string_pattern_mismatch":  # the pattern itself says nothing to most people
        return f"{where}: {str(first['input'])[:60]!r} is none; the document of the API (/docs) says what is taken."
    return f"{where}: {first['msg'].removeprefix('Value error, ')}."


def error_answer(error: SelectsError) -> JSONResponse:
    """One of our errors as JSON."""
    return answer(error.status, type(error).__name__, error.detail, error.headers)


def is_known(request: Request, etag: str) -> bool:
    """Whether who asks has this already: what `If-None-Match` says (RFC 9110, 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return "*" in known or etag in known


def errors(*kinds: type[SelectsError]) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: which errors it answers with, each with its sentence as the example."""
    shown: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        sentence = (kind.__doc__ or "").split("\n")[0]
        content = {"application/json": {"example": {"error": kind.__name__, "detail": sentence}}}
        shown[kind.status] = {"model": ErrorShape, "description": sentence, "content": content}
    return shown
