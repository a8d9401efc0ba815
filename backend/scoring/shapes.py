"""What the scoring service takes and gives."""

from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from backend.scoring.presets import MAX_S, MIN_S

MOST_WINDOWS = 10_000
LARGEST_BYTES = 300 << 20
"""So many windows with the features of the larger profile, each figure with all its digits."""


OTHER_NAMES = {"content": "preset", "min_s": "min", "max_s": "max"}


def _named(name: str) -> AliasChoices:
    return AliasChoices(name, OTHER_NAMES[name])


class WindowFeatures(BaseModel):
    """A window of no stored film: the vector that a model scores, the measures that priors look at, or both."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=200)
    features: list[float] = Field(default=[], max_length=8192, description="Mean of its shots' vectors, in the schema.")
    measures: dict[str, float] = Field(default={}, description="Measure → value; the names are in the answer's error.")


class BothWeights(BaseModel):
    """How the two scores are weighted: they add up to 1, and of one that is left out the other says enough."""

    model_config = ConfigDict(extra="forbid")

    viral: float | None = Field(default=None, ge=0, le=1)
    compelling: float | None = Field(default=None, ge=0, le=1)


def _described(schema: dict[str, Any]) -> None:
    shown = schema["properties"]
    for name, other in OTHER_NAMES.items():
        shown[other] = shown[name] | {"description": f"Another name for `{name}`."}
    schema["examples"] = [
        {"movie": 1, "content": "trailer", "top_n": 5},
        {"movie": 1, "weight_viral": 0.7},
        {"movie": 1, "weights": {"viral": 0.3, "compelling": 0.7}, "min": 10, "max": 30},
        {"windows": [{"id": "a", "measures": {"motion": 0.2}}, {"id": "b", "measures": {"motion": 0.9}}]},
    ]


class ScoreRequest(BaseModel):
    """A stored film, or windows; how the two scores are weighted; what clips may be like.

    Instead of `weight_viral` and `weight_compelling` there may be `weights`, an object with `viral` and `compelling` as
    in the answer; `preset` is another name for `content`, `min` and `max` are for `min_s` and `max_s`.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=_described)

    movie: int | None = Field(default=None, ge=1, le=2**31 - 1)
    project: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Whose live models score windows; left out, your first."
    )
    windows: list[WindowFeatures] = Field(default=[], max_length=MOST_WINDOWS)
    weight_viral: float | None = Field(default=None, ge=0, le=1)
    weight_compelling: float | None = Field(default=None, ge=0, le=1)
    weights: BothWeights | None = Field(default=None, description="Both, or one of them, in an object.")
    content: str | None = Field(
        default=None,
        max_length=50,
        validation_alias=_named("content"),
        description="reels, shorts, tiktok, trailer, …",
    )
    genre: str | None = Field(default=None, max_length=50)
    min_s: float | None = Field(
        default=None,
        gt=0,
        le=36_000,
        validation_alias=_named("min_s"),
        description=f"Shortest clip; else the preset's, {MIN_S:g}.",
    )
    max_s: float | None = Field(
        default=None,
        gt=0,
        le=36_000,
        validation_alias=_named("max_s"),
        description=f"Longest clip; else the preset's, {MAX_S:g}.",
    )
    top_n: int = Field(default=5, ge=1, le=1000)
    skip_last_percent: float = Field(default=0, ge=0, lt=100)
    per_scene: int | None = Field(default=None, ge=1, le=1000)
    model: str | None = Field(
        default=None, max_length=200, description='A model version, or "prior"; else the live one.'
    )
    curve: bool = Field(default=False, description="Give the score of every second of the film, too.")

    @model_validator(mode="before")
    @classmethod
    def _named_once(cls, given: Any) -> Any:
        """Raise ValueError where one thing is given under two names."""
        for name, other in OTHER_NAMES.items():
            if isinstance(given, dict) and name in given and other in given:
                raise ValueError(f"{other} is another name for {name}; give one of them")
        return given

    @model_validator(mode="after")
    def _weighted(self) -> "ScoreRequest":
        """`weights` under the two names."""
        if self.weights is None:
            return self
        if self.weight_viral is not None or self.weight_compelling is not None:
            raise ValueError("weights says the same as weight_viral and weight_compelling; give one or the other")
        self.weight_viral, self.weight_compelling = self.weights.viral, self.weights.compelling
        return self


class ScoredWindow(BaseModel):
    """One ranked clip. Of windows given by features only `id`, scores and band are set."""

    id: str | None = None
    rank: int
    start_frame: int | None = None
    end_frame: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    score: float
    viral: float | None
    compelling: float | None
    band: str
    explanation: dict[str, float] = {}
    reasons: list[str] = []
    scene: int | None = None


class ScoreCurve(BaseModel):
    """Per second of the film the mean scores of all windows that hold it; null where there is none."""

    viral: list[float | None]
    compelling: list[float | None]
    score: list[float | None]


class Scored(BaseModel):
    """Ranked windows, and what they were ranked by."""

    movie: int | None
    model: str = Field(description='The version that gave the compelling scores; "prior" where no model is live.')
    viral_model: str = Field(description='The version that gave the viral scores; "prior" where no model is live.')
    weights: dict[str, float]
    min_s: float
    max_s: float
    clips: list[ScoredWindow]
    notes: list[str] = []
    curve: ScoreCurve | None = None
