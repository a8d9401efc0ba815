"""How stills are split: mixed, which flatters (frames of one film stand on both sides), and unwatched, by film."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Fold = tuple[Rows, Rows]
"""Places of what is learnt from, and of what is tested on."""

MIXED_FOLDS = 5


def mixed(yes: NDArray[np.bool_], seed: int) -> list[Fold]:
    """Folds by lot, each with its share of both answers; fewer than MIXED_FOLDS where one answer is rarer than that."""
    lot = np.random.default_rng(seed)
    count = max(2, min(MIXED_FOLDS, int(yes.sum()), int((~yes).sum())))
    fold = np.zeros(len(yes), np.int64)
    for answer in (True, False):
        own = np.flatnonzero(yes == answer)
        fold[lot.permutation(own)] = np.arange(len(own)) % count
    return _teaching([_fold(fold == k) for k in range(count)], yes)


def unwatched(film: Rows, yes: NDArray[np.bool_]) -> list[Fold]:
    """One fold a film, which is tested on by what the others teach; none where the others have but one answer."""
    return _teaching([_fold(film == each) for each in np.unique(film).tolist()], yes)


def halves(film: Rows, yes: NDArray[np.bool_]) -> list[Fold]:
    """The films in two groups of about as many yes, each tested on by the other; for a search, where folds cost."""
    order = sorted(np.unique(film).tolist(), key=lambda each: (-int(yes[film == each].sum()), each))
    groups: tuple[list[int], list[int]] = ([], [])
    for each in order:
        lighter = min(groups, key=lambda group: (yes[np.isin(film, group)].sum(), len(group)))
        lighter.append(each)
    return _teaching([_fold(np.isin(film, group)) for group in groups if group], yes)


def thinned(rows: Rows, yes: NDArray[np.bool_], drop: float, seed: int) -> Rows:
    """The rows without a share of their negatives, drawn by lot; at least one stays. Only of what is learnt from."""
    negative = rows[~yes[rows]]
    gone = min(round(drop * len(negative)), max(0, len(negative) - 1))
    out: Sequence[int] = np.random.default_rng(seed).permutation(negative)[:gone].tolist()
    return rows[~np.isin(rows, out)]


def _teaching(folds: list[Fold], yes: NDArray[np.bool_]) -> list[Fold]:
    """Those from which both answers can be learnt."""
    return [fold for fold in folds if 0 < yes[fold[0]].sum() < len(fold[0])]


def _fold(test: NDArray[np.bool_]) -> Fold:
    return np.flatnonzero(~test), np.flatnonzero(test)
