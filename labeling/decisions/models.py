"""Rows of decisions. They are only ever added: undo is a new row."""

from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import JSON, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

Verdict = Literal["approve", "reject", "skip", "flag"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
UNDO = "undo"

Reason = Literal["spoiler", "rights", "slow", "needs-context", "duplicate", "quality", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)

CHOSEN, TRIM = "chosen", "trim"
"""Strategies of what no draw asked for: the curator picked the clip herself; it is the trimmed window of another."""

LONGEST_KEY = 80


def _of_decision(*, unique: bool = False) -> Any:
    column: Column[int | None] = Column(ForeignKey("decision.id"), nullable=True, unique=unique, index=not unique)
    return Field(default=None, sa_column=column)


class Decision(SQLModel, table=True):
    """What one curator said of one candidate. It names film and window besides, since it outlives the film.

    verdict     one of VERDICTS, or "undo" with `undoes_id`
    trim_*      the window that the curator would rather have; it is a candidate of its own, with a decision of its
                own, whose `trim_of_id` is this one
    strategy    by which slice of the draw the candidate came, "chosen" or "trim"; `propensity`: the chance that the
                draw of that `round` included it, None where there was none
    overlap     asked of two on purpose
    team        the model whose list it came from, where two shared the queue, else ""
    model       which scored it, and the `score` at that time
    key         made by the client: the same key of the same curator is the same decision
    """

    __table_args__ = (
        UniqueConstraint("project_id", "curator", "key"),
        Index("decision_by_curator", "project_id", "curator", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    candidate_id: int = Field(foreign_key="candidate.id", index=True)
    movie_sha256: str = Field(index=True)
    movie_title: str
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    person_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("person.id", ondelete="SET NULL"), nullable=True)
    )
    curator: str
    verdict: str
    undoes_id: int | None = _of_decision(unique=True)
    reasons: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    text: str = ""
    trim_start_frame: int | None = None
    trim_end_frame: int | None = None
    trim_of_id: int | None = _of_decision()
    spent_s: float | None = None
    strategy: str = CHOSEN
    propensity: float | None = None
    round: int | None = None
    overlap: bool = False
    team: str = ""
    model: str = ""
    score: float | None = None
    key: str = Field(max_length=LONGEST_KEY)
    decided_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
