"""What a file says of its own about a clip, so that it can be read back whole: one line of `name=value`.

It holds what editing formats have no place for: which film (by its checksum), the clip's frames without handles and as
the film has them where its rate varies, scores as they were. It is believed only as long as the clip still lies where
the file's own times say.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote, unquote

from backend.exports.base import ClipList
from backend.exports.layout import Event
from backend.exports.words import as_score

MARK = "SELECTS"
WRITTEN = re.compile(rf"\b{MARK}((?: \w+=\S*)+)")
CHECKSUM_LETTERS = 16


@dataclass(frozen=True)
class Stamp:
    """`film` is the beginning of its checksum; `start_frame`, `end_frame` are the film's; `edit_rate` the list's."""

    key: str
    film: str
    start_frame: int
    end_frame: int
    handles: int
    edit_rate: Fraction
    score: float | None = None
    viral: float | None = None
    compelling: float | None = None
    band: str = ""


def stamp(clip_list: ClipList, event: Event) -> str:
    """The line for a clip."""
    clip = event.clip
    values: dict[str, object] = {
        "key": clip.key,
        "film": clip.source.sha256[:CHECKSUM_LETTERS],
        "frames": f"{clip.start_frame}-{clip.end_frame}",
        "handles": clip_list.handles or None,
        "edit": clip_list.rate,
        "score": as_score(clip.score),
        "viral": as_score(clip.viral),
        "compelling": as_score(clip.compelling),
        "band": clip.band or None,
    }
    said = (f"{name}={_quoted(value)}" for name, value in values.items() if value is not None)
    return " ".join([MARK, *said])


def read_stamp(text: str) -> Stamp | None:
    """The last whole line in a text; None where there is none."""
    lines = WRITTEN.findall(text)
    if not lines:
        return None
    values = {name: unquote(value) for name, _, value in (part.partition("=") for part in lines[-1].split())}
    try:
        start, end = values["frames"].split("-")
        return Stamp(
            values["key"],
            values["film"],
            int(start),
            int(end),
            int(values.get("handles", "0")),
            Fraction(values["edit"]),
            _score(values.get("score")),
            _score(values.get("viral")),
            _score(values.get("compelling")),
            values.get("band", ""),
        )
    except (ArithmeticError, LookupError, ValueError):
        return None


def _quoted(value: object) -> str:
    return quote(str(value).encode("utf-8", "replace"), safe="/:-+")


def _score(text: str | None) -> float | None:
    return as_score(float(text)) if text else None
