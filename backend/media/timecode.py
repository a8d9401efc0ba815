"""SMPTE 12M timecode: hh:mm:ss:ff, with `;` before the frames where numbers are dropped (29.97 and 59.94 only)."""

import re
from dataclasses import dataclass
from fractions import Fraction

from backend.errors import InputError

PATTERN = re.compile(r"^(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})$")


@dataclass(frozen=True)
class Timecode:
    """How frames are counted: nominal frames per second (24 for 23.976) and whether numbers are dropped."""

    nominal: int
    drop: bool

    @classmethod
    def at_rate(cls, rate: Fraction, *, drop: bool = False) -> "Timecode":
        """The counting for a rate; `drop` is honoured only where it exists (30000/1001 and 60000/1001)."""
        nominal = max(1, round(rate))
        return cls(nominal, drop and rate.denominator == 1001 and nominal in (30, 60))

    @property
    def _dropped_per_minute(self) -> int:
        return self.nominal // 15 if self.drop else 0

    @property
    def per_day(self) -> int:
        """After how many frames it begins anew."""
        per_ten = 600 * self.nominal - 9 * self._dropped_per_minute
        return 144 * per_ten

    def format(self, frame: int) -> str:
        """The timecode of the frame with this number; wraps after 24 hours.

        >>> Timecode(30, drop=True).format(1800)
        '00:01:00;02'
        """
        dropped = self._dropped_per_minute
        per_minute = 60 * self.nominal - dropped
        per_ten = 10 * per_minute + dropped
        frame %= self.per_day
        tens, rest = divmod(frame, per_ten)
        skipped = 9 * dropped * tens + (dropped * max(0, (rest - dropped) // per_minute) if dropped else 0)
        seconds, frames = divmod(frame + skipped, self.nominal)
        minutes, seconds = divmod(seconds, 60)
        mark = ";" if self.drop else ":"
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}{mark}{frames:02}"

    def parse(self, text: str) -> int:
        """The frame number of a timecode; raises InputError for one that does not exist at this rate."""
        match = PATTERN.match(text.strip())
        if not match:
            raise InputError(f"{text!r} is not a timecode (hh:mm:ss:ff).")
        hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
        dropped = self._dropped_per_minute
        missing = dropped and minutes % 10 and not seconds and frames < dropped
        if minutes > 59 or seconds > 59 or frames >= self.nominal or missing:
            raise InputError(f"There is no timecode {text!r} at {self.nominal} frames per second.")
        total_minutes = 60 * hours + minutes
        skipped = dropped * (total_minutes - total_minutes // 10)
        return (3600 * hours + 60 * minutes + seconds) * self.nominal + frames - skipped


def source_timecode(start: str | None, rate: Fraction, frame: int) -> str:
    """The source's own timecode of a frame, counted from its start timecode (00:00:00:00 where it has none)."""
    counting = Timecode.at_rate(rate, drop=bool(start) and ";" in str(start))
    try:
        first = counting.parse(start) if start else 0
    except InputError:
        first = 0
    return counting.format(first + frame)
