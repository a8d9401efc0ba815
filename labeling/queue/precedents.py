"""The approved and the rejected clip that a clip is most alike: what curators compare it with."""

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.library.models import Candidate
from labeling.decisions.models import Decision
from labeling.queue.embeddings import Floats
from labeling.queue.sketches import Sketches

if TYPE_CHECKING:
    from backend.resources import Resources

VERDICTS = ("approve", "reject")
READING_LIMIT_S = 0.3
"""Features of clips judged elsewhere are read for so long at one time; the rest is compared with from the next on."""

MOST_JUDGED = 5000
"""A process begins with so many, those judged last: reading features of all that 10,000 films have takes minutes."""

PATIENCE_S = 0.05
"""Who would wait longer for another request that reads features takes what is known: each holds a connection."""

LATE_IDS = 100
"""Rows may appear after rows with a larger id, by as many as are being written at the same time."""


@dataclass(frozen=True)
class Near:
    """A judged clip and the cosine of the angle between it and the one that was asked about."""

    candidate_id: int
    similarity: float


@dataclass(frozen=True, eq=False)
class _Clip:
    movie_id: int
    window: tuple[int, int]
    verdict: str
    vector: Floats


@dataclass(eq=False)
class _Project:
    """What is known of one: clips with vectors, judged ones that have none yet, and up to which decision."""

    clips: dict[int, _Clip] = field(default_factory=dict)
    waiting: dict[int, Any] = field(default_factory=dict)
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Precedents:
    """Judged clips of projects, in memory; kept up by what was decided since. Safe for threads."""

    def __init__(self, resources: "Resources") -> None:
        self._sketches = Sketches(resources.home, resources.settings.analysis.profile)
        self._projects: defaultdict[int, _Project] = defaultdict(_Project)

    def near(self, session: Session, candidate: Any) -> dict[str, list[Near]]:
        """Verdict → the clips with it that are most alike, the nearest first; none that overlaps the clip itself.

        `candidate`: a row with its columns. A film may be gone since, or a verdict have changed: look again.
        """
        project = self._projects[candidate.project_id]
        if project.lock.acquire(timeout=PATIENCE_S):
            try:
                self._catch_up(session, project, candidate.project_id)
            finally:
                project.lock.release()
        clips = project.clips.copy()
        vector = self._vector(session, candidate) if clips else None
        if vector is None:
            return {}
        others = [(name, clip) for name, clip in clips.items() if not _overlaps(clip, candidate)]
        return {verdict: _nearest(vector, [o for o in others if o[1].verdict == verdict]) for verdict in VERDICTS}

    def _catch_up(self, session: Session, project: _Project, project_id: int) -> None:
        newest = session.exec(select(func.max(Decision.id))).one() or 0
        if newest > project.seen:
            columns = (
                *(col(Candidate.id), col(Candidate.movie_id), col(Candidate.verdict)),
                *(col(Candidate.start_frame), col(Candidate.end_frame)),
            )
            judged = select(*columns).where(col(Candidate.project_id) == project_id)  # type: ignore[call-overload]
            if project.seen:
                since = select(Decision.candidate_id).where(col(Decision.id) > project.seen - LATE_IDS)
                judged = judged.where(col(Candidate.id).in_(since))
            else:
                judged = judged.where(col(Candidate.verdict).in_(VERDICTS))
                judged = judged.order_by(col(Candidate.updated_at).desc()).limit(MOST_JUDGED)
            self._take(project, session.connection().execute(judged).all())
            project.seen = newest
        until = monotonic() + READING_LIMIT_S
        while project.waiting and monotonic() < until:
            name, row = project.waiting.popitem()
            vector = self._vector(session, row)
            if vector is not None:
                window = (row.start_frame, row.end_frame)
                project.clips[name] = _Clip(row.movie_id, window, row.verdict, vector)

    def _take(self, project: _Project, rows: Iterable[Any]) -> None:
        for row in rows:
            known = project.clips.pop(row.id, None)
            project.waiting.pop(row.id, None)
            if row.verdict not in VERDICTS or row.movie_id is None:
                continue
            if known is not None and known.movie_id == row.movie_id:
                project.clips[row.id] = _Clip(known.movie_id, known.window, row.verdict, known.vector)
            else:
                project.waiting[row.id] = row

    def _vector(self, session: Session, row: Any) -> Floats | None:
        if row.movie_id is None:
            return None
        return self._sketches.clip(session, row.movie_id, (row.start_frame, row.end_frame))


def _overlaps(clip: _Clip, candidate: Any) -> bool:
    start, end = clip.window
    return bool(clip.movie_id == candidate.movie_id and start < candidate.end_frame and candidate.start_frame < end)


def _nearest(vector: Floats, clips: list[tuple[int, _Clip]], count: int = 3) -> list[Near]:
    if not clips:
        return []
    likeness = np.stack([clip.vector for _, clip in clips]) @ vector
    order = np.argsort(-likeness, kind="stable")[:count].tolist()
    return [Near(clips[at][0], min(1.0, max(-1.0, float(likeness[at])))) for at in order]
