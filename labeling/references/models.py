"""Rows of references: a trailer, promo or edit of a film, and the intervals of the film that it shows."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now


class Reference(SQLModel, table=True):
    """A file that shows parts of a film: `kind` "trailer" (a film file) or "edit" (an edit list).

    movie_sha256  the film it was aligned with: where the film's file is another one by now, its frames say nothing
    path          where the file lies, and `source` whether it was named by "path" or is the server's own "upload"
    film_called   what an edit calls the film, where it has another name there; ""
    job_id        the newest job that aligns it: what is not aligned yet is as far as that is
    duration_s    of a trailer, 0 for an edit
    """

    __table_args__ = (UniqueConstraint("movie_id", "sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False, index=True))
    movie_id: int = Field(sa_column=Column(ForeignKey("movie.id", ondelete="CASCADE"), nullable=False))
    movie_sha256: str
    kind: str
    name: str
    path: str
    source: str = "path"
    sha256: str = Field(index=True)
    size_bytes: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    film_called: str = ""
    duration_s: float = 0.0
    job_id: str = ""
    created_by: str = ""
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    aligned_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class ReferenceInterval(SQLModel, table=True):
    """Frames `[start_frame, end_frame)` of the film that a reference shows, in the reference's order.

    trailer_*   where in the trailer, in seconds; None for an edit
    confidence  how sure the place is: see `align.Segment`; 1 for an edit, which says it itself
    withdrawn   it labels nothing any more
    """

    __table_args__ = (UniqueConstraint("reference_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    reference_id: int = Field(sa_column=Column(ForeignKey("reference.id", ondelete="CASCADE"), nullable=False))
    number: int
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    trailer_start_s: float | None = None
    trailer_end_s: float | None = None
    confidence: float = 1.0
    withdrawn: bool = False
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
