"""What stands beside a clip while it is judged: its scenes' shots, what is said, and what it can be compared with."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlmodel import Session, col

from backend.library.models import Candidate, DialogueLine, Movie, Shot
from backend.library.places import keyframe_address
from backend.library.shapes import CandidatePublic
from backend.members.service import Principal, require_part
from labeling.queue.precedents import Near, Precedents
from labeling.queue.shapes import AskedMovie, Beside, Precedent, SpokenLine, StripShot

AROUND_SHOTS, MOST_AROUND_SHOTS = 8, 60
"""On each side at least so many shots, where the scene goes on more, and never more than the second."""

_CLIP = (
    select(
        *(column for column in Candidate.__table__.columns),  # type: ignore[attr-defined]
        *(col(Movie.title), col(Movie.year), col(Movie.rate), col(Movie.frames)),
        *(col(Movie.width), col(Movie.height), col(Movie.start_timecode)),
    )
    .join(Movie, col(Movie.id) == col(Candidate.movie_id), isouter=True)
    .where(col(Candidate.id) == bindparam("candidate"))
)
_COVERED = select(
    func.min(col(Shot.number)).label("first"),
    func.max(col(Shot.number)).label("last"),
    func.min(col(Shot.scene)).label("first_scene"),
    func.max(col(Shot.scene)).label("last_scene"),
).where(
    col(Shot.movie_id) == bindparam("movie"),
    col(Shot.start_frame) < bindparam("end"),
    col(Shot.end_frame) > bindparam("start"),
)
_AROUND = (
    select(
        *(col(Shot.number), col(Shot.scene), col(Shot.start_frame), col(Shot.end_frame)),
        *(col(Shot.start_s), col(Shot.end_s), col(Shot.keyframes)),
    )
    .where(
        col(Shot.movie_id) == bindparam("movie"),
        col(Shot.number).between(bindparam("least"), bindparam("most")),
        or_(
            col(Shot.number).between(bindparam("first"), bindparam("last")),
            col(Shot.scene).between(bindparam("first_scene"), bindparam("last_scene")),
        ),
    )
    .order_by(col(Shot.number))
)
_LINES = (
    select(col(DialogueLine.start_s), col(DialogueLine.end_s), col(DialogueLine.text), col(DialogueLine.source))
    .where(
        col(DialogueLine.movie_id) == bindparam("movie"),
        col(DialogueLine.start_s) < bindparam("end"),
        col(DialogueLine.end_s) > bindparam("start"),
    )
    .order_by(col(DialogueLine.number))
)

_KEYFRAMES = select(col(Shot.keyframes)).where(
    col(Shot.movie_id) == bindparam("movie"),
    col(Shot.start_frame) < bindparam("end"),
    col(Shot.end_frame) > bindparam("start"),
)
_STRIP = ("number", "scene", "start_frame", "end_frame", "start_s", "end_s")


def beside(session: Session, who: Principal, precedents: Precedents, candidate_id: int) -> Beside:
    """What stands beside a candidate; raises NotFound."""
    found = session.connection().execute(_CLIP, {"candidate": candidate_id}).one_or_none()
    row = require_part(session, who, found, f"candidate {candidate_id}")
    near = precedents.near(session, row)
    return Beside(
        candidate=CandidatePublic.model_validate(row),
        movie=AskedMovie.model_validate(row) if row.movie_id else None,
        shots=_strip(session, row),
        lines=_lines(session, row),
        approved=_precedent(session, near.get("approve", ()), "approve"),
        rejected=_precedent(session, near.get("reject", ()), "reject"),
    )


def _strip(session: Session, row: Any) -> list[StripShot]:
    asked = {"movie": row.movie_id, "start": row.start_frame, "end": row.end_frame}
    covered = session.connection().execute(_COVERED, asked).one()
    if covered.first is None:
        return []
    span = {
        "movie": row.movie_id,
        "least": covered.first - MOST_AROUND_SHOTS,
        "most": covered.last + MOST_AROUND_SHOTS,
        "first": covered.first - AROUND_SHOTS,
        "last": covered.last + AROUND_SHOTS,
        "first_scene": covered.first_scene,
        "last_scene": covered.last_scene,
    }
    found = session.connection().execute(_AROUND, span).all()
    return [
        StripShot(picture=_picture(row, shot.keyframes), **{name: getattr(shot, name) for name in _STRIP})
        for shot in found
    ]


def _picture(candidate: Any, keyframes: Sequence[int]) -> str | None:
    if not keyframes:
        return None
    return keyframe_address(candidate.movie_id, candidate.movie_sha256, keyframes[len(keyframes) // 2])


def _lines(session: Session, row: Any) -> list[SpokenLine]:
    asked = {"movie": row.movie_id, "start": row.start_s, "end": row.end_s}
    return [SpokenLine.model_validate(line) for line in session.connection().execute(_LINES, asked)]


def _precedent(session: Session, near: Sequence[Near], verdict: str) -> Precedent | None:
    """The nearest that is still judged so and whose film is still here."""
    for found in near:
        candidate = session.get(Candidate, found.candidate_id)
        if candidate is None or candidate.movie_id is None or candidate.verdict != verdict:
            continue
        middle = (candidate.start_frame + candidate.end_frame) // 2
        asked = {"movie": candidate.movie_id, "start": middle, "end": middle + 1}
        shot = session.connection().execute(_KEYFRAMES, asked).first()
        picture = _picture(candidate, shot.keyframes) if shot else None
        shown = CandidatePublic.model_validate(candidate)
        return Precedent(candidate=shown, similarity=found.similarity, picture=picture)
    return None
