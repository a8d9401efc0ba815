"""Engagement comes in and is listed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.database import insert_ignoring
from backend.errors import InputError
from backend.library.models import Candidate, Movie
from backend.members.service import Principal
from labeling.engagement.models import Engagement
from labeling.engagement.reading import parsed
from labeling.engagement.shapes import EngagementNew, EngagementRead
from labeling.sheets import BadRow, Row, bad, unknown_names

KEY = ("project_id", "platform", "clip", "measured_at")
FIGURES = ("views", "likes", "shares", "completion")


@dataclass(frozen=True)
class Wanted:
    """Which measurements are asked for; what is left out does not narrow."""

    project_id: int
    candidate_id: int | None = None
    movie_sha256: str = ""
    platform: str = ""


def add(session: Session, who: Principal, project_id: int, rows: Sequence[Row]) -> EngagementRead:
    """Keep the rows that are right and name the others. Commits."""
    counts, wrong = Counter[str](), list[BadRow]()
    for row in rows:
        found = _add_row(session, who, project_id, row)
        if isinstance(found, BadRow):
            wrong.append(found)
        else:
            counts[found] += 1
    session.commit()
    return EngagementRead(
        read=len(rows),
        added=counts["added"],
        changed=counts["changed"],
        known=counts["known"],
        bad=wrong,
        ignored=unknown_names(rows),
    )


def list_engagement(session: Session, wanted: Wanted, limit: int, offset: int) -> tuple[list[Engagement], int]:
    """Measurements, the newest first, and how many there are."""
    where = [col(Engagement.project_id) == wanted.project_id]
    asked = {name: getattr(wanted, name) for name in ("candidate_id", "movie_sha256", "platform")}
    where += [col(getattr(Engagement, name)) == value for name, value in asked.items() if value]
    total = session.exec(select(func.count()).select_from(Engagement).where(*where)).one()
    order = (col(Engagement.measured_at).desc(), col(Engagement.id).desc())
    return list(
        session.exec(select(Engagement).where(*where).order_by(*order).limit(limit).offset(offset)).all()
    ), total


def _add_row(session: Session, who: Principal, project_id: int, row: Row) -> str | BadRow:
    new = parsed(row)
    if isinstance(new, BadRow):
        return new
    try:
        values = _clip(session, project_id, new)
    except InputError as problem:
        return bad(row, problem.detail)
    values |= {"project_id": project_id, "added_by": who.name}
    values |= {name: getattr(new, name) for name in ("platform", "clip", "measured_at", *FIGURES)}
    made = session.execute(insert_ignoring(session, Engagement, KEY).values(values).returning(col(Engagement.id)))
    if made.scalar_one_or_none() is not None:
        return "added"
    same = (col(getattr(Engagement, name)) == values[name] for name in KEY)
    known = session.exec(select(Engagement).where(*same).with_for_update()).one()
    window = ("movie_sha256", "start_frame", "end_frame")
    if any(getattr(known, name) != values[name] for name in window):
        return bad(row, "this platform, clip and moment belong to another window already")
    if all(getattr(known, name) == values[name] for name in FIGURES):
        return "known"
    for name in FIGURES:
        setattr(known, name, values[name])
    session.add(known)
    session.flush()
    return "changed"


def _clip(session: Session, project_id: int, new: EngagementNew) -> dict[str, Any]:
    """The window that was published, and its candidate where there is one; raises InputError."""
    if new.candidate is not None:
        found = session.get(Candidate, new.candidate)
        if found is None or found.project_id != project_id:
            raise InputError(f"there is no candidate {new.candidate} in this project")
        window = (found.movie_sha256, found.start_frame, found.end_frame)
    else:
        window = (new.sha256 or _checksum(session, project_id, new), new.start_frame or 0, new.end_frame or 0)
    names = ("movie_sha256", "start_frame", "end_frame")
    same = (col(getattr(Candidate, name)) == value for name, value in zip(names, window, strict=True))
    candidate = session.exec(select(Candidate.id).where(col(Candidate.project_id) == project_id, *same)).first()
    return {"candidate_id": candidate, **dict(zip(names, window, strict=True))}


def _checksum(session: Session, project_id: int, new: EngagementNew) -> str:
    movie = session.get(Movie, new.movie)
    if movie is None or movie.project_id != project_id or movie.sha256 is None:
        raise InputError(f"there is no film {new.movie} in this project")
    if movie.frames and (new.end_frame or 0) > movie.frames:
        raise InputError(f"the film has {movie.frames} frames, the clip cannot end at frame {new.end_frame}")
    return movie.sha256
