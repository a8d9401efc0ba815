"""Heads judged on films that they have not seen: which share of corrections each puts right, and of what stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate import TIMES, Figure, figure
from trainer.evidence.figures import Judged, draws_of, per_row
from trainer.heads.data import NOTHING, Floats, Rows
from trainer.learners.folds import side_by_side
from trainer.learners.split import assign_folds
from trainer.metric import EPOCHS, Fitted, Task, fit_head, right

FOLDS = 5
WATCHED_SHARE = 0.2
SEED = 6
CORRECTED, STANDING = "corrected", "standing"
CHALLENGER, FROZEN, CHANCE, CHAMPION = "challenger", "frozen", "lot", "champion"


@dataclass(frozen=True)
class Proof:
    """The head of all films that may be learnt from, and how everybody judged films that they had not seen.

    films     [F] fold of each film, −1 for those frozen for tests, −2 for those without a correction
    judged    what → the triplets that have a negative, int64 [T, 3], and a number of the correction of each, int64 [T]
    found     what → contender → 1, ½ or 0 for each of them; the champion has seen some of these films
    heads     fold by fold the map, and that of sides drawn by lot
    """

    fitted: Fitted
    folds: Rows
    judged: Mapping[str, tuple[Rows, Rows]]
    found: Mapping[str, Mapping[str, Floats]]
    film: Rows
    epochs: tuple[int, ...]
    curve: tuple[tuple[float, ...], ...]
    heads: tuple[tuple[Floats, Floats], ...]

    def figure(self, what: str, name: str, other: str = "", films: Rows | None = None) -> Figure | None:
        """The share that is put right, or the difference to another's; each correction in a film counts once."""
        triplets, correction = self.judged[what]
        values = self.found[what][name].astype(np.float64)
        if other:
            values = values - self.found[what][other]
        film = self.film[triplets[:, 0]]
        kept = np.ones(len(film), bool) if films is None else np.isin(film, films)
        if not kept.any():
            return None
        acts, of = np.unique(np.stack([film[kept], correction[kept]], axis=1), axis=0, return_inverse=True)
        shares = np.bincount(of.reshape(-1), values[kept]) / np.bincount(of.reshape(-1))
        numbers = np.unique(acts[:, 0], return_inverse=True)[1].astype(np.int64)
        judged = Judged(np.zeros(len(acts)), numbers)
        resampled = per_row(shares, judged, draws_of(judged.count, TIMES, SEED))
        return figure(resampled, (-1.0 if other else 0.0, 1.0), len(acts), judged.count)


