"""What the API takes and gives of filling a list by rule."""

from pydantic import BaseModel, ConfigDict

from labeling.lists.shapes import EntryPublic, Rule


class Picked(BaseModel):
    """A clip that a rule picks and that is not in the list yet."""

    model_config = ConfigDict(from_attributes=True)

    candidate_id: int
    movie_id: int
    movie_title: str
    start_frame: int
    end_frame: int
    start_s: float
    end_s: float
    scene: int
    score: float | None


class LeftOut(BaseModel):
    """Why approved clips were not picked, and how many."""

    why: str
    clips: int


class RulePreview(BaseModel):
    """What a rule would make of a list; nothing is changed.

    add      what would come in; `remove`: entries that would go; `keep`: how many stay, by hand or by rule
    clips    how many there would be, `total_s` seconds together
    version  of the list that was looked at: send it as `If-Match`, and exactly this happens, or nothing
    """

    add: list[Picked]
    remove: list[EntryPublic]
    keep: int
    clips: int
    total_s: float
    left_out: list[LeftOut]
    version: int | None


class RuleRun(BaseModel):
    """Run the list's rule, or another one that takes its place. `reorder`: in the rule's order, by hand or not."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reorder": False}]})

    rule: Rule | None = None
    reorder: bool = False
