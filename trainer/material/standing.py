"""Labels of windows: what stands of everything that curators decided. Rows in, values out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from labeling.decisions.models import TRIM
from labeling.decisions.replay import Row, standing

APPROVE, REJECT = "approve", "reject"
LABEL_OF = {APPROVE: 1, REJECT: 0}
DECISION, MANUAL = "decision", "manual"
HALF = 0.5
"""An approval with another cut is one act: half its weight lies on the window that was asked, half on the cut."""
MANUAL_WEIGHT = 0.5
"""Of a clip that somebody cut by hand and nobody judged."""

Window = tuple[str, int, int]
"""Checksum of the film, first frame, frame after the last."""


class OfWindow(Protocol):
    """A row about a window."""

    @property
    def movie_sha256(self) -> str: ...
    @property
    def start_frame(self) -> int: ...
    @property
    def end_frame(self) -> int: ...


def window_of(row: OfWindow) -> Window:
    """The window that a row is about."""
    return row.movie_sha256, row.start_frame, row.end_frame


class Decided(Row, OfWindow, Protocol):
    """What of a decision counts here."""

    @property
    def candidate_id(self) -> int: ...
    @property
    def trim_of_id(self) -> int | None: ...
    @property
    def strategy(self) -> str: ...
    @property
    def propensity(self) -> float | None: ...
    @property
    def decided_at(self) -> datetime: ...


@dataclass(frozen=True)
class Label:
    """A window with what is known of it. `label`: 1 approve, 0 reject, -1 none; `viral`: 0 to 1, None unknown.

    weight      1 for what is sure; `part` tells the two labels of a window about which curators disagree
    propensity  the chance that the draw by `strategy` asked for it, None where no draw did
    """

    window: Window
    label: int
    weight: float
    source: str
    strategy: str = ""
    propensity: float | None = None
    decided_at: float | None = None
    part: str = ""
    viral: float | None = None

    @property
    def window_id(self) -> str:
        """A name that is the same in every database."""
        sha256, start, end = self.window
        return f"{sha256}:{start}:{end}{f':{self.part}' if self.part else ''}"


def labels_of_decisions(rows: Iterable[Decided], manual: frozenset[int] = frozenset()) -> list[Label]:
    """One label for each window that curators agree on, two that share its weight where they do not.

    `rows` in the order in which they were made; `manual`: candidates that people cut by hand. Skips and flags label
    nothing.
    """
    by_candidate: defaultdict[int, list[Decided]] = defaultdict(list)
    for row in rows:
        by_candidate[row.candidate_id].append(row)
    return [
        label
        for candidate_id, own in by_candidate.items()
        for label in _of_window(list(standing(own).values()), candidate_id in manual)
    ]


def _of_window(stands: Sequence[Decided], by_hand: bool) -> list[Label]:
    said = [row for row in stands if row.verdict in LABEL_OF]
    sides = {verdict: [row for row in said if row.verdict == verdict] for verdict in LABEL_OF}
    both = all(sides.values())
    return [_label(rows, len(said), by_hand, verdict if both else "") for verdict, rows in sides.items() if rows]


def _label(rows: Sequence[Decided], curators: int, by_hand: bool, part: str) -> Label:
    """What the curators who said the same add up to; `curators`: how many said anything of the window."""
    drawn = next((row for row in rows if row.propensity is not None), rows[0])
    trims = all(row.trim_of_id is not None for row in rows)
    return Label(
        window=window_of(drawn),
        label=LABEL_OF[drawn.verdict],
        weight=sum(_act(row) for row in rows) / curators,
        source=TRIM if trims else MANUAL if by_hand else DECISION,
        strategy=drawn.strategy,
        propensity=drawn.propensity,
        decided_at=max(row.decided_at for row in rows).timestamp(),
        part=part,
    )


def _act(row: Decided) -> float:
    return HALF if row.trim_of_id is not None or row.trim_start_frame is not None else 1.0


def joined(parts: Iterable[Iterable[Label]], viral: Mapping[Window, Label]) -> list[Label]:
    """One list, sorted; of a window that several parts label the first counts. `viral` is set where it is known."""
    known: dict[Window, list[Label]] = {}
    for part in parts:
        found: defaultdict[Window, list[Label]] = defaultdict(list)
        for label in part:
            found[label.window].append(label)
        known = dict(found) | known
    return sorted(_with_viral(known, viral), key=lambda label: (label.window, label.part))


def _with_viral(known: Mapping[Window, Sequence[Label]], viral: Mapping[Window, Label]) -> Iterable[Label]:
    for window, labels in known.items():
        measured = viral.get(window)
        # Once a window: what curators disagree about was measured once.
        yield replace(labels[0], viral=measured.viral) if measured else labels[0]
        yield from labels[1:]
    for window, label in viral.items():
        if window not in known:
            yield label
