"""What the API takes and gives of decisions."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.answers import MANY, ONE
from labeling.decisions.models import LONGEST_KEY, Reason, Verdict
from labeling.sheets import BadRow

LONGEST_TEXT = 2000
LARGEST_ID = 2**31 - 1
LAST_FRAME = 2**31 - 1
DAY_S = 86_400.0

# Without a colon: those are the keys that are made here, of undos and trims.
Key = Annotated[str, StringConstraints(min_length=8, max_length=LONGEST_KEY - 16, pattern=r"^[\w.-]+$")]


class DecisionNew(BaseModel):
    """What you say of a candidate. `key` is yours to make (a UUID): what is sent twice is one decision.

    With `start_frame` and `end_frame` another cut of it is approved, which becomes a candidate of its own.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"candidate": 17, "verdict": "approve", "key": "0b2e0c5e-8f1c-4a52-9d5d-6d4f6b1f8a11"}]
        },
    )

    candidate: int = Field(ge=1, le=LARGEST_ID)
    verdict: Verdict
    key: Key
    reasons: list[Reason] = Field(default=[], max_length=20)
    text: str = Field(default="", max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")
    start_frame: int | None = Field(default=None, ge=0, le=LAST_FRAME)
    end_frame: int | None = Field(default=None, ge=1, le=LAST_FRAME)
    spent_s: float | None = Field(default=None, ge=0, le=DAY_S, description="Seconds spent on it.")

    @model_validator(mode="after")
    def _whole_window(self) -> Self:
        if (self.start_frame is None) != (self.end_frame is None):
            raise ValueError("a trim has both start_frame and end_frame")
        if self.start_frame is not None and self.end_frame is not None and self.start_frame >= self.end_frame:
            raise ValueError("a clip must end after it starts")
        if self.start_frame is not None and self.verdict != "approve":
            raise ValueError("another cut can only be approved; leave start_frame and end_frame out")
        return self


class DecisionPublic(BaseModel):
    """A decision as it is kept. `undone`: a later row took it back.

    candidate    `trim_candidate` is the other cut's, where there is one; that has a decision of its own
    strategy     why it was asked: the slice of a draw, "chosen" (the curator picked it) or "trim"
    propensity   the chance that the draw of that round included it
    """

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)

    id: int
    project_id: int
    candidate_id: int
    movie_sha256: str
    movie_title: str
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    curator: str
    verdict: str
    undoes_id: int | None
    undone: bool = False
    reasons: list[str]
    text: str
    trim_start_frame: int | None
    trim_end_frame: int | None
    trim_of_id: int | None
    spent_s: float | None
    strategy: str
    propensity: float | None
    round: int | None
    overlap: bool
    model: str
    score: float | None
    key: str
    decided_at: datetime


class Imported(BaseModel):
    """What became of the rows: `read` is the sum of added, known and bad.

    added    new; `known`: here already, by curator and key
    bad      not kept: nothing else was lost for them
    ignored  names that nobody here knows
    """

    read: int
    added: int
    known: int
    bad: list[BadRow]
    ignored: list[str]


def one_or_many(value: Any) -> str:
    """Which of the two bodies this is, for pydantic."""
    return MANY if isinstance(value, list) else ONE
