"""Bodies of requests that are tables."""

from fastapi import Request

from backend.errors import TooLarge


async def whole_body(request: Request, limit_bytes: int) -> bytes:
    """The body; raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge(f"At most {limit_bytes >> 20} MiB at once; send the rows in parts.")
    return bytes(body)
