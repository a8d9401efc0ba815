"""The documented search for the tuned CNN: a fixed list of settings, chosen on films that are then not tested on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Vectors
from backend.features.framing.network import Shape
from trainer.framing.figures import Counts
from trainer.framing.learning import THRESHOLD, Setting, learn_cnn
from trainer.framing.splits import Rows, halves, thinned

BASELINE = Setting()
TRIED: Sequence[Setting] = (
    BASELINE,
    Setting(Shape(filters=(8, 16, 32), hidden=32)),
    Setting(Shape(filters=(8, 16, 32, 32), hidden=32), epochs=30),
    Setting(Shape(filters=(16, 32, 64), hidden=32), epochs=40, rate=5e-4, decay=1e-2),
    Setting(Shape(filters=(16, 32, 64), dropout=0.2), rate=3e-4, decay=1e-3, epochs=30),
)
"""What is tried: width, depth, dropout, rate, decay, epochs. The first is the baseline."""


def choose(
    pixels: Vectors, yes: NDArray[np.bool_], film: Rows, drop: float, seed: int, augment: bool
) -> tuple[Setting, list[float]]:
    """The setting with the best recall less false positive rate when each half of the films judges the other half.

    Gives that figure of each setting, too. Of equals the first; the baseline where the films cannot be halved.
    """
    folds = halves(film, yes)
    if len(folds) < 2:
        return _with(BASELINE, augment), []
    scores = []
    for setting in TRIED:
        said = np.zeros(len(yes))
        tested = np.concatenate([test for _, test in folds])
        for learn, test in folds:
            rows = thinned(learn, yes, drop, seed)
            judge = learn_cnn(pixels[rows], yes[rows], _with(setting, augment), seed)
            said[test] = judge.of_pixels(pixels[test])
        scores.append(Counts.of(yes[tested], said[tested] >= THRESHOLD).youden)
    return _with(TRIED[int(np.argmax(scores))], augment), [round(score, 4) for score in scores]


def _with(setting: Setting, augment: bool) -> Setting:
    return Setting(setting.shape, setting.epochs, setting.rate, setting.decay, augment)
