"""Learns a metric head from corrections: triplet loss, with hard negatives from inside the film.

The head starts as the directions in which the items differ most, without the one that all share; so untrained it is
near to the plain embedding. Triplet loss and semi-hard negatives are those of FaceNet (Schroff et al., 2015).
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import normalize

from backend.clusters.reduce import MOST_DIMS, unit
from backend.errors import Stopped
from trainer.heads.data import NOTHING, Corrections, Floats, Rows
from trainer.learners.optimize import Adam

MARGIN = 0.2
RATE = 3e-3
NEAR_START = 0.01
"""How dear it is to leave the start: weight of the squared distance of the map from it."""
EPOCHS, BATCH, CHUNK = 60, 256, 1024
CANDIDATES = 64
"""Items of the film among which a hard negative is looked for."""
PATIENCE = 8
STANDING_A_FILM = 200

Tell = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Task:
    """What is learnt from: items of length 1 float32 [N, D], and triplets [T, 3] of corrections and of what stands."""

    found: Corrections
    vectors: Floats
    corrected: Rows
    standing: Rows
    seed: int
    stop: threading.Event


@dataclass(frozen=True)
class Fitted:
    """A map float32 [D, d], after how many epochs, and the loss on the films that were watched after each."""

    axes: Floats
    epochs: int
    losses: tuple[float, ...]


def make_task(found: Corrections, seed: int, stop: threading.Event) -> Task:
    """The task of a snapshot of corrections."""
    return Task(found, unit(found.vectors), found.triplets, standing_triplets(found, seed), seed, stop)


def standing_triplets(found: Corrections, seed: int) -> Rows:
    """Of what people have looked at and left: an item, another of its cluster, one of another cluster. int64 [S, 3].

    At most `STANDING_A_FILM` a film. Items that corrections moved are no anchors: of those the corrections speak.
    """
    rng = np.random.default_rng([seed, 11])
    moved = np.zeros(len(found.vectors), bool)
    moved[found.triplets[:, 0]] = True
    known = found.reviewed & (found.cluster != NOTHING) & found.vectors.any(axis=1)
    made: list[tuple[int, int, int]] = []
    for film in range(len(found.films)):
        here = np.flatnonzero(known & (found.film == film))
        count = 0
        for anchor in rng.permutation(here[~moved[here]]).tolist():
            mates = here[(found.cluster[here] == found.cluster[anchor]) & (here != anchor)]
            others = here[found.cluster[here] != found.cluster[anchor]]
            if len(mates) and len(others) and count < STANDING_A_FILM:
                made.append((anchor, int(rng.choice(mates)), int(rng.choice(others))))
                count += 1
    return np.array(made, np.int64).reshape(-1, 3)


def start_of(vectors: Floats) -> Floats:
    """The map [D, d] before anything is learnt, from rows of length 1."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors.astype(np.float64) - mean
    few = len(centred) < len(mean)
    value, axes = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    kept = axes[:, np.flatnonzero(value > max(value.max(), 0.0) * 1e-7)[::-1][:MOST_DIMS]]
    if few:
        kept = centred.T @ kept
        kept /= np.maximum(np.linalg.norm(kept, axis=0), 1e-12)
    if not kept.shape[1]:
        kept = np.eye(len(mean))[:, :1]
    length = float(mean @ mean)
    # What all share says nothing of any, and hides what they differ in.
    free = kept - np.outer(mean, mean @ kept) / length if length > 1e-12 else kept
    # A direction's sign is the solver's whim.
    signs = np.where(free[np.abs(free).argmax(axis=0), np.arange(free.shape[1])] < 0, -1.0, 1.0)
    return np.ascontiguousarray(free * signs, np.float32)


def right(axes: Floats | None, vectors: Floats, triplets: Rows) -> Floats:
    """Whether each anchor is nearer to its positive than to its negative: 1, 0, or ½ where both are as near."""
    mapped = vectors if axes is None else unit(vectors @ axes)
    anchor, positive, negative = (mapped[triplets[:, k]] for k in range(3))
    apart = np.einsum("td,td->t", anchor, positive) - np.einsum("td,td->t", anchor, negative)
    return np.asarray((np.sign(apart) + 1) / 2, np.float32)


