"""A list is approved, and who asked for it is told."""

from sqlmodel import Session

from backend.resources import Resources
from labeling.lists import service, webhooks
from labeling.lists.models import StoredList


def approve(session: Session, resources: Resources, clip_list: StoredList, by: str, version: int | None = None) -> None:
    """Say that a list may go out, and have its project's webhooks told, both or neither. Commits.

    Raises Conflict for a list without clips, and for one with a clip that may not go out.
    """
    if service.approve(session, clip_list, by, version):
        webhooks.announce(session, resources, clip_list)
    session.commit()
