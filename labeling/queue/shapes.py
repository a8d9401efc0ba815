"""What the API takes and gives of the queue."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.library.shapes import CandidatePublic
from labeling.decisions.models import Verdict
from labeling.strategies.registry import STRATEGIES

MOST_QUESTIONS = 50
LARGEST_ID = 2**31 - 1


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


class StripShot(BaseModel):
    """One shot of the strip; `picture` is the address of its middle keyframe."""

    number: int
    scene: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    picture: str | None


class SpokenLine(BaseModel):
    """What is said in the clip, and where that is known from."""

    model_config = ConfigDict(from_attributes=True)

    start_s: float
    end_s: float
    text: str
    source: str


class Precedent(BaseModel):
    """A judged clip of another film or place, and how alike it looks: the cosine between both, 1 is the same."""

    candidate: CandidatePublic
    similarity: float = Field(ge=-1, le=1)
    picture: str | None


class Beside(BaseModel):
    """What stands beside a clip while it is judged. `movie` is null where the film was deleted.

    shots      those of the scenes that it touches and some on both sides, in order
    lines      what is said in it
    approved   the approved clip of the project that looks most like it; `rejected` likewise
    """

    candidate: CandidatePublic
    movie: AskedMovie | None
    shots: list[StripShot]
    lines: list[SpokenLine]
    approved: Precedent | None
    rejected: Precedent | None


class QueueNext(BaseModel):
    """What to judge now, in this order. It is yours until `until`; asking again begins that time anew."""

    items: list[QueueItem]
    until: datetime | None


class QueuePublic(BaseModel):
    """How a project's curators are asked, and how much there is.

    left      candidates that nobody was asked about yet; `waiting`: drawn and with nobody
    asked     with somebody now
    judged    candidates that curators said something of but "skip"
    today     your own standing decisions of the last 24 hours by verdict, without those of trims; `decided`: their sum
    """

    project: int
    strategy: str = Field(examples=["mix"])
    overlap: float = Field(ge=0, le=1, description="Share of candidates that two are asked about.")
    rival: str | None = Field(description="The version that shares the top scores with the live one.")
    round: int
    left: int
    waiting: int
    asked: int
    judged: int
    decided: int
    today: dict[Verdict, int] = Field(examples=[{"approve": 3, "reject": 5, "skip": 1, "flag": 0}])


class QueueChange(BaseModel):
    """What is to be changed; what is left out stays. It counts from the next draw on."""

    model_config = ConfigDict(extra="forbid")

    strategy: str | None = Field(default=None, max_length=50, examples=["mix"], description=", ".join(STRATEGIES))
    overlap: float | None = Field(default=None, ge=0, le=1)
    rival: str | None = Field(
        default=None,
        max_length=200,
        description="A trained version that shares the top scores with the live one; null ends that.",
    )


class Release(BaseModel):
    """Candidates that you are not going to judge; others are asked then."""

    model_config = ConfigDict(extra="forbid")

    project: int = Field(ge=1, le=LARGEST_ID)
    candidates: list[Annotated[int, Field(ge=1, le=LARGEST_ID)]] = Field(max_length=MOST_QUESTIONS, examples=[[17, 18]])


class Released(BaseModel):
    """How many questions were given back."""

    released: int
