"""What the API takes and gives of training runs."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LARGEST_ID = 2**31 - 1
SLOT = r"^(compelling|compelling/[a-z0-9]+(-[a-z0-9]+)*|viral|metric/(scene|character))$"

RunState = Literal["queued", "running", "done", "refused", "failed", "cancelled"]
Slot = Annotated[
    str,
    Field(
        pattern=SLOT,
        max_length=70,
        examples=["compelling"],
        description="What is trained: compelling, compelling/GENRE, viral, metric/scene or metric/character.",
    ),
]


class RunNew(BaseModel):
    """What is to be trained. The same labels and the same seed give the same model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slot: Slot = "compelling"
    seed: int = Field(default=0, ge=0, le=LARGEST_ID)
    propose: Literal["better", "mlp", "linear"] | None = Field(
        default=None, description="Which of the two models that are trained is proposed; left out, as the settings say."
    )


class RunAsked(RunNew):
    """A run of a project."""

    project: int = Field(ge=1, le=LARGEST_ID, examples=[1])


class RunPublic(BaseModel):
    """A training run.

    state     "refused": it was trained, or could not be, and `problem` says why it may not go live
    trigger   who asked: a person ("asked"), the clock ("cron"), or new labels ("labels")
    snapshot  the labels that it was trained on; `version`: what came of it
    fraction  of the whole, 0 to 1; left_s: seconds that it will still take, null where that cannot be told
    """

    model_config = ConfigDict(from_attributes=True)

    id: str
    project_id: int
    slot: str
    state: RunState
    trigger: Literal["asked", "cron", "labels"]
    asked_by: str
    seed: int
    snapshot: str
    version: str | None
    stage: str
    fraction: float
    epoch: int
    epochs: int
    loss: float | None
    left_s: float | None
    problem: str
    note: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Gathered(BaseModel):
    """What there is to learn from, by clips that curators judged, and how much the gate asks for at least.

    labels_wanted, each_wanted, films_wanted  in all, of either answer, and films
    """

    project: int
    approved: int
    rejected: int
    films: int
    labels_wanted: int
    each_wanted: int
    films_wanted: int


class CorrectionsNew(BaseModel):
    """Corrections of clusters to learn likeness from.

    new       since the last run; with `wanted` of them one starts, 0: never for that
    standing  all that nobody took back; below `least` the gate lets nothing pass, and none starts by itself
    """

    kind: Literal["scene", "character"]
    new: int
    wanted: int
    standing: int
    least: int


class Schedule(BaseModel):
    """When a project is trained next.

    cron, next_at   by the clock; null where it is switched off, or no `selects trainer` has run yet
    running         whether a scheduler is at work
    labels          new since the last run; with `labels_wanted` of them a run starts, 0: never for that
    promotes        whether a version that passes the gate goes live by itself
    slots           what a run would train: with enough labels, published clips, or corrections
    """

    project: int
    cron: str
    next_at: datetime | None
    running: bool
    labels: int
    labels_wanted: int
    promotes: bool
    slots: list[str]
    corrections: list[CorrectionsNew]
