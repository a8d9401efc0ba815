"""How alike two runs of pictures are: what they show, and how it moves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.references.footage import CELLS, COLUMNS, ROWS, Descriptors

STILL = 2e-4
"""Energy of movement, in squared length of a descriptor, below which codec noise is all there is."""
AROUND = 5


@dataclass(frozen=True)
class Likeness:
    """Of two runs of pictures, or of many pairs of them (arrays).

    picture   mean correlation of the pictures, frame by frame: 1 the same, 0 unrelated. A place seen at another time
              scores high too, and another render or grade of the right one lower.
    movement  correlation of what changes within the runs, after each run's mean picture was taken away: 1 where the
              same things move in the same way at the same time, whatever the light is.
    """

    picture: NDArray[np.float32]
    movement: NDArray[np.float32]


def compare(run: Descriptors, others: Descriptors) -> Likeness:
    """A run [..., K, 144] with others [..., K, 144] of the same length; leading axes are broadcast."""
    still, stills = run.mean(axis=-2), others.mean(axis=-2)
    length = run.shape[-2]
    picture = np.einsum("...kc,...kc->...", run, others) / length
    common = picture - (still * stills).sum(axis=-1)
    moves = np.einsum("...kc,...kc->...", run, run) / length - (still * still).sum(axis=-1)
    others_move = np.einsum("...kc,...kc->...", others, others) / length - (stills * stills).sum(axis=-1)
    return Likeness(picture, _share(common, moves, others_move))


def _share(
    common: NDArray[np.float32], moves: NDArray[np.float32], others_move: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.asarray(common / np.sqrt(np.maximum(moves, STILL) * np.maximum(others_move, STILL)), np.float32)


def compare_details(run: Descriptors, other: Descriptors) -> tuple[float, float]:
    """Picture and movement of two runs [K, 144], of what differs from its surroundings only.

    Soft shapes (a sky, a gradient behind a title) are like many others by chance; their details are like nothing.
    """
    one, two = run @ _DETAILS, other @ _DETAILS
    moving = one - one.mean(axis=0), two - two.mean(axis=0)
    return correlation(one, two), correlation(*moving)


def correlation(one: Descriptors, two: Descriptors) -> float:
    """Of all values, which have mean 0 already."""
    return float((one * two).sum() / max(float(np.sqrt((one * one).sum() * (two * two).sum())), 1e-9))


def _surroundings(cells: int) -> NDArray[np.float64]:
    """The matrix [cells, cells] that takes the mean over AROUND cells of a line, over fewer near its ends: as many at
    both sides, so that a slope has no details.
    """
    at = np.arange(cells)
    reach = np.minimum(np.minimum(at, at[::-1]), AROUND // 2)
    near = np.abs(at[:, None] - at) <= reach[:, None]
    return np.asarray(near / near.sum(axis=1, keepdims=True), np.float64)


_DETAILS = (np.eye(CELLS) - np.kron(_surroundings(ROWS), _surroundings(COLUMNS)).T).astype(np.float32)


class Runs:
    """All runs of a length in a film's descriptors [F, 144], to compare many others with: sums that are made once."""

    def __init__(self, film: Descriptors) -> None:
        self.film = film
        self._sums = np.concatenate([np.zeros((1, CELLS)), np.cumsum(film, axis=0, dtype=np.float64)])
        energy = np.einsum("fc,fc->f", film, film, dtype=np.float64)
        self._energies = np.concatenate([[0.0], np.cumsum(energy)])
        self._made: dict[int, tuple[Descriptors, NDArray[np.float32]]] = {}

    def _stills(self, length: int) -> tuple[Descriptors, NDArray[np.float32]]:
        """Mean picture [F - length + 1, 144] of each run, and how much it moves."""
        if length not in self._made:
            stills = ((self._sums[length:] - self._sums[:-length]) / length).astype(np.float32)
            energies = (self._energies[length:] - self._energies[:-length]) / length
            self._made[length] = stills, (energies - (stills * stills).sum(axis=1)).astype(np.float32)
        return self._made[length]

    def compare(self, shot: Descriptors, length: int, step: int) -> Likeness:
        """Each run of `length` in a shot [n, 144], beginning every `step`, with each of the film.

        Gives arrays [runs, F - length + 1].
        Sums along the diagonals of the table of all correlations: the cost does not grow with the length of a run.
        """
        table = shot @ self.film.T
        for row in range(1, len(table)):
            table[row, 1:] += table[row - 1, :-1]
        firsts = np.arange(0, len(shot) - length + 1, step)
        sums = table[firsts + length - 1, length - 1 :]
        sums[1:, 1:] -= table[firsts[1:] - 1, :-length]
        stills, moves = self._stills(length)
        runs = np.lib.stride_tricks.sliding_window_view(shot, length, axis=0)[firsts]
        own = runs.mean(axis=2)
        own_moves = np.einsum("rck,rck->r", runs, runs) / length - (own * own).sum(axis=1)
        picture = sums / np.float32(length)
        return Likeness(picture, _share(picture - own @ stills.T, own_moves[:, None], moves[None]))