def fit_head(task: Task, films: Rows, watched: Rows, epochs: int, tell: Tell, *, by_lot: bool = False) -> Fitted:
    """Learn from triplets that lie wholly in `films`, and stop when those in `watched` films get worse.

    Without watched films it takes `epochs`. `by_lot`: which side of a triplet is the positive is drawn by lot, for a
    head that has learnt nothing but was treated the same. Raises Stopped.
    """
    items = np.flatnonzero(np.isin(task.found.film, films) & task.vectors.any(axis=1))
    network = nn.Linear(task.vectors.shape[1], 1, bias=False)
    network.weight.data = torch.from_numpy(start_of(task.vectors[items]).T.copy())
    before = network.weight.detach().clone()
    adam, rng = Adam(network, RATE), np.random.default_rng([task.seed, 12])
    triplets = np.concatenate([_within(task, part, films) for part in (task.corrected, task.standing)])
    if by_lot:
        turned = (rng.random(len(triplets)) < 0.5) & (triplets[:, 2] != NOTHING)
        triplets[turned, 1:] = triplets[turned, :0:-1]
    watching = [_judged(_within(task, part, watched)) for part in (task.corrected, task.standing)]
    rows, losses = torch.from_numpy(task.vectors), list[float]()
    best = _axes(network), 0
    for epoch in range(1, epochs + 1 if len(triplets) else 1):
        if task.stop.is_set():
            raise Stopped("The training was stopped.")
        mined = _hard(task, _axes(network), triplets, items, rng)
        order = rng.permutation(len(triplets))
        for at in range(0, len(order), BATCH):
            some = order[at : at + BATCH]
            loss = _loss(network, rows, triplets[some], mined[some])
            adam.step(loss + NEAR_START * (network.weight - before).square().sum())
        losses.append(_watched_loss(network, rows, watching))
        tell(epoch, epochs, losses[-1])
        if not len(watched) or losses[-1] <= min(losses):
            best = _axes(network), epoch
        if epoch - best[1] >= PATIENCE:
            break
    return Fitted(best[0], best[1], tuple(losses))


def _axes(network: nn.Linear) -> Floats:
    return np.ascontiguousarray(network.weight.detach().numpy().T.copy(), np.float32)


def _judged(triplets: Rows) -> Rows:
    return np.asarray(triplets[triplets[:, 2] != NOTHING])


def _within(task: Task, triplets: Rows, films: Rows) -> Rows:
    """Those of which no item is of another film: no film's pictures cross to the other side."""
    inside = np.isin(task.found.film, films)
    kept = inside[triplets[:, :2]].all(axis=1) & (inside[triplets[:, 2]] | (triplets[:, 2] == NOTHING))
    return np.asarray(triplets[kept])


def _hard(task: Task, axes: Floats, triplets: Rows, items: Rows, rng: np.random.Generator) -> Rows:
    """For each triplet an item of the anchor's film and of another cluster, int64 [T], NOTHING where there is none.

    Of some drawn by lot, the nearest that is farther than the positive; where none is, the farthest.
    """
    mapped, film, cluster = unit(task.vectors @ axes), task.found.film, task.found.cluster
    sorted_items = items[np.argsort(film[items], kind="stable")]
    films = np.arange(len(task.found.films))
    first, end = (np.searchsorted(film[sorted_items], films, side=side) for side in ("left", "right"))
    found = np.full(len(triplets), NOTHING, np.int64)
    for at in range(0, len(triplets), CHUNK):
        anchor, positive = triplets[at : at + CHUNK, 0], triplets[at : at + CHUNK, 1]
        here, size = first[film[anchor]], (end - first)[film[anchor]]
        drawn = (rng.random((len(anchor), CANDIDATES)) * size[:, None]).astype(np.int64)
        some = sorted_items[here[:, None] + drawn]
        own = cluster[anchor][:, None]
        other = (cluster[some] != NOTHING) & (cluster[some] != own) & (cluster[some] != cluster[positive][:, None])
        near = np.einsum("tcd,td->tc", mapped[some], mapped[anchor])
        together = np.einsum("td,td->t", mapped[positive], mapped[anchor])[:, None]
        farther = other & (near < together)
        # The nearest of those that are farther; else the farthest of all others.
        worth = np.where(farther.any(axis=1, keepdims=True), np.where(farther, near, -3), np.where(other, -near, -3))
        best = some[np.arange(len(some)), worth.argmax(axis=1)]
        found[at : at + CHUNK] = np.where(other.any(axis=1) & (own[:, 0] != NOTHING), best, NOTHING)
    return found


def _loss(network: nn.Linear, rows: torch.Tensor, triplets: Rows, mined: Rows) -> torch.Tensor:
    """The mean triplet loss over the negatives of corrections and those that were mined."""
    anchor, positive = (normalize(network(rows[triplets[:, k]])) for k in (0, 1))
    together = (anchor - positive).square().sum(dim=1)
    total, count = network.weight.new_zeros(()), 0
    for negative in (triplets[:, 2], mined):
        there = np.flatnonzero(negative != NOTHING)
        if len(there):
            apart = (anchor[there] - normalize(network(rows[negative[there]]))).square().sum(dim=1)
            total, count = total + torch.relu(together[there] - apart + MARGIN).sum(), count + len(there)
    return total / max(count, 1)


def _watched_loss(network: nn.Linear, rows: torch.Tensor, watching: list[Rows]) -> float:
    """Half what corrections lose, half what stands: either alone would let go of the other."""
    with torch.no_grad():
        parts = [float(_loss(network, rows, part, part[:, 2])) for part in watching if len(part)]
    return float(np.mean(parts)) if parts else 0.0
