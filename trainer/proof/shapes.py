"""What the API gives of the live proof."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FigurePublic(BaseModel):
    """A value with its 95 % bootstrap interval."""

    model_config = ConfigDict(from_attributes=True)

    value: float
    low: float
    high: float


class PointPublic(BaseModel):
    """What the scores of the clips up to a moment were worth.

    judged        how many clips the model had had judged by then; the last `clips` of them count
    over          what was resampled: "films", or "clips" where there are too few films; then nothing is said of others
    auc           how often an approved clip had a higher score than a rejected one; chance gives 0.5
    every, upper  approved share of all these clips, which is what chance finds, and of the half with the higher scores
    lift          the difference of the two; both null where all scores are the same
    """

    model_config = ConfigDict(from_attributes=True)

    judged: int
    since: datetime
    until: datetime
    clips: int
    films: int
    approved: int
    over: Literal["films", "clips"]
    auc: FigurePublic
    every: FigurePublic
    upper: FigurePublic | None
    lift: FigurePublic | None


class ModelProof(BaseModel):
    """What one model's scores were worth. `model` as decisions name it: "prior", a version, or two of them."""

    model: str
    clips: int
    approved: int
    points: list[PointPublic]


class ProofPublic(BaseModel):
    """Whether scores are better than chance, by clips that were asked for by chance and scored before.

    models  in the order in which they came to score; no points where fewer than `least` clips were judged, or fewer
            than `least_each` of them approved or rejected
    window  a point looks back at so many clips
    """

    project: int
    least: int = Field(examples=[20])
    least_each: int = Field(examples=[5])
    window: int = Field(examples=[100])
    models: list[ModelProof]
