"""Rows of the index: which films are whole in which space, and which collection of Chroma is in use."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now


class IndexedFilm(SQLModel, table=True):
    """All rows of a film are in a space. Written in one transaction for all spaces of a film, after the vectors.

    scan_key  of the film when it was indexed: where the film's is another by now, this counts no more
    stamp     another one each time: what is held in memory under it never changes
    """

    __table_args__ = (UniqueConstraint("movie_id", "space"),)

    id: int | None = Field(default=None, primary_key=True)
    movie_id: int = Field(sa_column=Column(ForeignKey("movie.id", ondelete="CASCADE"), nullable=False, index=True))
    space: str
    version: int
    sha256: str = Field(index=True)
    inputs: str
    scan_key: str
    rows: int
    stamp: str
    indexed_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class VectorCollection(SQLModel, table=True):
    """The collection of Chroma that holds a space now; `repair` fills another and changes the name."""

    space: str = Field(primary_key=True)
    version: int
    name: str
    changed_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
