"""Which consecutive shots tell one thing: sequential grouping of shots into scenes.

After optimal sequential grouping (Rotman, Porat, Ashour, Barzelay 2018; mean cost): a division of the film into
scenes is good where the shots of each scene are alike. Here it is not the one best division that counts but all of
them: each is weighted by `exp(gain)`, the chance of every boundary is summed over them by a forward and a backward
pass, and the boundaries kept are those whose chance is worth it. Four things differ from the paper, each measured in
`docs/decisions/0003-scene-grouping.md`: likeness is taken after the film's own mean look is removed, long shots count
for more, a rare dissolve or fade favours a boundary, and the choice allows an error of one shot.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError, UnknownName

Floats = NDArray[np.float64]
Points = NDArray[np.float32]

MAX_SCENE_SHOTS = 80
SHOT_WEIGHT_RANGE = (0.2, 5.0)
SPREAD_SHOTS = 1500
BAND_ROWS = 128
LEAST_NORM = 1e-5


@dataclass(frozen=True)
class Look:
    """How a block of features enters: its share beside the others, and whether it holds counts or activations.

    Those are never negative and skewed, so their square root is taken (for a histogram that makes the inner product
    the Bhattacharyya coefficient).
    """

    share: float
    root: bool = True


LOOKS = {
    "vgg19": Look(0.55),
    "hsv": Look(0.45),
    "visual": Look(0.55),
    "colour": Look(0.45),
    "audio": Look(0.2, root=False),
}
"""Blocks of features by name, one row a shot. Which bins a histogram has does not matter, if it is the same for all
shots; `hsv` and `colour` need not sum to one. `audio` is the mean log-mel of the shot."""


@dataclass(frozen=True)
class Grouping:
    """The numbers of the method; the defaults are those chosen on scene_boundaries (development half).

    likeness         weight of the mean likeness inside a scene (in standard deviations of all pairs, per shot)
    scene_cost       what each further scene must bring
    length_power     a shot weighs (length / median length) to this power
    transition_gain  what a dissolve or fade before a shot brings, if such are rare in the film
    neighbour        share of the neighbours' chance that counts for a boundary, since ± one shot is near enough
    min_scene_shots  no scene is shorter, but the last
    threshold        chance, with that of the neighbours, from which on a boundary is kept
    """

    likeness: float = 2.0
    scene_cost: float = 3.0
    length_power: float = 0.5
    transition_gain: float = 1.2
    neighbour: float = 0.5
    min_scene_shots: int = 3
    threshold: float = 0.375


DEFAULT = Grouping()


def group_shots(
    features: Mapping[str, NDArray[np.float32]],
    lengths: Floats,
    gaps: NDArray[np.bool_] | None = None,
    grouping: Grouping = DEFAULT,
) -> NDArray[np.int64]:
    """Indices of the first shots of scenes, ascending; the first is 0. Empty for a film without shots.

    features  [N, D] each, under names of LOOKS; any may be missing, values may be NaN or infinite
    lengths   [N], in any unit
    gaps      [N], whether a dissolve or fade leads from the shot before to this one, if known

    Raises InputError where the shapes disagree, UnknownName for a block that is not in LOOKS.
    """
    if not len(lengths):
        return np.zeros(0, np.int64)
    chances = boundary_chances(features, lengths, gaps, grouping)
    return np.array([0, *choose(chances, grouping)], np.int64)


def boundary_chances(
    features: Mapping[str, NDArray[np.float32]],
    lengths: Floats,
    gaps: NDArray[np.bool_] | None = None,
    grouping: Grouping = DEFAULT,
) -> Floats:
    """How likely each shot starts a scene, [N] in 0 … 1 (0 for the first shot). Arguments and errors as group_shots."""
    count = len(lengths)
    _check(features, count, gaps)
    weights = _shot_weights(np.asarray(lengths, np.float64), grouping.length_power)
    gains = grouping.likeness * _likeness(_points(features, count), weights) - grouping.scene_cost
    return _marginals(gains, grouping.transition_gain * _rarity(gaps, count))


def choose(chances: Floats, grouping: Grouping = DEFAULT) -> list[int]:
    """The boundaries, at least min_scene_shots apart, whose chances exceed the threshold by the most in sum."""
    near = chances.copy()
    near[1:] += grouping.neighbour * chances[:-1]
    near[:-1] += grouping.neighbour * chances[1:]
    worth = (near - grouping.threshold).tolist()
    apart = grouping.min_scene_shots
    best = [0.0] * (len(worth) + 1)
    for i in range(apart, len(worth)):
        best[i + 1] = max(best[i], best[i - apart + 1] + worth[i])
    chosen, i = [], len(worth) - 1
    while i >= apart:
        taken = best[i + 1] > best[i]
        if taken:
            chosen.append(i)
        i -= apart if taken else 1
    return chosen[::-1]


def _check(features: Mapping[str, NDArray[np.float32]], count: int, gaps: NDArray[np.bool_] | None) -> None:
    for name, block in features.items():
        if name not in LOOKS:
            raise UnknownName("block of scene features", name, LOOKS)
        if block.ndim != 2 or len(block) != count:
            raise InputError(f"Scene features {name!r} have the shape {block.shape} for {count} shots.")
    if gaps is not None and np.shape(gaps) != (count,):
        raise InputError(f"The list of transitions has the shape {np.shape(gaps)} for {count} shots.")


def _shot_weights(lengths: Floats, power: float) -> Floats:
    known = np.isfinite(lengths) & (lengths > 0)
    if not known.any():
        return np.ones(len(lengths))
    median = np.median(lengths[known])
    weights = np.clip(np.where(known, lengths, median) / median, *SHOT_WEIGHT_RANGE) ** power
    return np.asarray(weights / weights.mean(), np.float64)


def _points(features: Mapping[str, NDArray[np.float32]], count: int) -> Points:
    """One point a shot; the inner products of two different shots have standard deviation 1 over the film."""
    parts = []
    for name, block in sorted(features.items()):
        points = _directions(block, LOOKS[name].root)
        spread = _spread(points)
        if spread > 0:
            parts.append(points * np.float32(np.sqrt(LOOKS[name].share / spread)))
    if not parts:
        return np.zeros((count, 1), np.float32)
    joined = np.concatenate(parts, axis=1)
    spread = _spread(joined)
    return np.asarray(joined / np.float32(np.sqrt(spread or 1.0)), np.float32)


def _directions(block: NDArray[np.float32], root: bool) -> Points:
    """Unit vectors from the film's mean; rows that are mostly not finite become 0, like everything and nothing."""
    values = np.asarray(block, np.float32)
    finite = np.isfinite(values)
    usable = finite.mean(axis=1) >= 0.5 if values.shape[1] else np.zeros(len(values), bool)
    if not usable.any():
        return np.zeros_like(values)
    # A float16 overflow was the largest value there is: the largest finite one is nearer to it than 0.
    values = np.nan_to_num(values, nan=0.0, posinf=values[finite].max(), neginf=values[finite].min())
    values = values / max(float(np.abs(values).max()), 1e-30)
    if root:
        values = _unit(np.sqrt(np.maximum(values, 0.0)))
    values = values - values[usable].mean(axis=0)
    values[~usable] = 0.0
    return _unit(values)


