"""Which of two models curators prefer: approvals of what each put into the draws that they shared."""

import math
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.library.models import Candidate
from labeling.agreement.shapes import DuelPublic, TeamPublic
from labeling.decisions.models import UNDO, Decision
from labeling.queue.models import Queue
from labeling.queue.rivals import live_version

Z = 1.959964
"""Of a 95 % interval."""
APPROVED, JUDGED = ("approve", "trimmed"), ("approve", "trimmed", "reject")


@dataclass(frozen=True)
class Share:
    """k of n, with Wilson's 95 % interval (Wilson 1927)."""

    approved: int
    judged: int

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.approved / self.judged if self.judged else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies; everywhere, where nothing is known."""
        if not self.judged:
            return 0.0, 1.0
        n, p = self.judged, self.approved / self.judged
        middle, half = p + Z**2 / (2 * n), Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, (middle - half) / (1 + Z**2 / n)), min(1.0, (middle + half) / (1 + Z**2 / n))


def difference(rival: Share, champion: Share) -> tuple[float, float, float] | None:
    """How much more of the rival's was approved, and its 95 % interval (Newcombe 1998, method 10)."""
    if rival.value is None or champion.value is None:
        return None
    (low, high), (low2, high2) = rival.interval, champion.interval
    value = rival.value - champion.value
    below = math.hypot(rival.value - low, high2 - champion.value)
    above = math.hypot(high - rival.value, champion.value - low2)
    return value, value - below, value + above


def duel(session: Session, project_id: int, rival: str | None) -> DuelPublic | None:
    """How a rival (the queue's, where none is named) does beside the model it shared draws with; None without one.

    Each clip counts once, as what its curators stand by; only draws in which both had a turn count.
    """
    queue = session.get(Queue, project_id)
    rival = rival or (queue.rival if queue else None)
    if rival is None:
        return None
    shares = _shares(session, project_id, rival)
    others = [name for name in shares if name != rival]
    champion = max(others, key=lambda name: shares[name].judged, default=live_version(session, project_id))
    nothing = Share(0, 0)
    own, other = shares.get(rival, nothing), shares.get(champion, nothing)
    found = difference(own, other)
    value, low, high = found or (None, None, None)
    preferred = None if low is None or high is None or low <= 0 <= high else rival if low > 0 else champion
    return DuelPublic(
        project=project_id,
        champion=_public(champion, other),
        rival=_public(rival, own),
        difference=value,
        low=low,
        high=high,
        preferred=preferred,
    )


def _shares(session: Session, project_id: int, rival: str) -> dict[str, Share]:
    """Version → how many of its clips were approved, in the draws in which the rival had a turn."""
    of_project = col(Decision.project_id) == project_id, col(Decision.verdict) != UNDO
    rounds = select(Decision.round).where(*of_project, col(Decision.team) == rival)
    counted = (
        select(Decision.team, Candidate.verdict, func.count(func.distinct(Candidate.id)))
        .join(Candidate, col(Candidate.id) == col(Decision.candidate_id))
        .where(*of_project, col(Decision.team) != "", col(Decision.round).in_(rounds))
        .where(col(Candidate.verdict).in_(JUDGED))
        .group_by(col(Decision.team), col(Candidate.verdict))
    )
    judged, approved = Counter[str](), Counter[str]()
    for team, verdict, count in session.exec(counted).all():
        judged[team] += count
        approved[team] += count if verdict in APPROVED else 0
    return {team: Share(approved[team], judged[team]) for team in judged}


def _public(version: str, share: Share) -> TeamPublic:
    low, high = share.interval
    return TeamPublic(
        version=version, judged=share.judged, approved=share.approved, share=share.value, low=low, high=high
    )
