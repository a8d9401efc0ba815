"""Rows of engagement: figures of a published clip at one moment."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime


class Engagement(SQLModel, table=True):
    """What a platform counted for a clip until `measured_at`. `clip` is the platform's own name or address for it.

    completion   mean share of the clip that was watched, 0 to 1
    """

    __table_args__ = (UniqueConstraint("project_id", "platform", "clip", "measured_at"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    candidate_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("candidate.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    movie_sha256: str = Field(index=True)
    start_frame: int
    end_frame: int
    platform: str
    clip: str
    views: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    likes: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    shares: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    completion: float | None = None
    measured_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))
    added_by: str = ""
