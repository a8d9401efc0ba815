"""Who learns and who examines: films as groups, folds, frozen films, weights. No label crosses a film's edge."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError
from trainer.snapshot import UNLABELLED, Snapshot

Rows = NDArray[np.int64]

SAME_SHARE, SAME_SHARE_NARROW, WIDE = 0.1, 0.9, 16
"""Films with this share of equal windows are one film under two names; short vectors can be equal by chance."""

MANY_FILMS = 8
"""What more films than these have in common (black, a logo) says nothing about them."""

CLIP = 10.0
"""An inverse propensity counts at most as this many times the median one."""

STALE_S = 90 * 86400.0
"""What was decided longer ago than this before the newest decision is no longer recent."""


@dataclass(frozen=True)
class Split:
    """Rows of a snapshot: `train` may be learnt from, `held` never; both labelled. Films are numbers, [N].

    folds  of each row of the snapshot by its film, -1 for films that are never learnt from
    names  of each film; `remarks`: what was found out about them, in sentences
    """

    films: Rows
    names: tuple[str, ...]
    train: Rows
    held: Rows
    folds: Rows
    remarks: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.folds.max()) + 1


def make_split(snapshot: Snapshot, labelled: NDArray[np.bool_], seed: int, most_folds: int) -> Split:
    """Films that are frozen, and folds of the others; raises InputError where films cannot be split."""
    films, names = group_films(snapshot)
    remarks = [f"{name} have equal windows and are taken for one film." for name in names if " = " in name]
    held_films = np.zeros(len(names), bool)
    if snapshot.holdout is not None:
        held_films[films[snapshot.holdout]] = True
        mixed = np.unique(films[~snapshot.holdout & held_films[films]])
        if len(mixed):
            remarks.append(
                f"{len(mixed)} films have rows on both sides of the holdout; none of their rows was learnt from, "
                "since windows of one film resemble each other."
            )
    held = held_films[films]
    train = np.flatnonzero(labelled & ~held)
    _require_films(films, train, int(np.sum(held_films)))
    folds = np.full(len(films), -1, np.int64)
    learnt = np.unique(films[train])
    by_film = assign_folds(films[train], snapshot.labels[train], min(most_folds, len(learnt)), seed)
    for film, fold in by_film.items():
        folds[films == film] = fold
    # Films without a label of their own can still be ranked by a model that has not seen them: any of them.
    folds[(folds < 0) & ~held] = 0
    return Split(films, tuple(names), train, np.flatnonzero(labelled & held), folds, tuple(remarks))


def _require_films(films: Rows, train: Rows, held: int) -> None:
    count = len(np.unique(films[train]))
    if count < 2:
        beside = f" (besides {held} that are held out)" if held else ""
        raise InputError(
            f"Labels of at least two films are needed, there {'is 1' if count == 1 else 'are 0'}{beside}: what is "
            "learnt from one film can only be tested on another."
        )


def group_films(snapshot: Snapshot) -> tuple[Rows, list[str]]:
    """The number of each row's film [N] and the films' names; films that share windows are one."""
    listed, codes = np.unique(snapshot.movies.astype(str), return_inverse=True)
    parent = list(range(len(listed)))

    def root(film: int) -> int:
        while parent[film] != film:
            film = parent[film]
        return film

    for a, b in _same_films(snapshot.features, codes):
        parent[max(root(a), root(b))] = min(root(a), root(b))
    roots = np.array([root(film) for film in range(len(listed))])
    kept = np.unique(roots)
    names = [" = ".join(listed[roots == film]) for film in kept]
    return np.searchsorted(kept, roots)[codes].astype(np.int64), names


def _same_films(features: NDArray[np.float32], films: Rows) -> Iterable[tuple[int, int]]:
    """Pairs of films of which enough of the smaller one's windows are in the other, byte by byte.

    Films that mostly repeat themselves (coarse features, black) are left out: what repeats there repeats anywhere.
    """
    wide = features.shape[1]
    where: dict[bytes, set[int]] = {}
    told = np.ptp(np.nan_to_num(features), axis=1) > 0 if wide > 1 else np.ones(len(features), bool)
    for row in np.flatnonzero(told):
        where.setdefault(features[row].tobytes(), set()).add(int(films[row]))
    distinct = Counter(film for seen in where.values() for film in seen)
    rows = np.bincount(films)
    shared: Counter[tuple[int, int]] = Counter()
    for seen in where.values():
        if 1 < len(seen) <= MANY_FILMS:
            shared.update(combinations(sorted(film for film in seen if distinct[film] >= rows[film] / 3), 2))
    share = SAME_SHARE if wide >= WIDE else SAME_SHARE_NARROW
    return [pair for pair, count in shared.items() if count >= share * min(distinct[pair[0]], distinct[pair[1]])]


def assign_folds(films: Rows, labels: NDArray[np.int8], count: int, seed: int) -> dict[int, int]:
    """Film → fold, so that approvals and rows are spread: the film with most rows first, to where fewest are."""
    rng = np.random.default_rng([seed, 1])
    listed = rng.permutation(np.unique(films))
    sizes = {int(film): int(np.sum(films == film)) for film in listed}
    approved = {int(film): int(np.sum(labels[films == film] > 0)) for film in listed}
    rows, yes = np.zeros(count), np.zeros(count)
    found = {}
    for film in sorted((int(film) for film in listed), key=lambda film: -sizes[film]):
        load = (rows + sizes[film]) / len(films) + (yes + approved[film]) / max(sum(approved.values()), 1)
        fold = int(np.argmin(load))
        rows[fold] += sizes[film]
        yes[fold] += approved[film]
        found[film] = fold
    return found


def validation_films(films: Rows, labels: NDArray[np.floating], seed: int, share: float = 0.2) -> NDArray[np.bool_]:
    """Which rows are kept to know when to stop, [n]: whole films of about `share`; none where both sides need both
    answers and cannot have them, and where less than two films would be left to learn from.
    """
    if len(np.unique(films)) < 3:
        return np.zeros(len(films), bool)
    rng = np.random.default_rng([seed, 2])
    for _ in range(20):
        kept = np.zeros(len(films), bool)
        for film in rng.permutation(np.unique(films)):
            if kept.sum() >= share * len(films):
                break
            kept |= films == film
        if all(len(np.unique(labels[side] > 0.5)) == 2 for side in (kept, ~kept)):
            return kept
    return np.zeros(len(films), bool)


def training_weights(snapshot: Snapshot) -> NDArray[np.float32]:
    """weight × 1 / propensity, clipped, mean 1 over the rows that have a label, [N].

    A row whose chance is not known counts like the median one.
    """
    labelled = snapshot.labels != UNLABELLED
    inverse = 1.0 / snapshot.propensities
    known = labelled & np.isfinite(inverse)
    middle = float(np.median(inverse[known])) if known.any() else 1.0
    inverse = np.minimum(np.where(np.isfinite(inverse), inverse, middle), CLIP * middle)
    found = snapshot.weights * inverse
    mean = float(found[labelled].mean()) if labelled.any() else 0.0
    return np.asarray(found / mean if mean > 0 else np.ones(len(found)), np.float32)


def recent_random(snapshot: Snapshot, labelled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that were asked by chance and decided lately, [N]: the only fair picture of what curators are shown."""
    random = labelled & (snapshot.strategies == "random") & (snapshot.sources != "reference")
    newest = np.nanmax(snapshot.decided_at[labelled]) if np.isfinite(snapshot.decided_at[labelled]).any() else np.nan
    return np.asarray(random & ~(snapshot.decided_at < newest - STALE_S), np.bool_)
