"""Sets of windows that decide: the frozen holdout, what was asked by chance lately, and every film judged unseen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.scoring.mlp import Model
from trainer.evaluate import Comparison, Figure, Moments
from trainer.evidence import figures
from trainer.evidence.figures import Floats, Judged, Rows
from trainer.gate import JudgedSet, Limits
from trainer.learners.split import STALE_S, Split, recent_random
from trainer.snapshot import APPROVED, Snapshot

ABOUT = {
    "random": "what was lately asked by chance",
    "holdout": "the frozen films",
    "films": "films that it had not seen",
}
REFERENCE = "reference"
WEAK = (REFERENCE, "reference-far")
"""Sources of labels that nobody gave: what a trailer or an edit shows, and what is far from all that."""


@dataclass(frozen=True)
class Answers:
    """What all contenders say: probabilities [N] by name, nan where a row was not asked; what was answered [N].

    threshold   targets above it are approvals
    base_rate   share of approvals in training
    champion    the live model, None where there is none or it knows other features
    """

    snapshot: Snapshot
    split: Split
    targets: Floats
    threshold: float
    base_rate: float
    chances: Mapping[str, Floats]
    seed: int
    champion: Model | None = None

    def comparison(self, rows: Rows) -> Comparison:
        """The contenders on these rows."""
        _, films = np.unique(self.split.films[rows], return_inverse=True)
        judged = Judged(self.targets[rows], films.astype(np.int64), self.threshold)
        return Comparison(judged, {name: of[rows] for name, of in self.chances.items()}, self.base_rate, self.seed)


def rows_by_set(answers: Answers, labelled: NDArray[np.bool_], limits: Limits) -> dict[str, Rows]:
    """The rows of each set, in the order in which they decide; sets without both answers are left out.

    Weak labels of references are not judged by where there are enough others.
    """
    snapshot, split = answers.snapshot, answers.split
    said = labelled & np.isfinite(answers.chances["challenger"])
    people = said & ~np.isin(snapshot.sources, WEAK)
    if both(answers, people) and people.sum() >= limits.judged and len(np.unique(split.films[people])) >= 2:
        said = people
    held = np.zeros(len(snapshot), bool)
    held[split.held] = True
    masks = {"random": said & recent_random(snapshot, labelled), "holdout": said & held, "films": said}
    return {name: np.flatnonzero(mask) for name, mask in masks.items() if both(answers, mask)}


def both(answers: Answers, mask: NDArray[np.bool_]) -> bool:
    """Whether both answers are among these rows."""
    yes = answers.targets[mask] > answers.threshold
    return bool(yes.any() and not yes.all())


def headline(sets: Mapping[str, Rows], split: Split, limits: Limits) -> str:
    """The set whose figures stand first: the frozen films if they are enough of them, else every film."""
    held = sets.get("holdout")
    return "holdout" if held is not None and len(np.unique(split.films[held])) >= limits.judged_films else "films"


def judged_set(name: str, answers: Answers, compared: Comparison, rows: Rows, *, frozen: bool) -> JudgedSet:
    """One set for the gate. `frozen`: whether a holdout is there, so that all other films are only a spare."""
    yes = answers.targets[rows] > answers.threshold
    about = ABOUT[name]
    against: dict[str, Figure] = {}
    for rival in ("chance", "prior"):
        if rival == "chance" or rival in answers.chances:
            found = compared.difference("challenger", rival)
            against |= {rival: found} if found else {}
    flattered = False
    if answers.champion is not None:
        fair, word, flattered = _unseen(answers, rows)
        found = answers.comparison(fair).difference("challenger", "champion")
        if found:
            against["champion"] = found
            about += word
    return JudgedSet(
        name, about, int(yes.sum()), int((~yes).sum()), compared.judged.count, against,
        float(compared.values("challenger", "ece")[0]),
        figures.calibration_by_luck(compared.chances["challenger"]),
        stale=name == "holdout" and _is_stale(answers.snapshot, rows),
        flattered=flattered,
        spare=name == "films" and frozen,
    )  # fmt: skip


def _unseen(answers: Answers, rows: Rows, films: int = 3, least: int = 50) -> tuple[Rows, str, bool]:
    """The rows that the champion may be compared on, what is to be said of them, and whether they flatter it.

    Films that it has not learnt from; where those are too few, also what was decided after it had learnt, which
    flatters it only by the films; where that is too little too, all rows.
    """
    assert answers.champion is not None
    groups, known = answers.split.films, known_films(answers.champion, answers.snapshot, answers.split)[rows]
    if not known.any():
        return rows, "", False
    until = _part(answers.champion, "labels").get("until_s")
    later = answers.snapshot.decided_at[rows] > (until if isinstance(until, int | float) else np.inf)
    for mask, word in (
        (~known, ""),
        (~known | later, ", judged after the champion had learnt from some of these films"),
    ):
        kept = np.zeros(len(groups), bool)
        kept[rows[mask]] = True
        if mask.sum() >= least and len(np.unique(groups[kept])) >= films and both(answers, kept):
            return rows[mask], word, False
    return rows, " (some of which the champion has learnt from, which flatters it)", True


def known_films(model: Model, snapshot: Snapshot, split: Split) -> NDArray[np.bool_]:
    """Rows of films that a model has learnt from, under this name or another, [N]."""
    listed = _part(model, "split").get("train_films")
    seen = np.isin(snapshot.movies, listed if isinstance(listed, list) else [])
    return np.isin(split.films, split.films[seen])


def _part(model: Model, name: str) -> Mapping[str, object]:
    """A part of its card; nothing where somebody else has written something else there."""
    found = model.card.get(name)
    return found if isinstance(found, dict) else {}


def _is_stale(snapshot: Snapshot, rows: Rows) -> bool:
    """Whether all of these were decided long before the newest decision of the snapshot."""
    known = snapshot.decided_at[np.isfinite(snapshot.decided_at)]
    here = snapshot.decided_at[rows]
    here = here[np.isfinite(here)]
    return bool(len(here) and here.max() < known.max() - STALE_S)


def moments_of(snapshot: Snapshot, split: Split, within: NDArray[np.bool_]) -> Moments | None:
    """Reference moments and all windows of their films, of the rows `within`; None without any."""
    moments = within & (snapshot.sources == REFERENCE) & (snapshot.labels == APPROVED)
    rows = np.flatnonzero(within & np.isin(split.films, split.films[moments]))
    if not len(rows):
        return None
    _, films = np.unique(split.films[rows], return_inverse=True)
    return Moments(rows, films.astype(np.int64), moments[rows], snapshot.start_s[rows], snapshot.end_s[rows])
