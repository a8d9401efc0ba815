"""The rates that an edit can have, by the names that editing programs give them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Rate:
    """Frames per second, and whether its timecode drops numbers."""

    frames: Fraction
    drop: bool = False


RATES: Mapping[str, Rate] = {
    "23.976": Rate(Fraction(24000, 1001)),
    "24": Rate(Fraction(24)),
    "25": Rate(Fraction(25)),
    "29.97": Rate(Fraction(30000, 1001)),
    "29.97df": Rate(Fraction(30000, 1001), drop=True),
    "30": Rate(Fraction(30)),
    "50": Rate(Fraction(50)),
    "59.94": Rate(Fraction(60000, 1001)),
    "59.94df": Rate(Fraction(60000, 1001), drop=True),
    "60": Rate(Fraction(60)),
}
