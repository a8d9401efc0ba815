"""What the API takes and gives of clusters."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from backend.clusters.models import Kind
from backend.library.models import NAME_LENGTH
from backend.members.shapes import UNSEEN, one_spelling

LARGEST_ID = 2**31 - 1
MOST_ITEMS = 2000
"""So many items go in one correction."""

Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
ItemIds = list[Number]

HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Controls and direction marks. What joins emojis may be in a name."""


def _called(name: str) -> str:
    name = one_spelling(name)
    if HARMFUL.search(name) or (name and not re.sub(f"[{UNSEEN}]", "", name)):
        raise ValueError("a name has letters that can be seen, and no control characters")
    return name


ClusterCalled = Annotated[str, StringConstraints(max_length=NAME_LENGTH), AfterValidator(_called)]
"""A name in one spelling, or "" for none."""


class Box(BaseModel):
    """Where a face is, in shares of the picture's width and height."""

    x: float
    y: float
    width: float
    height: float


class ItemPublic(BaseModel):
    """A shot, or one person in a shot. `picture`: the address of the keyframe that shows it; `box`: the face in it."""

    id: int
    kind: Kind
    cluster: int | None
    movie_id: int
    movie_title: str
    shot: int
    track: int
    frame: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    picture: str
    box: Box | None
    confidence: float
    held: bool


class Strip(BaseModel):
    """Where in a film a cluster appears: spans in seconds, neighbours joined; of a film of `duration_s`."""

    movie_id: int
    movie_title: str
    duration_s: float
    spans: list[tuple[float, float]]


class ClusterPublic(BaseModel):
    """A place or a person. `suggestion`: a name that would fit, "" where there is none; `films`: in how many it is."""

    id: int
    kind: Kind
    name: str
    suggestion: str
    size: int
    held: int
    films: int
    screen_time_s: float
    cohesion: float
    cover: ItemPublic | None
    strip: list[Strip]
    updated_at: datetime


class CorrectionPublic(BaseModel):
    """What a person changed. `undone_by`: the correction that took it back."""

    id: int
    kind: Kind
    what: str
    cluster: int | None
    items: int
    said: str = Field(description="The change in a sentence.")
    by: str
    at: datetime
    undoes: int | None
    undone_by: int | None


class Corrected(BaseModel):
    """What a correction did: clusters as they are now, those that are gone, and how many items more it would move."""

    correction: CorrectionPublic
    clusters: list[ClusterPublic]
    gone: list[int]
    more: int


class Moved(BaseModel):
    """An item that a correction would move besides: where from and where to (None: noise), and how surely."""

    item: ItemPublic
    to: int | None
    confidence: float


class MergeSuggestion(BaseModel):
    """Two clusters that may be one."""

    one: ClusterPublic
    other: ClusterPublic
    confidence: float


class Items(BaseModel):
    """Some items by id."""

    items: ItemIds = Field(min_length=1, max_length=MOST_ITEMS, examples=[[12, 13]])


class ClusterNew(Items):
    """A new cluster, out of items of noise or of others."""

    kind: Kind
    name: ClusterCalled = ""


class ClusterName(BaseModel):
    """A name; "" takes it away."""

    name: ClusterCalled = Field(examples=["Kitchen"])


class Merge(BaseModel):
    """Clusters that are one: all become `into`."""

    into: int = Field(ge=1, le=LARGEST_ID, examples=[3])
    clusters: list[Number] = Field(min_length=1, max_length=200, examples=[[4, 7]])


class Split(Items):
    """Items of `cluster` that are another."""

    cluster: int = Field(ge=1, le=LARGEST_ID)
    name: ClusterCalled = ""


class Feedback(BaseModel):
    """What corrections teach: the anchor is more like the positive than like the negative."""

    kind: Kind
    correction: int
    at: datetime
    by: str
    what: str
    anchor: "FeedbackItem"
    positive: "FeedbackItem"
    negative: "FeedbackItem | None"


class FeedbackItem(BaseModel):
    """An item as feedback names it: film by checksum and title, a frame in it, the middle of the face if it is one."""

    key: str
    movie_sha256: str
    movie_title: str
    frame: int
    x: float | None = None
    y: float | None = None
