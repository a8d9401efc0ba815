"""What the API takes and gives of the library."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlmodel._compat import SQLModelConfig

from backend.jobs.models import JobPublic
from backend.library.models import Movie, MovieFacts, MovieState, Rights
from backend.library.places import keyframe_address

Genre = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]


class MoviePath(MovieFacts):
    """A film that lies under one of the server's allowed folders: it is read in place and never touched."""

    model_config = SQLModelConfig(
        extra="forbid",
        json_schema_extra={
            "examples": [{"path": "/films/big_buck_bunny.mp4", "title": "Big Buck Bunny", "year": 2008}]
        },
    )

    path: str = Field(min_length=1, max_length=4096)
    project: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="The project's id; left out, the first that you may add to."
    )
    genres: list[Genre] = Field(default=[], max_length=20)
    audio_track: int = Field(default=0, ge=0, le=63, description="Which audio track is heard, counted from 0.")


class MovieChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"title": "Sintel", "year": 2010, "genres": ["fantasy"]}]}
    )

    title: str | None = Field(default=None, min_length=1, max_length=200)
    year: int | None = Field(default=None, ge=1870, le=2200)
    genres: list[Genre] | None = Field(default=None, max_length=20)
    plot: str | None = Field(default=None, max_length=20_000)
    rights_note: str | None = Field(default=None, max_length=20_000)
    rights: Rights | None = Field(default=None, description="`blocked`: no clip of it may leave.")
    embargo_until: date | None = Field(default=None, description="No clip of it may leave before this day.")
    reel: str | None = Field(default=None, max_length=200, description="As edit lists call it; left out, by its file.")
    tape: str | None = Field(default=None, max_length=200)


class MoviePublic(MovieFacts):
    """A film as the API shows it. `job` is the newest of its jobs; `plays` whether there is something to play yet."""

    id: int
    project_id: int
    genres: list[str]
    file: str = Field(description="The name of its file.")
    source: Literal["path", "upload"]
    sha256: str | None
    size_bytes: int
    state: MovieState
    problem: str
    profile: str
    audio_track: int
    duration_s: float
    rate: str = Field(description="Frames per second as a fraction.", examples=["24000/1001"])
    frames: int
    width: int
    height: int
    has_audio: bool
    start_timecode: str | None
    tracks: list[dict[str, Any]]
    warnings: list[str]
    plays: bool
    has_poster: bool
    picture: str | None = Field(description="Address of the poster, or of the keyframe that stands in for it.")
    shots: int
    scenes: int
    candidates: int
    approved: int = Field(description="Clips of it that curators approve now.")
    job: JobPublic | None
    created_at: datetime
    ready_at: datetime | None


class Added(BaseModel):
    """The film and the job that analyses it. `known`: the same file was there already, by checksum."""

    movie: MoviePublic
    job: JobPublic | None
    known: bool = False


class _Part(BaseModel):
    """Something in a film, in its order."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    number: int
    start_s: float
    end_s: float

    @classmethod
    def of(cls, row: Any, _movie: Movie) -> Self:
        """A row as the API shows it."""
        return cls.model_validate(row)


class ShotPublic(_Part):
    """One shot; `picture` is the address of its middle keyframe. Labels are guesses: (name, probability)."""

    scene: int
    start_frame: int
    end_frame: int
    keyframes: list[int]
    faces: int
    speech: float = Field(description="Share of the shot in which somebody speaks.")
    dialogue: str
    dialogue_scene: int | None = Field(
        description="The number of the dialogue scene of two characters that it lies in, by the sizes of faces."
    )
    labels: list[tuple[str, float]]
    picture: str | None = None

    @classmethod
    def of(cls, row: Any, movie: Movie) -> Self:
        """A row as the API shows it."""
        shown = cls.model_validate(row)
        if shown.keyframes:
            middle = shown.keyframes[len(shown.keyframes) // 2]
            shown.picture = keyframe_address(movie.id or 0, movie.sha256, middle)
        return shown


class ScenePublic(_Part):
    """Consecutive shots that tell one thing: `[first_shot, end_shot)`."""

    first_shot: int
    end_shot: int
    start_frame: int
    end_frame: int


class LinePublic(_Part):
    """What is said, and where that is known from: subtitles, a text track, or speech recognition."""

    shot: int
    text: str
    source: str


class CandidatePublic(BaseModel):
    """A window with its scores and why; those of a window made by hand are null until it is scored."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    movie_id: int | None
    movie_title: str
    source: Literal["ranking", "manual", "trim"]
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    scene: int
    rank: int | None
    score: float | None
    viral: float | None
    compelling: float | None
    band: str
    explanation: dict[str, float]
    reasons: list[str]
    model: str
    note: str
    verdict: Literal["", "approve", "reject", "skip", "flag", "trimmed"] = Field(
        description="What curators say of it now; `trimmed`: another cut of it was approved."
    )
    decided: int = Field(description="How many decisions there are of it.")
    created_by: str
    updated_at: datetime


class CandidateNew(BaseModel):
    """A window set by hand, in frames: `[start_frame, end_frame)`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"start_frame": 1440, "end_frame": 3600}]}
    )

    start_frame: int = Field(ge=0, le=2**40)
    end_frame: int = Field(ge=1, le=2**40)
    note: str = Field(default="", max_length=2000)
