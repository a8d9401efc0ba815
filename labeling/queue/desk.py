"""Where curators get their questions: leases first, a draw where there are too few."""

from threading import Lock
from typing import TYPE_CHECKING

from sqlmodel import Session

from labeling.queue import leases
from labeling.queue.drawer import Drawer, Maker
from labeling.queue.leases import Claimed, Found
from labeling.queue.precedents import Precedents

if TYPE_CHECKING:
    from backend.members.service import Principal
    from backend.resources import Resources

TRIES = 3


class Desk:
    """Gives questions out, and knows what clips can be compared with; may be asked by many threads."""

    def __init__(self, resources: "Resources", maker: Maker | None = None) -> None:
        self._resources = resources
        self._drawer = Drawer(resources, maker)
        self._asking = Lock()
        self.precedents = Precedents(resources)

    def ask(self, project_id: int, who: "Principal", k: int) -> Claimed:
        """k questions for somebody, drawn now if there are too few; fewer where nothing is left."""
        claimed = self._claim(project_id, who, k)
        for _ in range(TRIES):
            if not claimed.short or not self._drawer.draw(project_id, claimed.round):
                break
            claimed = self._claim(project_id, who, k)
        return claimed

    def draw_ahead(self, project_id: int, seen_round: int) -> None:
        """Make a draw after the one that was seen, unless somebody has or is at it."""
        self._drawer.draw_ahead(project_id, seen_round)

    def close(self) -> None:
        """Give back what was opened."""
        self._drawer.close()

    def _claim(self, project_id: int, who: "Principal", k: int) -> Claimed:
        if self._resources.engine.dialect.name != "sqlite":
            return self._given(project_id, who, k)
        # Looked for before the queue is locked, for which all who write wait. One after the other: those who look at
        # the same moment see the same, and all but one would have to look again, with the queue locked.
        with self._asking:
            with Session(self._resources.reading) as session:
                found = leases.look(session, project_id, who, k)
            return self._given(project_id, who, k, found)

    def _given(self, project_id: int, who: "Principal", k: int, found: Found | None = None) -> Claimed:
        with Session(self._resources.engine) as session:
            claimed = leases.claim(session, project_id, who, k, found)
            session.commit()
            return claimed