def _unit(values: Points) -> Points:
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(np.where(norms > LEAST_NORM, values / np.maximum(norms, LEAST_NORM), 0.0), np.float32)


def _spread(points: Points) -> float:
    """Standard deviation of the inner products of pairs of different shots (of every so manieth shot in long films)."""
    points = points[:: 1 + len(points) // SPREAD_SHOTS]
    count = len(points)
    if count < 2:
        return 0.0
    gram = (points @ points.T)[~np.eye(count, dtype=bool)]
    spread = float(gram.std(dtype=np.float64))
    return spread if spread > 1e-6 else 0.0


def _band(points: Points, reach: int) -> Floats:
    """[N, reach]: inner product of each shot with the shots 1 … reach after it, 0 past the end of the film."""
    count = len(points)
    padded = np.concatenate([points, np.zeros((reach, points.shape[1]), points.dtype)])
    band = np.zeros((count, reach))
    for start in range(0, count, BAND_ROWS):
        rows = np.arange(min(BAND_ROWS, count - start))[:, None]
        products = points[start : start + BAND_ROWS] @ padded[start : start + len(rows) + reach].T
        band[start : start + len(rows)] = products[rows, rows + np.arange(1, reach + 1)]
    return band


def _likeness(points: Points, weights: Floats) -> Floats:
    """[N, L+1]: summed likeness of the pairs in the scene that starts at a shot and has so many, by its weight.

    -inf where the film ends before the scene does. A scene of k like shots gets about (k - 1) / 2 of their likeness.
    """
    count = len(points)
    longest = min(MAX_SCENE_SHOTS, count)
    from_first = _band(points * weights[:, None].astype(np.float32), longest).cumsum(axis=1)
    total = np.concatenate([[0.0], weights.cumsum()])
    likeness = np.full((count, longest + 1), -np.inf)
    pairs = np.zeros(count)
    likeness[:, 1] = 0.0
    for length in range(2, longest + 1):
        starts = count - length + 1
        pairs = pairs[1 : starts + 1] + from_first[:starts, length - 2]
        likeness[:starts, length] = pairs / (total[length:] - total[:-length])
    return likeness


def _rarity(gaps: NDArray[np.bool_] | None, count: int) -> Floats:
    """0 … 1 for shots that a transition leads to: 0 if more than a third of all do, 1 if hardly any other does."""
    if gaps is None or not np.any(gaps):
        return np.zeros(count)
    rarity = np.clip((-np.log(np.mean(gaps)) - 1.0) / 3.0, 0.0, 1.0)
    return np.where(gaps, rarity, 0.0)


def _marginals(gains: Floats, starts: Floats) -> Floats:
    """Chance that a scene starts at each shot, over all divisions weighted by exp(gains of scenes and of starts)."""
    count, longest = len(gains), gains.shape[1] - 1
    after = np.zeros(count + 1)
    for i in range(count - 1, -1, -1):
        reach = min(longest, count - i)
        after[i] = starts[i] + _log_sum(gains[i, 1 : reach + 1] + after[i + 1 : i + reach + 1])
    before = np.full(count + 1, -np.inf)
    before[0] = 0.0
    lengths = np.arange(1, longest + 1)
    for i in range(1, count + 1):
        back = lengths[: min(longest, i)]
        before[i] = _log_sum(before[i - back] + starts[i - back] + gains[i - back, back])
    chances = np.exp(np.minimum(before[:-1] + after[:-1] - after[0], 0.0))
    chances[0] = 0.0
    return np.asarray(chances, np.float64)


def _log_sum(values: Floats) -> float:
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))
