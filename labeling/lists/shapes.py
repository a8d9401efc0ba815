"""What the API takes and gives of clip lists."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.dependencies import LARGEST_ID
from backend.jobs.models import JobPublic
from backend.library.models import Rights
from labeling.lists.models import ListState

LAST_FRAME = 2**31 - 1
DAY_S = 86_400.0
MOST_AT_ONCE = 500

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Words = Annotated[str, StringConstraints(max_length=5000, pattern=r"^[^\x00]*$")]
RowId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Frame = Annotated[int, Field(ge=0, le=LAST_FRAME)]
Seconds = Annotated[float, Field(gt=0, le=DAY_S)]
RateName = Literal["", "23.976", "24", "25", "29.97", "29.97df", "30", "50", "59.94", "59.94df", "60"]
"""`df` drops numbers; "" leaves it to the project, and there to the first clip's film."""


class Rule(BaseModel):
    """Which approved clips a list is filled with: the best that fit, one after the other.

    movies       ids of films; empty: all of the project. `genres`: only films of one of these
    count        how many clips at most, those that people put there by hand included; `total_s` likewise
    per_scene    how many of one scene at most; `per_film` of one film
    apart_s      seconds that clips of one film keep from each other; none overlap in any case
    order        "score" or "film" (by film, then by time in it)
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"movies": [1, 2], "count": 8, "per_scene": 2, "total_s": 360}]},
    )

    movies: list[RowId] = Field(default=[], max_length=MOST_AT_ONCE)
    genres: list[Name] = Field(default=[], max_length=20)
    count: int = Field(default=8, ge=1, le=MOST_AT_ONCE)
    per_scene: int | None = Field(default=None, ge=1, le=MOST_AT_ONCE)
    per_film: int | None = Field(default=None, ge=1, le=MOST_AT_ONCE)
    total_s: Seconds | None = None
    min_score: float | None = Field(default=None, ge=0, le=1)
    min_s: Seconds | None = None
    max_s: Seconds | None = None
    apart_s: float = Field(default=0.0, ge=0, le=DAY_S)
    order: Literal["score", "film"] = "score"


class ListNew(BaseModel):
    """A list without clips. `target_s`: how long it is meant to be."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Teaser, spring"}]})

    name: Name
    project: RowId | None = Field(default=None, description="The project's id; left out, your first.")
    note: Words = ""
    target_s: Seconds | None = None
    rate: RateName = Field(default="", description="Of the edit; left out, the project's.")


class ListByRule(ListNew):
    """A list that a rule fills."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Best of", "rule": {"count": 8, "per_scene": 2, "total_s": 360}}]},
    )

    rule: Rule


class RuleTried(BaseModel):
    """A rule to look at before there is a list."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"rule": {"count": 8, "per_scene": 2, "total_s": 360}}]}
    )

    rule: Rule
    project: RowId | None = Field(default=None, description="The project's id; left out, your first.")


class ListChange(BaseModel):
    """What is to be changed; what is left out stays. `rule`: kept, not run; null takes it away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Teaser, summer"}]})

    name: Name | None = None
    note: Words | None = None
    target_s: Seconds | None = None
    rate: RateName | None = None
    rule: Rule | None = None


class ListPublic(BaseModel):
    """A list. `version` grows with each change; its ETag says it too.

    blocked  how many clips may not go out, so that none of the list does: `entries` and preflight say why
    films    titles of the films that clips are of, in the list's order
    picture  address of a picture of its first clip
    job      the newest job that renders it
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    name: str
    note: str
    version: int
    state: ListState
    approved_by: str
    approved_at: datetime | None
    target_s: float | None
    total_s: float
    rate: RateName
    rule: Rule | None
    clips: int
    blocked: int
    films: list[str]
    picture: str | None
    job: JobPublic | None
    created_by: str
    created_at: datetime
    updated_at: datetime


