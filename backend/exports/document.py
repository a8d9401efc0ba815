"""The JSON form of a list: what is written, what is read, and the schema that is published of it.

The schema is kept in `list.schema.json` beside this file; whoever changes a shape writes it anew (`schema()`).
"""

import json
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.exports.base import MarkerKind

FORMAT: Final = "selects.list"
VERSION: Final = 1
SCHEMA = "https://json-schema.org/draft/2020-12/schema"

RateText = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,9}(/[1-9]\d{0,9})?$")]
Frame = Annotated[int, Field(ge=0)]
Score = Annotated[float, Field(allow_inf_nan=False)] | None


class _Part(BaseModel):
    # What a later version adds is no reason to refuse a file of this one.
    model_config = ConfigDict(frozen=True, extra="ignore")


class FilmPart(_Part):
    """A film. `path` is where the editor has it; `rate` is frames per second, a fraction such as "24000/1001".

    varies  its frames last differently long: `rate` is the nominal one, frames are still counted one by one
    """

    id: Annotated[str, Field(description="What clips call it in this file")]
    sha256: str
    name: str
    path: str
    title: str
    rate: RateText
    frames: Frame
    varies: bool = False
    start_timecode: str | None = None
    width: int
    height: int
    channels: int
    sound_hz: int
    reel: str = ""
    tape: str = ""


class MarkerPart(_Part):
    """Words on a frame of the film."""

    frame: Frame
    words: str
    kind: MarkerKind = "note"


class LinePart(_Part):
    """What is said, in seconds of the film."""

    start_s: float
    end_s: float
    text: str


class ClipPart(_Part):
    """Frames `[start_frame, end_frame)` of a film, counted from its first; seconds and timecodes are derived from them.

    exported_start_frame, exported_end_frame   the same with the list's handles
    record_in, record_out                      timecodes of the edit, the last one is the first frame behind the clip
    """

    number: int
    key: str
    film: str
    name: str
    note: str = ""
    start_frame: Frame
    end_frame: Frame
    start_s: float
    end_s: float
    start_timecode: str
    end_timecode: str
    exported_start_frame: Frame
    exported_end_frame: Frame
    record_in: str
    record_out: str
    score: Score = None
    viral: Score = None
    compelling: Score = None
    band: str = ""
    reasons: tuple[str, ...] = ()
    model: str = ""
    decisions: tuple[int, ...] = ()
    rights: str = ""
    embargo_until: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None
    markers: tuple[MarkerPart, ...] = ()
    lines: tuple[LinePart, ...] = ()

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.start_frame >= self.end_frame:
            raise ValueError("a clip must end after it starts")
        return self


class ListPart(_Part):
    """A list of clips. Times are whole frames and fractional rates; what is written as seconds is derived."""

    format: Literal["selects.list"] = FORMAT
    version: Literal[1] = VERSION
    id: int
    name: str
    project: str
    note: str = ""
    made_at: str = ""
    rate: RateText
    drop: bool = False
    handles: Frame = 0
    films: tuple[FilmPart, ...]
    clips: tuple[ClipPart, ...]

    @model_validator(mode="after")
    def _knows_its_films(self) -> Self:
        known = {film.id for film in self.films}
        unknown = [clip.film for clip in self.clips if clip.film not in known]
        if unknown:
            raise ValueError(f"no film is called {unknown[0]!r}")
        return self


def schema() -> str:
    """The JSON Schema of a list, as it is published."""
    made = {"$schema": SCHEMA, "$id": f"urn:{FORMAT}:{VERSION}", **ListPart.model_json_schema()}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
