"""What the API takes and gives of references."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.dependencies import LARGEST_ID
from backend.jobs.models import JobPublic

Kind = Literal["trailer", "edit"]
ReferenceState = Literal["waiting", "working", "ready", "failed", "cancelled", "outdated"]


class ReferenceNew(BaseModel):
    """A trailer, promo or edit list that lies under one of the server's allowed folders, and the film it is of."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"movie": 1, "path": "/films/big_buck_bunny_trailer.webm"}]}
    )

    movie: int = Field(ge=1, le=LARGEST_ID)
    path: str = Field(min_length=1, max_length=4096)
    film_called: str = Field(default="", max_length=200, description="What an edit calls the film, if not by its file.")


class ReferencePublic(BaseModel):
    """A reference. `outdated`: the film's file is another one by now; add the reference again."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    movie_id: int
    kind: Kind
    name: str
    source: Literal["path", "upload"]
    film_called: str
    size_bytes: int
    duration_s: float
    state: ReferenceState
    problem: str
    intervals: int
    withdrawn: int = Field(description="How many of the intervals are withdrawn.")
    job: JobPublic | None
    created_by: str
    created_at: datetime
    aligned_at: datetime | None


class IntervalPublic(BaseModel):
    """Frames of the film that a reference shows; `trailer_*` where in a trailer, in seconds."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    reference_id: int
    number: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    trailer_start_s: float | None
    trailer_end_s: float | None
    confidence: float
    withdrawn: bool
    withdrawn_by: str
    withdrawn_at: datetime | None


class LabelPublic(BaseModel):
    """A weak label of a window of whole shots: 1 where the reference shows it, 0 far from all that any shows."""

    model_config = ConfigDict(from_attributes=True)

    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    label: int
    weight: float
    source: str


class ReferenceAdded(BaseModel):
    """The reference and the job that aligns it. `known`: the same file was there already for this film."""

    reference: ReferencePublic
    job: JobPublic | None
    known: bool = False
