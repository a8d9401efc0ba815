"""Rows of the library, and the shapes that the API takes and gives.

Frames are truth: `[start_frame, end_frame)` with the film's rate. Seconds stand beside them, derived, so that rows can
be filtered and shown without opening the film's time table.
"""

from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import AutoString, Field, SQLModel

from backend.database import UtcDateTime, utc_now

MovieState = Literal["waiting", "working", "ready", "failed", "cancelled"]
Rights = Literal["", "cleared", "blocked"]
NAME_LENGTH = 200
PLOT_LENGTH = 20_000


def _json(default: type[list[Any]] | type[dict[str, Any]]) -> Any:
    return Field(default_factory=default, sa_column=Column(JSON, nullable=False))


def _moment() -> Any:
    return Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


def _of_movie() -> Any:
    return Field(sa_column=Column(ForeignKey("movie.id", ondelete="CASCADE"), nullable=False, index=True))


class ProjectBase(SQLModel):
    """A workspace with members; everything below belongs to one."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH, schema_extra={"examples": ["Trailers 2026"]})


class Project(ProjectBase, table=True):
    """A workspace."""

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = _moment()


class ProjectPublic(ProjectBase):
    """A workspace as the API shows it, with the role of who asks."""

    id: int
    role: str
    movies: int = 0
    created_at: datetime


class MovieFacts(SQLModel):
    """What people say of a film; all of it can be changed."""

    title: str = Field(default="", max_length=NAME_LENGTH, schema_extra={"examples": ["Big Buck Bunny"]})
    year: int | None = Field(default=None, ge=1870, le=2200, schema_extra={"examples": [2008]})
    plot: str = Field(default="", max_length=PLOT_LENGTH)
    rights_note: str = Field(default="", max_length=PLOT_LENGTH)
    rights: Rights = Field(default="", sa_type=AutoString, description="`blocked`: no clip of it may leave.")
    embargo_until: date | None = Field(default=None, description="No clip of it may leave before this day.")
    reel: str = Field(default="", max_length=NAME_LENGTH, description="As edit lists call it; left out, by its file.")
    tape: str = Field(default="", max_length=NAME_LENGTH)


class Movie(MovieFacts, table=True):
    """One ingested film. `path` is where it lies; it is read there and never touched.

    source     "path" (referenced in place) or "upload" (the server's own copy)
    rate       rational frames per second, "24000/1001"
    tracks     audio tracks as the file names them; `audio_track` is the one that is heard
    scan_key   which stored scan the rows were made from; `vectors`: extractor → inputs of its feature file
    picture    the keyframe that stands for the film until a poster is given
    """

    __table_args__ = (UniqueConstraint("project_id", "sha256"), Index("movie_by_sha256", "sha256"))

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    genres: list[str] = _json(list)
    path: str
    source: str = "path"
    sha256: str | None = None
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    state: str = "waiting"
    problem: str = ""
    profile: str = "embedded"
    audio_track: int = 0
    duration_s: float = 0.0
    rate: str = ""
    frames: int = 0
    width: int = 0
    height: int = 0
    has_audio: bool = False
    start_timecode: str | None = None
    tracks: list[dict[str, Any]] = _json(list)
    warnings: list[str] = _json(list)
    scan_key: str = ""
    vectors: dict[str, str] = _json(dict)
    proxy: str = ""
    poster: str = ""
    picture: int = 0
    created_at: datetime = _moment()
    ready_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class Shot(SQLModel, table=True):
    """Frames between two cuts. `keyframes`: frame numbers; `labels`: [(name, probability)]; `speech`: share, 0 to 1.

    dialogue_scene  the number of the two-character dialogue scene that it lies in, None outside
    """

    __table_args__ = (UniqueConstraint("movie_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    movie_id: int = _of_movie()
    number: int
    scene: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    keyframes: list[int] = _json(list)
    faces: int = 0
    speech: float = 0.0
    dialogue: str = ""
    dialogue_scene: int | None = None
    labels: list[Any] = _json(list)


class Scene(SQLModel, table=True):
    """Consecutive shots that tell one thing: `[first_shot, end_shot)`."""

    __table_args__ = (UniqueConstraint("movie_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    movie_id: int = _of_movie()
    number: int
    first_shot: int
    end_shot: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float


class DialogueLine(SQLModel, table=True):
    """What is said: from a subtitle file, a text track, or speech recognition (`source`). `shot` is where it begins."""

    __table_args__ = (UniqueConstraint("movie_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    movie_id: int = _of_movie()
    number: int
    shot: int
    start_s: float
    end_s: float
    text: str
    source: str = "subtitles"


class Candidate(SQLModel, table=True):
    """A shot-aligned window with its scores, or one made by hand ("manual") or by approving another cut ("trim").

    It names its film by checksum and title besides, since it outlives the film where people decided something about it.
    `rank` is None where a later ranking left it out.

    decided   how many decisions there are of it, undone ones and undos too; with any the row is never removed
    verdict   where they leave it: "", "approve", "reject", "flag", "skip", or "trimmed" (another cut was approved)
    asked     whether it was put to a curator: a new ranking keeps it then
    """

    __table_args__ = (UniqueConstraint("project_id", "movie_sha256", "start_frame", "end_frame"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    movie_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("movie.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    movie_sha256: str
    movie_title: str
    source: str = "ranking"
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    scene: int = 0
    rank: int | None = None
    score: float | None = None
    viral: float | None = None
    compelling: float | None = None
    band: str = ""
    explanation: dict[str, float] = _json(dict)
    reasons: list[str] = _json(list)
    model: str = ""
    note: str = ""
    decided: int = 0
    verdict: str = ""
    asked: bool = False
    created_by: str = ""
    created_at: datetime = _moment()
    updated_at: datetime = _moment()