def prove(task: Task, champion: Floats | None, tell: Callable[[int, float, int, int, float], None]) -> Proof:
    """Learn in folds of films and once from all; `tell` as `Progress.part`. Raises Stopped.

    champion  its map [D, d]
    """
    found = task.found
    folds = _folds(task)
    count = int(folds.max()) + 1
    judged = _judged(task)
    calls = [partial(_fold, task, folds, k, tell) for k in range(count)]
    made = side_by_side(calls, "cpu")
    epochs = tuple(each[0].epochs for each in made)
    whole = max(1, round(float(np.median([most for most in epochs if most] or [EPOCHS // 3]))))
    learnt = np.flatnonzero(folds >= 0)
    none = np.zeros(0, np.int64)
    quiet = lambda *_: None  # noqa: E731  a callback
    fitted = fit_head(task, learnt, none, whole, quiet)
    chance = fit_head(task, learnt, none, whole, quiet, by_lot=True)
    answers: dict[str, dict[str, Floats]] = {}
    for what, (triplets, _) in judged.items():
        where = folds[found.film[triplets[:, 0]]]
        own = {name: np.zeros(len(triplets), np.float32) for name in (CHALLENGER, CHANCE)}
        for k, (head, lot) in [*enumerate(made), (-1, (fitted, chance))]:
            rows = where == k
            own[CHALLENGER][rows] = right(head.axes, task.vectors, triplets[rows])
            own[CHANCE][rows] = right(lot.axes, task.vectors, triplets[rows])
        own[FROZEN] = right(None, task.vectors, triplets)
        if champion is not None:
            own[CHAMPION] = right(champion, task.vectors, triplets)
        answers[what] = own
    curve = tuple(each[0].losses for each in made)
    return Proof(fitted, folds, judged, answers, found.film, epochs, curve, tuple((a.axes, b.axes) for a, b in made))


def _folds(task: Task) -> Rows:
    """[F] the fold of each film; the frozen ones have −1, those of which nothing is judged −2."""
    found = task.found
    film = found.film[np.concatenate([task.corrected[:, 0], task.standing[:, 0]])]
    there = np.unique(found.anchor_film)
    folds = np.where(found.held, -1, -2).astype(np.int64)
    folds[np.setdiff1d(np.arange(len(folds)), there)] = -2
    learnt = film[np.isin(film, there[~found.held[there]])]
    count = min(FOLDS, len(np.unique(learnt)))
    for one, fold in assign_folds(learnt, np.ones(len(learnt), np.int8), count, task.seed).items():
        folds[one] = fold
    return folds


def _judged(task: Task) -> Mapping[str, tuple[Rows, Rows]]:
    """What → triplets with a negative, and which correction each is of; each that stands counts for itself."""
    there = task.corrected[:, 2] != NOTHING
    corrected = task.corrected[there], task.found.correction[there]
    own = np.isin(task.found.film[task.standing[:, 0]], np.unique(task.found.anchor_film))
    standing = task.standing[own]
    return {CORRECTED: corrected, STANDING: (standing, np.arange(len(standing)))}


def _fold(
    task: Task, folds: Rows, number: int, tell: Callable[[int, float, int, int, float], None]
) -> tuple[Fitted, Fitted]:
    """Learn without this fold, for as long as films kept aside say; and the same from sides drawn by lot."""
    import torch

    torch.set_num_threads(1)
    films = np.flatnonzero((folds >= 0) & (folds != number))
    kept = _watched(task, films, number)
    say = lambda epoch, epochs, loss: tell(number, 0.6 * epoch / epochs, epoch, epochs, loss)  # noqa: E731
    none, quiet = np.zeros(0, np.int64), lambda *_: None
    tried = fit_head(task, np.setdiff1d(films, kept), kept, EPOCHS if len(kept) else EPOCHS // 3, say)
    head = fit_head(task, films, none, tried.epochs, quiet)
    chance = fit_head(task, films, none, tried.epochs, quiet, by_lot=True)
    tell(number, 1.0, 0, 0, 0.0)
    return Fitted(head.axes, head.epochs, tried.losses), chance


def _watched(task: Task, films: Rows, number: int) -> Rows:
    """Films kept aside to know when to stop: about a fifth; none where fewer than three may be learnt from."""
    if len(films) < 3:
        return np.zeros(0, np.int64)
    rng = np.random.default_rng([task.seed, 13, number])
    order = rng.permutation(films)
    return np.sort(order[: max(1, round(WATCHED_SHARE * len(order)))])


def spread_of(mapped: Floats) -> float:
    """How unlike rows of length 1 are: the standard deviation of products of neighbours in the list."""
    near = np.einsum("nd,nd->n", mapped[:-1], mapped[1:])
    return float(np.std(near)) if len(near) else 0.0


def nothing_of(mapped: Floats, film: Rows, cluster: Rows, seed: int) -> float:
    """The median squared distance of items of different films and clusters; of any two where all are of one film."""
    rng = np.random.default_rng([seed, 14])
    one, other = rng.integers(0, len(mapped), (2, 20_000))
    apart: NDArray[np.bool_] = (film[one] != film[other]) & ((cluster[one] != cluster[other]) | (cluster[one] < 0))
    if not apart.any():
        apart = one != other
    if not apart.any():
        return 2.0
    found = np.square(mapped[one[apart]] - mapped[other[apart]]).sum(axis=1)
    return float(min(max(np.median(found), 1e-3), 4.0))
