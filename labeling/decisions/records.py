"""A decision as it is carried out and in: without ids of this database, so that it means the same in another.

What is undone or trimmed is named by the key of its curator.
"""

import csv
import io
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from backend.cells import cell, plain
from labeling.decisions.models import LONGEST_KEY, UNDO, Reason, Verdict
from labeling.decisions.shapes import DAY_S, LAST_FRAME, LONGEST_TEXT

LONGEST_NAME = 200
BETWEEN = ";"
FAR_S = 1e7

# Keys made here have colons: "…:trim", "…:undo". There must be room for one more, so that what comes in can be undone.
LONGEST_OF_OTHERS = LONGEST_KEY - len(f":{UNDO}")
AnyKey = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_OF_OTHERS, pattern=r"^[\w.:-]+$")]
Word = Annotated[str, StringConstraints(max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]
Frame = Annotated[int, Field(ge=0, le=LAST_FRAME)]
Seconds = Annotated[float, Field(ge=0, le=FAR_S, allow_inf_nan=False)]


class DecisionRecord(BaseModel):
    """One decision. Fields are columns of a CSV and keys of a JSON line, in this order.

    source    of the candidate: "ranking", "manual" or "trim"
    team      the model whose list it came from, where two shared the queue
    undoes    key of the decision that this one takes back; `trim_of`: of the one whose other cut this is
    """

    model_config = ConfigDict(frozen=True)

    key: AnyKey
    curator: Annotated[Word, Field(min_length=1)]
    verdict: Literal[Verdict, "undo"]
    reasons: tuple[Reason, ...] = ()
    text: Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")] = ""
    movie_sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    movie_title: Word = ""
    source: Literal["ranking", "manual", "trim"] = "ranking"
    start_frame: Frame
    end_frame: Frame
    start_s: Seconds
    end_s: Seconds
    trim_start_frame: Frame | None = None
    trim_end_frame: Frame | None = None
    trim_of: AnyKey | None = None
    undoes: AnyKey | None = None
    spent_s: Annotated[float, Field(ge=0, le=DAY_S, allow_inf_nan=False)] | None = None
    strategy: Word
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None
    round: Frame | None = None
    overlap: bool = False
    team: Word = ""
    model: Word = ""
    score: Annotated[float, Field(allow_inf_nan=False)] | None = None
    decided_at: AwareDatetime

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.start_frame >= self.end_frame or self.start_s > self.end_s:
            raise ValueError("a clip must end after it starts")
        if (self.verdict == UNDO) != (self.undoes is not None):
            raise ValueError('"undo", and nothing else, has undoes')
        trim = (self.trim_start_frame, self.trim_end_frame)
        if None in trim and trim != (None, None):
            raise ValueError("a trim has both trim_start_frame and trim_end_frame")
        if self.trim_start_frame is not None and self.verdict != "approve":
            raise ValueError("another cut can only be approved")
        if self.trim_start_frame is not None and self.trim_start_frame >= (self.trim_end_frame or 0):
            raise ValueError("a trim must end after it starts")
        return self


COLUMNS = tuple(DecisionRecord.model_fields)
NEEDED = tuple(name for name, field in DecisionRecord.model_fields.items() if field.is_required())
HEADER = ",".join(COLUMNS) + "\r\n"


def record_of(row: Any) -> DecisionRecord:
    """The record of a row with a decision's columns, and `undoes`, `trim_of`, `source`. Not checked again."""
    values = {name: getattr(row, name) for name in COLUMNS}
    return DecisionRecord.model_construct(**values | {"reasons": tuple(row.reasons)})


def json_line(record: DecisionRecord) -> str:
    """The record as a line of JSON."""
    return record.model_dump_json() + "\n"


def csv_line(record: DecisionRecord) -> str:
    """The record as a row of CSV."""
    values = record.model_dump(mode="json") | {"reasons": BETWEEN.join(record.reasons)}
    file = io.StringIO(newline="")
    csv.writer(file).writerow(map(cell, values.values()))
    return file.getvalue()


def of_cells(values: Mapping[str, str]) -> dict[str, Any]:
    """Cells of a CSV as values; what a cell cannot tell from nothing is left out."""
    found: dict[str, Any] = {name: plain(text) for name, text in values.items()}
    if "reasons" in found:
        found["reasons"] = [reason.strip() for reason in found["reasons"].split(BETWEEN)]
    return found
