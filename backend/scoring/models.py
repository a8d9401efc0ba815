"""Rows of trained models: the versions, which of them is live, and the history of that. The trainer writes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, ForeignKey, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.database import UtcDateTime, utc_now

CHALLENGER, REFUSED, PROMOTED = "challenger", "refused", "promoted"
STATES = (CHALLENGER, REFUSED, PROMOTED)
ROLLBACK = "rollback"
"""Why a row of history is there that moved the pointer back."""


def _of_project(*, index: bool = False) -> Any:
    return Field(sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), nullable=False, index=index))


def _moment() -> Any:
    return Field(default_factory=utc_now, sa_column=Column(UtcDateTime, nullable=False))


class ModelVersion(SQLModel, table=True):
    """One trained model; its files lie in `folder` (relative to HOME) and never change.

    `folder` is "" where they were tidied away: the card stays.

    slot    what it may become: "compelling", "compelling/<genre>" or "viral"; "metric/scene" or "metric/character"
    kind    "mlp", "linear" or "metric"; `schema_name` names the features that it knows
    state   "challenger", "refused" (by the gate; the card says why) or "promoted" (it was live once)
    run_id  the training run that made it, None for one that was brought in
    """

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of_project(index=True)
    version: str = Field(unique=True)
    slot: str
    kind: str
    folder: str
    sha256: str
    schema_name: str
    card: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    state: str = CHALLENGER
    created_at: datetime = _moment()
    created_by: str = ""
    run_id: str | None = None


class Live(SQLModel, table=True):
    """What is live in a slot of a project: a version, or None for the prior, or the plain embedding.

    `generation` grows with each change.
    """

    project_id: int = Field(
        sa_column=Column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    slot: str = Field(primary_key=True)
    version: str | None = None
    generation: int = 0
    changed_at: datetime = _moment()


class Promotion(SQLModel, table=True):
    """One change of what is live, with the `generation` that it made; rows are only ever added."""

    __table_args__ = (UniqueConstraint("project_id", "slot", "generation"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = _of_project()
    slot: str
    version: str | None = None
    previous: str | None = None
    generation: int
    by: str
    why: str = ""
    at: datetime = _moment()


def standing_versions(history: Iterable[tuple[str | None, str]]) -> list[str]:
    """The versions that were promoted and not taken back, the last one is live; of (version, why), oldest first."""
    stands: list[str] = []
    for version, why in history:
        if why == ROLLBACK:
            stands = stands[:-1]
        elif version is not None:
            stands.append(version)
    return stands
