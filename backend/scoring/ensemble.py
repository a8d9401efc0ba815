"""How much each of the two scores counts, how long clips may be, and in which format: options before presets."""

from dataclasses import dataclass

import numpy as np

from backend.errors import InputError
from backend.scoring import presets
from backend.scoring.film import Floats

SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Weights:
    """score = viral · viral score + compelling · compelling score."""

    viral: float = 0.5
    compelling: float = 0.5

    def combine(self, viral: Floats, compelling: Floats) -> Floats:
        """The ensemble's scores, same shape, in [0, 1]."""
        return np.asarray(self.viral * viral + self.compelling * compelling, np.float64)


@dataclass(frozen=True)
class Shape:
    """Limits of a clip's length in seconds, and the format of its picture."""

    min_s: float
    max_s: float
    format: str


def weights(
    viral: float | None = None,
    compelling: float | None = None,
    content: str | None = None,
    genre: str | None = None,
    settings: tuple[float | None, float | None] | None = None,
) -> Weights:
    """Weights by option, else content type, else genre, else settings file, else 0.5/0.5.

    One option given: the other is 1 − w. Raises InputError for weights outside 0 … 1 or that do not add up to 1,
    UnknownName for a content type or genre that is not listed (even where an option overrules it).
    """
    by_content = presets.content(content) if content else None
    by_genre = presets.genre(genre) if genre else None
    if viral is not None or compelling is not None:
        return _checked(viral, compelling)
    if by_content:
        return Weights(by_content.viral, by_content.compelling)
    if by_genre:
        return Weights(by_genre.viral, by_genre.compelling)
    if settings is not None:
        return _checked(*settings)
    return Weights()


def _checked(viral: float | None, compelling: float | None) -> Weights:
    for name, value in (("viral", viral), ("compelling", compelling)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"The {name} weight must lie between 0 and 1, not {value:g}.")
    if viral is None:
        viral = 1.0 - (compelling if compelling is not None else 0.5)
    other = 1.0 - viral if compelling is None else compelling
    if abs(viral + other - 1) > SUM_TOLERANCE:
        raise InputError(f"The weights must add up to 1, not {viral + other:g}; give one, the other follows.")
    return Weights(viral, other)


def shape(
    content: str | None = None, min_s: float | None = None, max_s: float | None = None, picture: str | None = None
) -> Shape:
    """Length and format: what is given, else what the content type says, else 60-120 s and the original picture."""
    preset = presets.content(content) if content else presets.Preset(0.5, 0.5)
    return Shape(
        preset.min_s if min_s is None else min_s, preset.max_s if max_s is None else max_s, picture or preset.format
    )
