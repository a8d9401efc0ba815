"""What changes, told as server-sent events until it has ended."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from backend.errors import InputError

EVERY_S = 0.5

Shown = TypeVar("Shown", bound=BaseModel)


async def follow(look: Callable[[], Shown], is_open: Callable[[Shown], bool]) -> StreamingResponse:
    """`data:` lines: what `look` gives now, at each change, and last when it is not open any more.

    Raises what the first look raises; a later one that may not be had any more ends the stream.
    """
    first = await run_in_threadpool(look)
    return StreamingResponse(
        _events(first, look, is_open), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(shown: Shown, look: Callable[[], Shown], is_open: Callable[[Shown], bool]) -> AsyncIterator[str]:
    told = None
    while True:
        if shown != told:
            yield f"data: {shown.model_dump_json()}\n\n"
            told = shown
        if not is_open(shown):
            return
        await asyncio.sleep(EVERY_S)
        try:
            shown = await run_in_threadpool(look)
        except InputError:  # who asks may not see it any more
            return
