"""What the API takes and gives of trained models."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LARGEST_ID = 2**31 - 1
SLOT = r"^(viral|compelling(/[^/]{1,80})?|metric/(scene|character))$"
LONGEST_WHY = 500


class FigurePublic(BaseModel):
    """A value on films that the model had not seen, with its 95 % interval; over n windows of so many films."""

    value: float
    low: float
    high: float
    n: int
    films: int


class ModelPublic(BaseModel):
    """A trained model.

    slot         what it may become: "compelling", "compelling/GENRE", "viral", "metric/scene" or "metric/character"
    state        "challenger"; "refused", and `reasons` are the gate's; "promoted": it was live once
    live         whether the project scores with it now
    kept         whether its files are kept; of old refused models only the card is
    summary      the first line of its card
    labels       how many, and how many films they are from
    figures      its own, by name (auc, ap, ndcg5, recall, brier, ece; of a metric head corrected, standing), as far as
                 its card has them
    """

    project_id: int
    version: str
    slot: str
    kind: str
    state: Literal["challenger", "refused", "promoted"]
    live: bool
    kept: bool
    summary: str
    reasons: list[str]
    labels: int | None
    films: int | None
    figures: dict[str, FigurePublic]
    features: str
    sha256: str
    snapshot: str
    created_at: datetime
    created_by: str
    run_id: str | None


class ModelWithCard(ModelPublic):
    """The same with the whole card: provenance, splits, figures beside its rivals', curves, the gate's checks."""

    card: dict[str, Any]


class LivePublic(BaseModel):
    """What is live in a slot.

    version     as promoted; null: the prior, or of a metric slot the plain embedding
    generation  counts the changes of this slot; send it back as `expected_generation`
    serving     what this server scores with at this moment; another one than `version` for up to two seconds after a
                change, or while `problem` says why that cannot be used
    """

    project_id: int
    slot: str
    version: str | None
    generation: int
    changed_at: datetime
    serving: str
    problem: str


class Change(BaseModel):
    """One change of what is live. `version` null: back to the prior, or to the plain embedding."""

    model_config = ConfigDict(from_attributes=True)

    project_id: int
    slot: str
    version: str | None
    previous: str | None
    generation: int
    by: str
    why: str
    at: datetime


class Promote(BaseModel):
    """Why, and what the asker has seen live: if that has changed meanwhile, nothing is done."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(default="", max_length=LONGEST_WHY, examples=["better on the random slice"])
    expected_generation: int | None = Field(default=None, ge=0, le=LARGEST_ID)


class Rollback(BaseModel):
    """Which slot goes back to what was live before."""

    model_config = ConfigDict(extra="forbid")

    project: int = Field(ge=1, le=LARGEST_ID, examples=[1])
    slot: str = Field(default="compelling", pattern=SLOT, max_length=100)
