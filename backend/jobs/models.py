"""Rows of durable work: jobs, their stages, the workers that do them, and leases that one process holds at a time."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

STATES = ("queued", "running", "cancelling", "done", "failed", "cancelled")
OPEN = ("queued", "running", "cancelling")


class JobBase(SQLModel):
    """What a job is and how far it is.

    fraction   of the whole job, 0 to 1
    done, of   of the stage, in its own `unit`; `of` 0 where it is not known yet
    speed      units of the stage a second; for a film's picture and sound, times as fast as it plays
    eta_s      seconds that the stage will still take, None where it cannot be told
    problem    why it failed, in words
    """

    kind: str = "ingest"
    state: str = "queued"
    stage: str = ""
    fraction: float = 0.0
    done: float = 0.0
    of: float = 0.0
    unit: str = ""
    speed: float | None = None
    eta_s: float | None = None
    note: str = ""
    problem: str = ""
    attempts: int = 0


class Job(JobBase, table=True):
    """One piece of durable work. Its id is the id of its first workflow; a retry is a new workflow, `ID-N`."""

    id: str = Field(primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    movie_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("movie.id", ondelete="SET NULL"), nullable=True, index=True)
    )
    request: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    workflow: str = Field(default="", index=True)
    worker: str = ""
    created_by: str = ""
    created_at: datetime = Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))
    started_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    finished_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))


class JobStage(SQLModel, table=True):
    """A stage that a job has finished, and how long it took."""

    __table_args__ = (UniqueConstraint("job_id", "workflow", "stage"),)

    id: int | None = Field(default=None, primary_key=True)
    job_id: str = Field(sa_column=Column(ForeignKey("job.id", ondelete="CASCADE"), nullable=False, index=True))
    workflow: str
    stage: str = Field(index=True)
    seconds: float


class Worker(SQLModel, table=True):
    """A process that does jobs. `beat` is the database's time when it was last heard; who is dead never comes back."""

    name: str = Field(primary_key=True)
    queues: str
    host: str
    pid: int
    state: str = Field(default="alive", index=True)
    started: float
    beat: float


class Lease(SQLModel, table=True):
    """Something that one process at a time may do, until the database's time `until`."""

    name: str = Field(primary_key=True)
    holder: str
    until: float


class JobPublic(JobBase):
    """A job as the API shows it."""

    id: str
    project_id: int
    movie_id: int | None
    movie_title: str = ""
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
