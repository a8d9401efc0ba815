"""The statements that every decision runs. Made once: building one takes longer than running it."""

from sqlalchemy import bindparam, select, update
from sqlmodel import col

from backend.database import insert_of
from backend.library.models import Candidate
from backend.members.models import Membership
from labeling.decisions.models import UNDO, Decision
from labeling.queue.models import Question

SEEN = (
    select(
        *(col(Candidate.id), col(Candidate.project_id), col(Candidate.movie_sha256), col(Candidate.movie_title)),
        *(col(Candidate.movie_id), col(Candidate.scene), col(Candidate.decided)),
        *(col(Candidate.start_frame), col(Candidate.end_frame), col(Candidate.start_s), col(Candidate.end_s)),
        *(col(Candidate.model), col(Candidate.score), col(Membership.role)),
        *(col(Question.id).label("question"), col(Question.strategy), col(Question.propensity)),
        *(col(Question.round), col(Question.overlap), col(Question.team)),
    )
    .join(
        Membership,
        (col(Membership.project_id) == col(Candidate.project_id)) & (col(Membership.person_id) == bindparam("person")),
        isouter=True,
    )
    .join(
        Question,
        (col(Question.candidate_id) == col(Candidate.id)) & (col(Question.person_id) == bindparam("person")),
        isouter=True,
    )
    .where(col(Candidate.id) == bindparam("candidate"))
)
"""A candidate with the role of who decides about it and the question that was put to them."""

CANDIDATE = SEEN.with_for_update(of=Candidate)
"""The same, locked."""

EARLIER = (
    select(
        *(col(Decision.strategy), col(Decision.propensity), col(Decision.round), col(Decision.overlap)),
        col(Decision.team),
    )
    .where(
        col(Decision.candidate_id) == bindparam("candidate"),
        col(Decision.curator) == bindparam("curator"),
        col(Decision.verdict) != UNDO,
    )
    .order_by(col(Decision.id).desc())
    .limit(1)
)

ROWS = (
    select(
        *(col(Decision.id), col(Decision.curator), col(Decision.verdict), col(Decision.undoes_id)),
        col(Decision.trim_start_frame),
    )
    .where(col(Decision.candidate_id) == bindparam("candidate"))
    .order_by(col(Decision.id))
)
"""What replay reads."""

STATE = (
    update(Candidate)
    .where(col(Candidate.id) == bindparam("candidate"))
    .values(decided=bindparam("count"), verdict=bindparam("state"), updated_at=bindparam("now"))
)

KEEP = {
    dialect: insert_of(dialect, Decision, ["project_id", "curator", "key"]).returning(col(Decision.id))
    for dialect in ("sqlite", "postgresql")
}
"""Keep a decision, unless its key is known; gives its id."""
