"""`selects framing train`: what can be learnt from labelled stills, and how well it does on films it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from backend.features.base import Vectors
from backend.features.framing.judge import Judge
from trainer.framing.figures import Counts
from trainer.framing.learning import THRESHOLD, Setting, activation_maps, learn_cnn, learn_head
from trainer.framing.material import Material
from trainer.framing.search import BASELINE, choose
from trainer.framing.splits import Fold, Rows, mixed, thinned, unwatched

RULE, CNN, TUNED, HEAD = "rule", "cnn", "cnn-tuned", "head"


@dataclass(frozen=True)
class Asked:
    """How to train. drop: share of the negatives that are left out of what is learnt from; tune: search settings.

    Raises InputError for a share that leaves nothing.
    """

    drop: float = 0.0
    tune: bool = False
    augment: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.drop < 1:
            raise InputError("--drop-negatives takes a share from 0 up to, but not including, 1.")


@dataclass(frozen=True)
class Tested:
    """What one kind of judge said of each still by models that had not seen it; NaN where no fold tests it.

    maps  float32 [N, h, w], where a CNN looked; empty for others
    """

    said: NDArray[np.float64]
    maps: Vectors = field(default_factory=lambda: np.zeros((0, 1, 1), np.float32))

    def counts(self, yes: NDArray[np.bool_], rows: Rows | None = None) -> Counts:
        """Of all stills that were tested, or of some."""
        own = np.isfinite(self.said) if rows is None else rows[np.isfinite(self.said[rows])]
        return Counts.of(yes[own], self.said[own] >= THRESHOLD)


@dataclass(frozen=True)
class Trained:
    """Judges that learnt from all stills, and what judges that had not seen a still said of it, by split and kind."""

    judges: dict[str, Judge]
    tested: dict[str, dict[str, Tested]]
    search: dict[str, Any]


Say = Callable[[str, int, int], None]


def train(material: Material, asked: Asked, say: Say = lambda what, done, total: None) -> Trained:
    """Train and test; `say` is told what is done. Raises InputError for films that cannot be split."""
    by_film = unwatched(material.film, material.yes)
    if not by_film:
        raise InputError("Medium close-ups are in one film only: without it there is nothing to learn them from.")
    splits = {"unwatched": by_film, "mixed": mixed(material.yes, asked.seed)}
    kinds = [CNN, HEAD, *([TUNED] if asked.tune else [])]
    search: dict[str, Any] = {}
    tested: dict[str, dict[str, Tested]] = {}
    for split, folds in splits.items():
        tested[split] = {RULE: _rule(material, folds)}
        for kind in kinds:
            if kind != TUNED or split == "unwatched":  # a search for each fold costs; the mixed split decides nothing
                tested[split][kind] = _test(material, folds, kind, asked, partial(say, f"{kind}, {split}"))
    judges = {}
    for at, kind in enumerate(kinds):
        say("on all stills", at, len(kinds))
        judges[kind], found = _learn(material, np.arange(len(material)), kind, asked)
        search |= found
    return Trained(judges, tested, search)


def _rule(material: Material, folds: list[Fold]) -> Tested:
    """The rule learns nothing; it is counted on the same stills as the others."""
    said = np.full(len(material), np.nan)
    for _, test in folds:
        said[test] = material.guess[test]
    return Tested(said)


def _test(material: Material, folds: list[Fold], kind: str, asked: Asked, say: Callable[[int, int], None]) -> Tested:
    said = np.full(len(material), np.nan)
    maps: list[tuple[Rows, Vectors]] = []
    for at, (learn, test) in enumerate(folds):
        say(at, len(folds))
        judge, _ = _learn(material, learn, kind, asked)
        if judge.kind == "head":
            said[test] = judge.of_vectors(material.vectors[test])
        else:
            said[test] = judge.of_pixels(material.pixels[test])
            maps.append((test, activation_maps(judge, material.pixels[test])))
    return Tested(said, _joined(maps, len(material)))


def _joined(parts: list[tuple[Rows, Vectors]], count: int) -> Vectors:
    if not parts:
        return np.zeros((0, 1, 1), np.float32)
    side = max(found.shape[1] for _, found in parts)
    whole = np.zeros((count, side, side), np.float32)
    for rows, found in parts:
        # Tuned networks may differ in depth from fold to fold.
        whole[rows] = np.kron(found, np.ones((1, side // found.shape[1], side // found.shape[2]), np.float32))
    return whole


def _learn(material: Material, rows: Rows, kind: str, asked: Asked) -> tuple[Judge, dict[str, Any]]:
    """A judge from these stills, and what was searched for it."""
    kept = thinned(rows, material.yes, asked.drop, asked.seed)
    yes = material.yes[kept]
    if kind == HEAD:
        return learn_head(material.vectors[kept], yes, asked.seed), {}
    setting, search = Setting(BASELINE.shape, BASELINE.epochs, BASELINE.rate, BASELINE.decay, asked.augment), {}
    if kind == TUNED:
        own = (material.pixels[rows], material.yes[rows], material.film[rows])
        setting, scores = choose(*own, asked.drop, asked.seed, asked.augment)
        search = {"chosen": setting.to_json(), "recall_less_fpr_of_each": scores}
    return learn_cnn(material.pixels[kept], yes, setting, asked.seed), search
