"""What the API gives of agreement."""

from pydantic import BaseModel, ConfigDict, Field

from labeling.decisions.models import Reason


class MeasurePublic(BaseModel):
    """A measure of agreement over `units` clips.

    value      1 is perfect, 0 what chance gives; null where there is nothing to compare, or all said the same
    low, high  95 % bootstrap interval over clips; null for fewer than ten clips
    observed   plain share of pairs of answers that are the same
    """

    model_config = ConfigDict(from_attributes=True)

    value: float | None = Field(examples=[0.71])
    low: float | None = Field(examples=[0.42])
    high: float | None = Field(examples=[0.93])
    units: int = Field(ge=0, examples=[24])
    observed: float | None = Field(examples=[0.875])


class PairPublic(BaseModel):
    """Two curators, by name, and Cohen's kappa between them."""

    first: str
    second: str
    kappa: MeasurePublic


class SubjectPublic(BaseModel):
    """How far curators agree about one thing: the verdict, or whether a reason holds.

    alpha   Krippendorff's, of all curators
    pairs   Cohen's kappa of all who were asked the same, those with the most clips first
    used    how many of the answers said so; of a verdict, how many answers there are
    """

    alpha: MeasurePublic
    pairs: list[PairPublic]
    used: int


class AgreementPublic(BaseModel):
    """How far the curators of a project agree, where two were asked about the same clip on purpose.

    clips     that were asked of two; `answered` by two or more, `waiting` for the second
    curators  who answered
    reasons   only those that somebody gave
    """

    project: int
    clips: int
    answered: int
    waiting: int
    curators: int
    verdict: SubjectPublic
    reasons: dict[Reason, SubjectPublic]


class TeamPublic(BaseModel):
    """What one model of a duel put into the draws: how many clips were judged, and the approved share of them.

    low, high   its 95 % interval (Wilson)
    """

    version: str = Field(description='A version, or "prior".')
    judged: int
    approved: int
    share: float | None
    low: float
    high: float


class DuelPublic(BaseModel):
    """Two models that share the queue by team draft.

    difference   the rival's approved share less the champion's, with its 95 % interval (Newcombe); null before both
                 have something that was judged
    preferred    the version that curators prefer, null while the interval holds 0
    """

    project: int
    champion: TeamPublic
    rival: TeamPublic
    difference: float | None
    low: float | None
    high: float | None
    preferred: str | None
