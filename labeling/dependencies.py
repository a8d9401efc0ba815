"""What routes of labeling ask for by type."""

from typing import Annotated

from fastapi import Depends, Request

from labeling.queue.desk import Desk


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskDep = Annotated[Desk, Depends(_desk)]
