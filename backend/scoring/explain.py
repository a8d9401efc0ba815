"""Why a clip was chosen: what its score would lose without each block, and the same in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.scoring.film import Floats
from backend.scoring.mlp import Model
from backend.scoring.prior import Prior
from backend.scoring.signals import BLOCKS, MEASURES
from backend.scoring.windows import Segments, Windows

PRIOR = "prior"
WORTH_SAYING = 0.06
"""A measure is put into words if it moves the weighted sum of z values by more than this."""

BANDS = ((0.8, "compelling"), (0.6, "good"), (0.4, "medium"))


def band(score: float) -> str:
    """compelling from 0.8, good from 0.6, medium from 0.4, else low."""
    return next((name for least, name in BANDS if score >= least), "low")


@dataclass(frozen=True)
class Judge:
    """How one of the two scores came about: by a prior over measures, or by a model over pooled vectors.

    standard   measure → float64 [C], the chosen windows' standardised measures
    effective  the prior's weights as they count in this film (empty for a model)
    pooled     float64 [C, dimension] and `typical` [dimension]: the chosen windows' vectors and the film's mean
    """

    prior: Prior
    standard: Mapping[str, Floats]
    effective: Mapping[str, float]
    model: Model | None = None
    pooled: Floats | None = None
    typical: Floats | None = None

    def without(self) -> dict[str, Floats]:
        """Block → the scores with that block at the film's typical value, float64 [C]."""
        if self.model is None or self.pooled is None or self.typical is None:
            return {block: self.prior.score_by(self.standard, self.effective, block) for block in BLOCKS}
        slices = self.model.schema.slices
        return dict(zip(slices, self.model.replaced(self.pooled, self.typical, [*slices.values()]), strict=True))


def contributions(judges: Sequence[tuple[float, Floats, Judge]], count: int) -> list[dict[str, float]]:
    """What each clip's score would lose without each block; judges are (ensemble weight, scores [C], judge).

    Blocks of the same name in both scores are taken away together. Largest first.
    """
    lost: dict[str, Floats] = {}
    for weight, scores, judge in judges:
        for block, left in judge.without().items():
            lost[block] = lost.get(block, np.zeros(count)) + weight * (scores - left)
    order = [sorted(lost, key=lambda block: -float(lost[block][clip])) for clip in range(count)]
    return [{block: float(lost[block][clip]) for block in order[clip]} for clip in range(count)]


def sentences(judges: Sequence[tuple[float, Floats, Judge]], clip: int, blocks: Mapping[str, float]) -> list[str]:
    """What the clip's scores rest on: the priors' signals in words, and a model's blocks."""
    models = [judge.model for _, _, judge in judges if judge.model is not None]
    said = [model_words(model, blocks) for model in models]
    if len(models) == len(judges):
        return said
    why = words(judges, clip) or "Near the film's average in everything"
    return [f"{why[0].upper()}{why[1:]}.", *said]


def words(judges: Sequence[tuple[float, Floats, Judge]], clip: int) -> str:
    """What lifts the clip, then after a semicolon what pulls it down: "loud, close faces; quiet ending"."""
    moved: dict[str, float] = {}
    for weight, _, judge in judges:
        for name, own in judge.effective.items():
            moved[name] = moved.get(name, 0.0) + weight * own * float(judge.standard[name][clip])
    order = sorted(moved, key=lambda name: -moved[name])
    lifts = [MEASURES[name].much for name in order if moved[name] > WORTH_SAYING and MEASURES[name].much][:4]
    drags = [MEASURES[name].little for name in reversed(order) if moved[name] < -WORTH_SAYING][:2]
    return "; ".join(part for part in (_listed(lifts), _listed(drags)) if part)


def _listed(parts: Sequence[str]) -> str:
    text = ", ".join(parts).replace("fast cutting, loud", "loud, fast cutting")
    return text.replace("loud, fast cutting", "loud and fast cutting")


def model_words(model: Model, clip: Mapping[str, float]) -> str:
    """Which blocks a trained model's score rests on, with the model's version."""
    own = {name: value for name, value in clip.items() if name in model.schema.slices and abs(value) >= 0.005}
    parts = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(own.items(), key=lambda item: -abs(item[1])))
    return f"Model {model.version} gives the {model.replaces} score" + (f": {parts}." if parts else ".")


def few(vectors: NDArray[np.float32], parts: Segments, found: Windows) -> tuple[Floats, Floats]:
    """A few windows' pooled vectors [C, dimension] and the film's mean [dimension], from the shots' [N, dimension]."""
    length = parts.durations_s
    weights = np.zeros((len(found) + 1, len(vectors)))
    for at, (first, last) in enumerate(zip(found.first, found.last, strict=True)):
        np.add.at(weights[at], parts.shot[first:last], length[first:last])
    np.add.at(weights[-1], parts.shot, length)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    means = (weights.astype(np.float32) @ vectors).astype(np.float64)
    return means[:-1], means[-1]
