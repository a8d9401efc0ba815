"""Rows of training runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

OPEN = ("queued", "running")


class TrainingRun(SQLModel, table=True):
    """One training: from labels to a version, or to the reason why there is none.

    state     "queued", "running", "done", "failed", "cancelled" or "refused" (too few labels, or the gate did
              not let it pass: `problem` says which)
    trigger   "asked", "cron" or "labels"
    fraction  of the whole, 0 to 1; `stage`, `epoch` of `epochs`, `loss` and `left_s` as the training says
    problem   why it failed, for a person; `note`: what else there is to say
    """

    __table_args__ = (Index("trainingrun_of_project", "project_id", "created_at"),)

    id: str = Field(primary_key=True)
    project_id: int = Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False))
    slot: str = "compelling"
    state: str = Field(default="queued", index=True)
    trigger: str = "asked"
    asked_by: str = ""
    seed: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    snapshot: str = ""
    version: str | None = None
    stage: str = ""
    fraction: float = 0.0
    epoch: int = 0
    epochs: int = 0
    loss: float | None = None
    left_s: float | None = None
    problem: str = ""
    note: str = ""
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    workflow: str = ""
    worker: str = ""
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
