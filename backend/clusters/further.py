"""What else a correction would move ("this moves 37 more"): shown, and done when somebody asks for it."""

from typing import TYPE_CHECKING

from sqlmodel import Session

from backend.clusters.answering import answer
from backend.clusters.changing import Move, begin, items_with, place
from backend.clusters.clustering import locked
from backend.clusters.links import homes
from backend.clusters.models import Correction
from backend.clusters.reach import is_standing, reach
from backend.clusters.shapes import Corrected, Moved
from backend.clusters.shown import items_shown
from backend.errors import Conflict
from backend.members.models import Role
from backend.members.service import Principal, require_part

if TYPE_CHECKING:
    from backend.resources import Resources


def correction_named(session: Session, who: Principal, correction_id: int, role: Role) -> Correction:
    """A correction that the asker may see (or more); raises NotFound, NotAllowed."""
    return require_part(session, who, session.get(Correction, correction_id), f"correction {correction_id}", role)


def preview(
    session: Session, resources: "Resources", who: Principal, correction_id: int, limit: int, offset: int
) -> tuple[list[Moved], int]:
    """Items that a correction would move besides, the surest first, and how many. Raises NotFound, OutputError."""
    found = reach(session, resources, correction_named(session, who, correction_id, "viewer"))
    wanted = {each.item: each for each in found[offset : offset + limit]}
    items = items_shown(session, list(wanted))
    moved = [Moved(item=item, to=wanted[item.id].to, confidence=round(wanted[item.id].confidence, 4)) for item in items]
    return moved, len(found)


def carry_on(session: Session, resources: "Resources", who: Principal, correction_id: int) -> Corrected:
    """Move them: one correction of its own, that is taken back as a whole. Commits.

    Raises NotFound, NotAllowed, Conflict where the correction was taken back or there is nothing more.
    """
    correction = correction_named(session, who, correction_id, "curator")
    clustering = locked(session, correction.project_id, correction.kind)
    if not is_standing(session, correction):
        raise Conflict("This correction was taken back; there is nothing more to move for it.")
    found = reach(session, resources, correction)
    if not found:
        raise Conflict("There is nothing more that this correction would move.")
    home = homes(session, correction.project_id, correction.kind)
    items = items_with(session, (each.item for each in found))
    moves = [Move(items[each.item], each.to) for each in found]
    more = begin(session, clustering, who, "more", home.today(correction.cluster_id))
    more.facts = {"of": correction.id}
    return answer(session, resources, more, place(session, more, home, moves))
