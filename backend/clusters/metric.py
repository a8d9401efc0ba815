"""Which metric head is live in a project: what the follower of live models holds, or, without one, what rows say."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from backend.clusters.head import Head, slot_of

if TYPE_CHECKING:
    from backend.resources import Resources


def head_of(resources: "Resources", project_id: int, kind: str) -> Head | None:
    """The head through which a project's items of a kind are compared; None for the plain embedding.

    A look-up where the process follows what is live, as servers do; else the database is asked. Raises SQLAlchemyError.
    """
    live = resources.live
    if not live.following:
        live.look()
    return live.pin(project_id).heads.get(slot_of(kind))


def common_head(resources: "Resources", projects: Iterable[int], kind: str, space: str) -> Head | None:
    """The head that all of these projects use in a space; None where they use several, or some use none."""
    live = resources.live
    if not live.following:
        live.look()
    if not live.has_heads:
        return None
    found = [live.pin(project).heads.get(slot_of(kind)) for project in dict.fromkeys(projects)]
    first = found[0] if found else None
    if first is None or first.space != space or any(head is None or head.sha256 != first.sha256 for head in found):
        return None
    return first
