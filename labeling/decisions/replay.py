"""What decisions add up to: a function over the rows of one candidate, in the order in which they were made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from labeling.decisions.models import UNDO, VERDICTS


class Row(Protocol):
    """What of a decision counts here."""

    @property
    def id(self) -> int | None: ...
    @property
    def curator(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def undoes_id(self) -> int | None: ...
    @property
    def trim_start_frame(self) -> int | None: ...


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class State:
    """Where a candidate stands.

    verdict   the newest standing verdict that is no skip; "trimmed" for an approval of another cut of it; "skip" where
              there are only skips; "" where nothing stands
    counts    how many curators stand by each verdict
    """

    verdict: str
    counts: Mapping[str, int]


def undone(rows: Iterable[Row]) -> set[int]:
    """Ids of the rows that a later one took back."""
    return {row.undoes_id for row in rows if row.verdict == UNDO and row.undoes_id is not None}


def standing(rows: Sequence[R]) -> dict[str, R]:
    """The newest decision of each curator that was not undone, oldest first."""
    gone = undone(rows)
    stands: dict[str, R] = {}
    for row in rows:
        if row.verdict != UNDO and row.id not in gone:
            stands.pop(row.curator, None)
            stands[row.curator] = row
    return stands


def state(rows: Sequence[Row]) -> State:
    """Where the candidate of these rows stands."""
    stands = list(standing(rows).values())
    verdicts = [row.verdict for row in stands]
    said = [row for row in stands if row.verdict != "skip"]
    newest = said[-1] if said else None
    if newest is None:
        verdict = "skip" if stands else ""
    else:
        trimmed = newest.verdict == "approve" and newest.trim_start_frame is not None
        verdict = "trimmed" if trimmed else newest.verdict
    return State(verdict, {name: verdicts.count(name) for name in VERDICTS if name in verdicts})
