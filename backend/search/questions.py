"""What may be asked of /api/similar and /api/search in the address. One model a route: each is checked in one go."""

from typing import Annotated

from pydantic import BaseModel, Field

from backend.dependencies import LARGEST_ID, LARGEST_PAGE, PAGE
from backend.errors import InputError
from backend.search.filters import Filters
from backend.search.service import Example, Scope

LARGEST_FRAME = 2**40
LONGEST_QUESTION = 500

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Number = Annotated[int | None, Field(ge=0, le=LARGEST_ID)]
Year = Annotated[int | None, Field(ge=1800, le=2300)]
Seconds = Annotated[float | None, Field(ge=0, le=1e6, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Where(BaseModel):
    """Where to look, and which part of the list is wanted."""

    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE, description="How many at most.")
    offset: int = Field(0, ge=0, le=2**31, description="How many to leave out first.")
    film: list[Id] | None = Field(None, max_length=500, description="Only in these films.")
    title: str = Field("", max_length=200, description="Only in films with this in their title.")
    genre: list[Name] | None = Field(
        None, max_length=50, description="Only in films of one of these genres.", examples=[["comedy"]]
    )
    year_min: Year = Field(None, description="Only in films of this year and later.")
    year_max: Year = Field(None, description="Only in films of this year and earlier.")
    has_faces: bool | None = Field(None, description="Only shots with faces, or only without.")
    has_speech: bool | None = Field(None, description="Only shots in which somebody speaks, or only others.")
    dialogue_scene: bool | None = Field(
        None,
        description="Only shots of dialogue scenes of two characters (by turns, in medium close-ups), or only others.",
    )
    min_duration_s: Seconds = Field(None, description="Only shots at least this long.")
    max_duration_s: Seconds = Field(None, description="Only shots at most this long.")
    cluster: list[Id] | None = Field(
        None,
        max_length=50,
        description="Only shots in these places or with these people; of both where both are named.",
    )
    project: Id | None = Field(None, description="Only in this project; left out, in all of yours.")

    def scope(self) -> Scope:
        """The same as the search takes it."""
        filters = Filters(
            films=tuple(self.film or ()),
            title=self.title,
            genres=tuple(self.genre or ()),
            year_min=self.year_min,
            year_max=self.year_max,
            has_faces=self.has_faces,
            has_speech=self.has_speech,
            dialogue_scene=self.dialogue_scene,
            min_duration_s=self.min_duration_s,
            max_duration_s=self.max_duration_s,
            clusters=tuple(self.cluster or ()),
        )
        return Scope(self.project, filters, self.limit, self.offset)


class LikeThis(Where):
    """Like which part of a film."""

    movie: Id = Field(description="The film that the example is from.", examples=[1])
    shot: Number = Field(None, description="A shot of it by number.", examples=[12])
    scene: Number = Field(None, description="A scene of it by number.")
    start_frame: int | None = Field(None, ge=0, le=LARGEST_FRAME, description="Or its first frame,")
    end_frame: int | None = Field(None, ge=1, le=LARGEST_FRAME, description="and the one after its last.")

    def example(self) -> Example:
        """The part; raises InputError where it is none or more than one."""
        ends = (self.start_frame, self.end_frame)
        frames = None if self.start_frame is None or self.end_frame is None else (self.start_frame, self.end_frame)
        if [self.shot, self.scene, frames].count(None) != 2 or (frames is None and ends != (None, None)):
            raise InputError("Give one of shot, scene, or start_frame with end_frame.")
        return Example(self.movie, self.shot, self.scene, frames)


class InWords(Where):
    """Which words."""

    q: str = Field(min_length=1, max_length=LONGEST_QUESTION, description="The words.", examples=["a lone warrior"])

    def words(self) -> str:
        """The words; raises InputError where there are none."""
        if not self.q.strip():
            raise InputError("Say what to look for, in a word or a few.")
        return self.q.strip()