class EntryNew(BaseModel):
    """A clip for a list: an approved candidate, or frames of a film set by hand, which says that you approve them.

    unapproved  let a candidate in that nobody approved; only admins may
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"candidate": 17}, {"movie": 1, "start_frame": 1440, "end_frame": 3600}]},
    )

    candidate: RowId | None = None
    movie: RowId | None = None
    start_frame: Frame | None = None
    end_frame: Frame | None = None
    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""
    note: Words = ""
    unapproved: bool = False

    @model_validator(mode="after")
    def _one_clip(self) -> Self:
        window = (self.start_frame, self.end_frame)
        if (self.candidate is None) == (self.movie is None):
            raise ValueError("name either a candidate or a movie")
        if self.candidate is not None and window != (None, None):
            raise ValueError("a candidate has its own frames; trim it when it is in the list")
        if self.movie is not None and None in window:
            raise ValueError("a movie goes with start_frame and end_frame")
        if self.start_frame is not None and self.end_frame is not None and self.start_frame >= self.end_frame:
            raise ValueError("a clip must end after it starts")
        return self


class EntriesNew(BaseModel):
    """Clips that come in together, all or none: before an entry, or at the end."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"entries": [{"candidate": 17}]}]})

    entries: list[EntryNew] = Field(min_length=1, max_length=MOST_AT_ONCE)
    before: RowId | None = Field(default=None, description="An entry of the list; left out, at its end.")


class Move(BaseModel):
    """Entries, in the order that they shall have, and the one before which they shall stand; null: at the end."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"entries": [5, 6], "before": 2}]})

    entries: list[RowId] = Field(min_length=1, max_length=MOST_AT_ONCE)
    before: RowId | None = None


class EntryChange(BaseModel):
    """What is to be changed of an entry; what is left out stays. Frames within the film; both or neither."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"start_frame": 1460, "end_frame": 3600, "note": "Louder."}]}
    )

    name: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] | None = None
    note: Words | None = None
    start_frame: Frame | None = None
    end_frame: Frame | None = None
    rights: Rights | None = None
    rights_note: Words | None = None
    embargo_until: date | None = Field(default=None, description="It may not leave before this day; null takes it off.")

    @model_validator(mode="after")
    def _whole_window(self) -> Self:
        if (self.start_frame is None) != (self.end_frame is None):
            raise ValueError("a trim has both start_frame and end_frame")
        if self.start_frame is not None and self.end_frame is not None and self.start_frame >= self.end_frame:
            raise ValueError("a clip must end after it starts")
        return self


class EntryPublic(BaseModel):
    """A clip in a list: frames `[start_frame, end_frame)`.

    movie_id     null where the film is gone
    name         as exports call it; `named` whether people gave it
    approved     whether curators approve its candidate now, or an admin let it in
    timecodes    the film's own where the clip begins and where it ends, as exports have them; null without the film
    trimmed      whether its frames are others than the candidate's, `candidate_start_frame` and `candidate_end_frame`
    blocked      why it may not go out, one sentence each; empty where it may
    picture      address of a keyframe from its middle
    """

    id: int
    list_id: int
    position: int
    candidate_id: int | None
    movie_id: int | None
    movie_sha256: str
    movie_title: str
    rate: str = Field(description="Of the film, as a fraction; empty where the film is gone.", examples=["24000/1001"])
    counted_rate: str = Field(description="The rate at which edits count the film: another one where its own varies.")
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    timecodes: tuple[str, str] | None
    duration_s: float
    candidate_start_frame: int | None
    candidate_end_frame: int | None
    trimmed: bool
    name: str
    named: bool
    note: str
    rights: Rights
    rights_note: str
    embargo_until: date | None
    approved: bool
    verdict: str
    admitted_by: str
    by_rule: bool
    blocked: list[str]
    scene: int
    score: float | None
    viral: float | None
    compelling: float | None
    band: str
    reasons: list[str]
    model: str
    picture: str | None
    added_by: str
    added_at: datetime


class Changed(BaseModel):
    """The list after a change, and the entries that it was about, in the list's order."""

    clip_list: ListPublic
    entries: list[EntryPublic]
