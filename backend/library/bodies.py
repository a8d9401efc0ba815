"""What comes in with a request that takes a file: a form, or JSON that names a path."""

import json
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from backend.answers import said_of
from backend.errors import InputError, TooLarge

LONGEST_JSON_BYTES = 1 << 20
Shape = TypeVar("Shape", bound=BaseModel)


def is_form(request: Request) -> bool:
    """Whether the file itself is sent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "multipart/form-data"


async def json_body(request: Request) -> Any:
    """The body as JSON; raises TooLarge, InputError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_JSON_BYTES:
            raise TooLarge("The body is too large for JSON; a film is uploaded as a form.")
    try:
        return json.loads(body)
    except ValueError:
        raise InputError("Send a file as multipart/form-data, or the path of one as JSON.") from None


def shaped(shape: type[Shape], values: Any) -> Shape:
    """The values as the shape wants them; raises InputError with the first that is wrong."""
    try:
        return shape.model_validate(values)
    except ValidationError as wrong:
        raise InputError(said_of(wrong.errors(), within="body")) from None
