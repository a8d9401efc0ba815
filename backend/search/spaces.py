"""The visible list of what can be searched: each space holds one kind of vector, one row a shot or a spoken line."""

from dataclasses import dataclass
from typing import Literal

from backend.errors import UnknownName
from backend.features.base import Extractor
from backend.features.dialogue import Dialogue
from backend.features.efficientnet import EfficientNetLite0
from backend.features.labels import Labels
from backend.features.openclip import OpenClip
from backend.features.videomae import VideoMae


@dataclass(frozen=True)
class Space:
    """One kind of vector.

    rows    what a row stands for: a shot, or a spoken line
    unit    rows are scaled to length 1 and compared by their product; else they are kept as the extractor made them
    chroma  whether Chroma holds them too
    floor   the product of two rows that have nothing to do with each other: the score 0 (docs/decisions/0012-search.md)
    """

    name: str
    extractor: type[Extractor]
    rows: Literal["shots", "lines"] = "shots"
    unit: bool = True
    chroma: bool = True
    floor: float = 0.0

    @property
    def dimension(self) -> int:
        """Figures in a row."""
        return self.extractor.dimension

    @property
    def version(self) -> int:
        """Raised with the extractor's: another version is another collection."""
        return self.extractor.version

    def score(self, product: float) -> float:
        """A product of two rows as a share of the way from unrelated (0) to the same (1)."""
        return min(1.0, max(0.0, (product - self.floor) / (1 - self.floor)))


SPACES: dict[str, Space] = {
    "openclip": Space("openclip", OpenClip),
    "efficientnet": Space("efficientnet", EfficientNetLite0, floor=0.34),
    "videomae": Space("videomae", VideoMae),
    "dialogue": Space("dialogue", Dialogue, rows="lines"),
    # 1000 probabilities a shot: a closed list of words, so that a product with all of them is exact and cheap.
    "labels": Space("labels", Labels, unit=False, chroma=False),
}

LOOKS = ("openclip", "efficientnet")
"""Spaces that say what a picture looks like, the best first; an uploaded picture is put into one of them."""


def space_named(name: str) -> Space:
    """The space called `name`; raises UnknownName."""
    if name not in SPACES:
        raise UnknownName("space", name, SPACES)
    return SPACES[name]
