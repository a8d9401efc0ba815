"""Rows of the queue: how a project is asked, and the questions."""

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from labeling.strategies.registry import DEFAULT

OVERLAP = 0.1


class Queue(SQLModel, table=True):
    """How a project's curators are asked. `round`: how many draws were made, `drawn`: of how many the last was.

    `rival`: the version of a model that shares the queue with the live one. The row is the lock of the queue.
    """

    project_id: int = Field(
        sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    strategy: str = DEFAULT
    overlap: float = OVERLAP
    round: int = 0
    drawn: int = 0
    rival: str | None = None


class Question(SQLModel, table=True):
    """One candidate to be put to one curator; a candidate of the overlap has two, the other is the `second`.

    round, place   of the draw, and where in it
    strategy       the slice of the draw by which it came; `propensity`: the chance that the draw included it
    team           the model whose list it came from, where two shared the draw, else ""
    person_id      who has it, until the database's time `until`; then, unless it was answered, another may
    """

    __table_args__ = (
        UniqueConstraint("candidate_id", "second"),
        UniqueConstraint("candidate_id", "person_id"),
        Index("question_open", "project_id", "answered", "second", "round", "place"),
        Index("question_of_person", "person_id", "answered"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False))
    candidate_id: int = Field(sa_column=Column(ForeignKey("candidate.id", ondelete="CASCADE"), nullable=False))
    second: bool = False
    overlap: bool = False
    round: int
    place: int
    strategy: str
    propensity: float
    team: str = ""
    person_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("person.id", ondelete="SET NULL"), nullable=True)
    )
    until: float | None = None
    answered: bool = False
