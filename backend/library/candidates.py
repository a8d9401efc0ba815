"""Candidates of a film: what there is, and windows that people set by hand."""

from hashlib import sha256

import numpy as np
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.errors import Conflict, InputError, NotFound
from backend.library.kept import listed
from backend.library.models import Candidate, Movie
from backend.library.service import movie_named
from backend.library.shapes import CandidateNew
from backend.media.timeline import Timeline
from backend.members.service import Principal


def list_candidates(session: Session, movie: Movie, limit: int, offset: int) -> tuple[list[Candidate], int]:
    """Those of the last ranking by rank, then those made by hand or decided before, in the order of the film."""
    wanted = (col(Candidate.movie_id) == movie.id, listed())
    total = session.exec(select(func.count()).select_from(Candidate).where(*wanted)).one()
    order = (col(Candidate.rank).nulls_last(), col(Candidate.start_frame), col(Candidate.id))
    rows = session.exec(select(Candidate).where(*wanted).order_by(*order).limit(limit).offset(offset)).all()
    return list(rows), total


def version_of(session: Session, movie: Movie) -> str:
    """What changes whenever the list of a film's candidates changes: its ETag."""
    latest = select(func.count(), func.max(Candidate.updated_at)).where(col(Candidate.movie_id) == movie.id, listed())
    count, changed = session.exec(latest).one()
    title = sha256(movie.title.encode()).hexdigest()[:8]  # they carry it, and a new one is no change of theirs
    return f'"{movie.id}-{count}-{changed.timestamp() if changed else 0:.6f}-{title}"'


def add_candidate(session: Session, movie: Movie, timeline: Timeline, new: CandidateNew, by: str) -> Candidate:
    """A window made by hand; raises InputError for one that is not in the film, Conflict where it is there already."""
    if movie.state != "ready":
        raise Conflict(f"The film is {movie.state}; clips can be made when it is ready.")
    if new.start_frame >= new.end_frame:
        raise InputError("A clip must end after it starts.")
    if new.end_frame > movie.frames:
        raise InputError(f"The film has {movie.frames} frames; the clip cannot end at frame {new.end_frame}.")
    start_s, end_s = timeline.seconds_of(np.array([new.start_frame, new.end_frame])).tolist()
    same = select(Candidate).where(
        col(Candidate.project_id) == movie.project_id,
        col(Candidate.movie_sha256) == movie.sha256,
        col(Candidate.start_frame) == new.start_frame,
        col(Candidate.end_frame) == new.end_frame,
    )
    row = session.exec(same.with_for_update()).first()
    if row is not None and (row.source != "trim" or row.verdict):
        raise Conflict("There is a candidate with exactly these ends already.")
    # Of a cut that was approved and taken back the row is there still, though nobody sees it.
    row = row or Candidate(
        project_id=movie.project_id,
        movie_id=movie.id,
        movie_sha256=movie.sha256 or "",
        movie_title=movie.title,
        start_frame=new.start_frame,
        end_frame=new.end_frame,
        start_s=start_s,
        end_s=end_s,
    )
    row.source, row.note, row.created_by = "manual", new.note, by
    session.add(row)
    session.commit()
    session.refresh(row)
    return row


def remove_candidate(session: Session, who: Principal, candidate_id: int) -> None:
    """Remove a window that was made by hand; raises NotFound, Conflict for one that the ranking made."""
    row = session.get(Candidate, candidate_id, with_for_update=True)
    if row is None or row.movie_id is None:
        raise NotFound(f"There is no candidate {candidate_id}.")
    movie_named(session, who, row.movie_id, "curator")
    if row.source != "manual":
        raise Conflict("Only candidates made by hand can be removed; the ranking's own are approved or rejected.")
    if row.decided:
        raise Conflict("Somebody has decided about this candidate, so it stays; reject it instead.")
    session.delete(row)
    session.commit()
