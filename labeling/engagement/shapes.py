"""What the API takes and gives of engagement."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from labeling.sheets import BadRow

LARGEST_ID = 2**31 - 1
LAST_FRAME = 2**31 - 1
MOST_COUNTED = 2**53
"""Larger whole numbers do not survive JavaScript."""


def _with_zone(value: Any) -> Any:
    """A day or a moment without a zone is meant in UTC."""
    if isinstance(value, str):
        text = value.strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return text if moment.tzinfo else f"{moment.isoformat()}+00:00"
    return value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
Moment = Annotated[AwareDatetime, BeforeValidator(_with_zone)]
Counted = Annotated[int | None, Field(ge=0, le=MOST_COUNTED)]


class EngagementNew(BaseModel):
    """What a platform counted for a published clip until `measured_at` (UTC where it has no zone).

    The clip is a `candidate`, or a window in frames of a film: `movie`, or `sha256` for one that is gone. `clip` is the
    platform's own name or address of it: platform, clip and moment together are one measurement, however often sent.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "candidate": 17,
                    "platform": "youtube",
                    "clip": "https://youtu.be/abc",
                    "measured_at": "2026-11-20T12:00:00Z",
                    "views": 15200,
                    "likes": 830,
                    "shares": 61,
                    "completion": 0.42,
                }
            ]
        },
    )

    candidate: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    movie: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    start_frame: int | None = Field(default=None, ge=0, le=LAST_FRAME)
    end_frame: int | None = Field(default=None, ge=1, le=LAST_FRAME)
    platform: Name
    clip: Name
    measured_at: Moment
    views: Counted = None
    likes: Counted = None
    shares: Counted = None
    completion: float | None = Field(default=None, ge=0, le=1, description="Mean share that was watched.")

    @model_validator(mode="after")
    def _one_clip(self) -> Self:
        window = (self.start_frame, self.end_frame)
        if [self.candidate, self.movie, self.sha256].count(None) != 2:
            raise ValueError("name the clip by one of candidate, movie, sha256")
        if (self.candidate is None) != (None not in window) or (self.candidate is not None and window != (None, None)):
            raise ValueError("movie and sha256 go with start_frame and end_frame, candidate without")
        if self.start_frame is not None and self.end_frame is not None and self.start_frame >= self.end_frame:
            raise ValueError("a clip must end after it starts")
        if self.views is self.likes is self.shares is self.completion is None:
            raise ValueError("give at least one of views, likes, shares, completion")
        return self


FIELDS = tuple(EngagementNew.model_fields)


class EngagementPublic(BaseModel):
    """A measurement as it is kept. `candidate_id` is null where there is no such candidate (any more)."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    candidate_id: int | None
    movie_sha256: str
    start_frame: int
    end_frame: int
    platform: str
    clip: str
    views: int | None
    likes: int | None
    shares: int | None
    completion: float | None
    measured_at: datetime
    added_by: str


class EngagementRead(BaseModel):
    """What became of the rows: `read` is the sum of the four others.

    added    new; `changed`: known, with other figures now; `known`: known with the same
    bad      not kept: nothing else was lost for them
    ignored  columns of a CSV that nobody here knows
    """

    read: int
    added: int
    changed: int
    known: int
    bad: list[BadRow]
    ignored: list[str]
