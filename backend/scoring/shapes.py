"""What the scoring service takes and gives."""

from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field

from backend.scoring.presets import MAX_S, MIN_S

MOST_WINDOWS = 10_000


def _weight(name: str) -> AliasChoices:
    return AliasChoices(f"weight_{name}", AliasPath("weights", name))


class WindowFeatures(BaseModel):
    """A window of no stored film: the vector that a model scores, the measures that priors look at, or both."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=200)
    features: list[float] = Field(default=[], max_length=8192, description="Mean of its shots' vectors, in the schema.")
    measures: dict[str, float] = Field(default={}, description="Measure → value; the names are in the answer's error.")


class ScoreRequest(BaseModel):
    """A stored film, or windows; how the two scores are weighted; what clips may be like.

    Instead of `weight_viral` and `weight_compelling` there may be `weights`, an object with `viral` and `compelling` as
    in the answer; `preset` is another name for `content`, `min` and `max` are for `min_s` and `max_s`.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"movie": 1, "content": "trailer", "top_n": 5}, {"movie": 1, "weight_viral": 0.7}]
        },
    )

    movie: int | None = Field(default=None, ge=1, le=2**31 - 1)
    project: int | None = Field(
        default=None, ge=1, le=2**31 - 1, description="Whose live models score windows; left out, your first."
    )
    windows: list[WindowFeatures] = Field(default=[], max_length=MOST_WINDOWS)
    weight_viral: float | None = Field(default=None, ge=0, le=1, validation_alias=_weight("viral"))
    weight_compelling: float | None = Field(default=None, ge=0, le=1, validation_alias=_weight("compelling"))
    content: str | None = Field(
        default=None,
        max_length=50,
        validation_alias=AliasChoices("content", "preset"),
        description="reels, shorts, tiktok, trailer, …",
    )
    genre: str | None = Field(default=None, max_length=50)
    min_s: float | None = Field(
        default=None,
        gt=0,
        le=36_000,
        validation_alias=AliasChoices("min_s", "min"),
        description=f"Shortest clip; else the preset's, {MIN_S:g}.",
    )
    max_s: float | None = Field(
        default=None,
        gt=0,
        le=36_000,
        validation_alias=AliasChoices("max_s", "max"),
        description=f"Longest clip; else the preset's, {MAX_S:g}.",
    )
    top_n: int = Field(default=5, ge=1, le=1000)
    skip_last_percent: float = Field(default=0, ge=0, lt=100)
    per_scene: int | None = Field(default=None, ge=1, le=1000)
    model: str | None = Field(
        default=None, max_length=200, description='A model version, or "prior"; else the live one.'
    )
    curve: bool = Field(default=False, description="Give the score of every second of the film, too.")


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
