"""What the API takes and gives of the queue."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from backend.library.shapes import CandidatePublic
from labeling.strategies.registry import STRATEGIES

MOST_QUESTIONS = 50


class AskedMovie(BaseModel):
    """The film of a candidate that is asked about."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(validation_alias="movie_id")
    title: str
    year: int | None
    rate: str
    frames: int
    width: int
    height: int
    start_timecode: str | None


class QueueItem(BaseModel):
    """One candidate to judge, and why it is asked: by which slice of which draw, and how likely that was."""

    candidate: CandidatePublic
    movie: AskedMovie
    strategy: str = Field(examples=["random"])
    propensity: float = Field(gt=0, le=1)
    round: int


class QueueNext(BaseModel):
    """What to judge now, in this order. It is yours until `until`; asking again begins that time anew."""

    items: list[QueueItem]
    until: datetime | None


class QueuePublic(BaseModel):
    """How a project's curators are asked, and how much there is.

    left      candidates that nobody was asked about yet; `waiting`: drawn and with nobody
    asked     with somebody now
    decided   your own decisions of the last 24 hours
    """

    project: int
    strategy: str = Field(examples=["mix"])
    overlap: float = Field(ge=0, le=1, description="Share of candidates that two are asked about.")
    round: int
    left: int
    waiting: int
    asked: int
    decided: int


class QueueChange(BaseModel):
    """What is to be changed; what is left out stays. It counts from the next draw on."""

    strategy: str | None = Field(default=None, max_length=50, examples=["mix"], description=", ".join(STRATEGIES))
    overlap: float | None = Field(default=None, ge=0, le=1)


class Release(BaseModel):
    """Candidates that you are not going to judge; others are asked then."""

    project: int
    candidates: list[int] = Field(max_length=MOST_QUESTIONS, examples=[[17, 18]])


class Released(BaseModel):
    """How many questions were given back."""

    released: int
