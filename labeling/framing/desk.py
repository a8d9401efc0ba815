"""What the labelling page asks and is told: stills in the order in which they are worth a look, and their labels."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.still_features import still_features
from backend.analysis.stills import INDEX, StoredStill, read_index, read_picture
from backend.errors import InputError, NotFound
from backend.features.base import Extractor
from backend.features.framing.judge import Judge
from backend.features.framing.scale import Framing
from backend.files import one_at_a_time, require_writable
from labeling.framing.labels import Frame, Label, read_labels, write_labels

BATCH = 64
USUAL = "medium"
"""The scale of most medium close-ups (16 of the 18 in tests/data/framing_labels.csv)."""


@dataclass(frozen=True)
class Asked:
    """A still, what the face-size rule says, the first guess at it, and how probable a medium close-up is to the model.

    probability  None without a model
    """

    still: StoredStill
    rule: Framing
    guess: Framing
    probability: float | None


class Desk:
    """The stills of a folder, those first that the model, else the face-size rule, takes for medium close-ups.

    Labels are written to the file whenever one changes; whatever else stands in it stays, also what another page or
    an editor has put there since.
    """

    def __init__(
        self,
        folder: Path,
        labels: Path,
        extractors: Mapping[str, Extractor],
        judge: Judge | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        """Make what is missing of the stills' features; raises InputError, MissingWeights, OutputError.

        That labels can be written is asked first.
        """
        self.folder, self.path = folder, labels
        self._labels = self._read()
        self._lock = threading.Lock()
        stills = read_index(folder)
        with one_at_a_time(labels.absolute().parent):
            require_writable(labels, folder / INDEX)
        seen = still_features(folder, stills, extractors, progress)
        said = None if judge is None else _judged(judge, folder, stills, seen.vectors)
        asked = [
            Asked(still, rule, _guess(rule, judge, p), p)
            for still, rule, p in zip(
                stills, seen.guesses, said if said is not None else [None] * len(stills), strict=True
            )
        ]
        self.asked = sorted(asked, key=lambda each: (-_first(each), each.still.title, each.still.frame))

    def label_of(self, number: int) -> Framing | None:
        """What people say of a still, by its place in the order; None where nobody has said anything."""
        found = self._labels.get(self._frame(number))
        return found.framing if found else None

    def say(self, number: int, framing: Framing | None) -> None:
        """Label a still, or take its label back; it is in the file when this returns.

        Raises NotFound, InputError for a medium close-up of nobody, or where the file is no longer one of labels,
        OutputError.
        """
        frame = self._frame(number)
        if framing is not None and framing.contradicts:
            raise InputError("A medium close-up shows somebody: choose a scale (1 – 5), or no medium close-up (m).")
        with self._lock, one_at_a_time(self.path.absolute().parent):
            labels = self._read()
            labels.pop(frame, None)
            if framing is not None:
                labels[frame] = Label(framing, self.asked[number].still.title)
            write_labels(self.path, labels)
            self._labels = labels

    def picture(self, number: int) -> Path:
        """The file of a still; raises NotFound."""
        self._frame(number)
        return self.folder / self.asked[number].still.file

    def _read(self) -> dict[Frame, Label]:
        return read_labels(self.path) if self.path.exists() else {}

    def _frame(self, number: int) -> Frame:
        if not 0 <= number < len(self.asked):
            raise NotFound(f"There is no still {number}; there are {len(self.asked)}, counted from 0.")
        still = self.asked[number].still
        return still.film, still.frame


def _judged(judge: Judge, folder: Path, stills: list[StoredStill], vectors: NDArray[np.float32]) -> list[float]:
    if judge.kind == "head":
        return [float(p) for p in judge.of_vectors(vectors)]
    said: list[float] = []
    for at in range(0, len(stills), BATCH):
        said += judge.of_pictures([read_picture(folder, still) for still in stills[at : at + BATCH]]).tolist()
    return said


def _guess(rule: Framing, judge: Judge | None, probability: float | None) -> Framing:
    """The model's word on medium close-ups where there is one; of the scale the rule's.

    Where the model sees one and the rule nobody, the scale is that of most medium close-ups.
    """
    if judge is None or probability is None:
        return rule
    guess = Framing(probability >= judge.threshold, rule.scale)
    return Framing(True, USUAL) if guess.contradicts else guess


def _first(asked: Asked) -> float:
    return asked.probability if asked.probability is not None else float(asked.guess.medium_close_up)
