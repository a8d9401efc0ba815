"""What turns a question into a vector: words, or a picture. Each model is opened once a process, when first needed."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from backend.errors import MissingWeights
from backend.features.base import Extractor, Image, ShotMaterial, Vectors
from backend.features.label_words import label_vectors
from backend.features.minilm import TextEncoder
from backend.features.openclip import OpenClip
from backend.features.registry import EXTRACTORS
from backend.search.copies import Floats, prepared
from backend.search.spaces import Space
from backend.settings import Settings

KEPT_TEXTS = 256
NEUTRAL = "a frame of a film"
"""What a picture is compared with when it is asked how well words fit it."""


class Encoders:
    """The models of a process, for all its threads. Every call raises MissingWeights where weights are not here."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cache = settings.home / "networks"
        self._opening = threading.Lock()
        self._extractors: dict[str, Extractor] = {}
        self._texts: OrderedDict[tuple[str, str], Floats] = OrderedDict()

    @cached_property
    def words(self) -> TextEncoder:
        """The model of the spaces of words."""
        return TextEncoder(self._cache)

    @cached_property
    def labels(self) -> Vectors:
        """The classes that are looked for, float32 [1000, 384]."""
        return label_vectors(self.words, self._cache)

    def warm(self) -> None:
        """Load what every search by words needs, so that the first one does not wait; weights may be missing."""
        with suppress(MissingWeights):
            self.meaning(NEUTRAL)
            _ = self.labels

    def meaning(self, text: str) -> Floats:
        """A text among other texts, float32 [384] of length 1."""
        return self._kept("words", text, self.words.vectors)

    def appearance(self, text: str) -> tuple[Floats, Floats]:
        """A text among pictures, and the neutral one: float32 [512] each, of length 1."""
        model = self.extractor("openclip")
        assert isinstance(model, OpenClip)
        return self._kept("look", text, model.text_vectors), self._kept("look", NEUTRAL, model.text_vectors)

    def picture(self, space: Space, image: Image) -> Floats:
        """A picture (RGB uint8 [height, width, 3]) among shots, float32 [D] of length 1."""
        material = ShotMaterial(0.0, 0.0, keyframes=(image,), keyframe_at=(0,))
        found: Floats = prepared(space, self.extractor(space.extractor.name).extract([material]).vectors)[0]
        return found

    def extractor(self, name: str) -> Extractor:
        """A loaded extractor."""
        with self._opening:
            if name not in self._extractors:
                models = self._settings.models
                given = models.paths.get(name)
                made = EXTRACTORS[name](
                    weights=Path(given).expanduser() if given else None, cache=self._cache, offline=models.offline
                )
                made.load()
                self._extractors[name] = made
            return self._extractors[name]

    def _kept(self, kind: str, text: str, make: Callable[[Sequence[str]], Vectors]) -> Floats:
        """A text's vector, the last ones from memory: a second page asks the same."""
        known = self._texts.get((kind, text))
        if known is None:
            known = np.asarray(make([text])[0], np.float32)
        with self._opening:
            self._texts[kind, text] = known
            self._texts.move_to_end((kind, text))
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        return known
