"""How a film's frames are counted in an edit: a constant rate, from the number that its timecode gives the first.

Editing programs know no varying rates: they lay a constant one over the file and show what is on screen at each tick.
So a film whose rate varies is counted by time, at the standard rate nearest to its nominal one.
"""

from fractions import Fraction
from functools import cache
from math import ceil

from backend.errors import InputError
from backend.exports.base import RECORD_START_H, ClipList, Source
from backend.media.timecode import Timecode

NTSC = Fraction(1000, 1001)
EDITED = (*(n * NTSC for n in (24, 30, 60)), *(Fraction(n) for n in (24, 25, 30, 50, 60)))
"""Rates that every editing program has timelines of."""


def is_countable(rate: Fraction) -> bool:
    """Whether timecode can count it: a whole number of frames a second, or that slowed down by 1000/1001."""
    return rate.denominator == 1 or (rate / NTSC).denominator == 1


def counted_rate(source: Source) -> Fraction:
    """Frames a second that an edit counts of the film."""
    return standard_rate(source.rate) if source.varies else source.rate


@cache
def standard_rate(nominal: Fraction) -> Fraction:
    """The rate that edits have which is nearest to this one."""
    return min(EDITED, key=lambda rate: abs(rate - nominal))


def counting(source: Source) -> Timecode:
    """How its timecode counts in an edit."""
    return Timecode.at_rate(counted_rate(source), drop=";" in (source.start_timecode or ""))


def counted(source: Source, frame: int) -> int:
    """The number, from the film's first frame, that an edit gives one of the film's frames (or its end)."""
    if not source.varies or source.timeline is None:
        return frame
    return round(source.timeline.exact(frame) * counted_rate(source))


def counted_span(source: Source, start: int, end: int) -> tuple[int, int]:
    """The numbers `[first, last)` that an edit gives frames `[start, end)` of the film, one at least."""
    if not source.varies or source.timeline is None:
        return start, end
    first, last = ticks(source.timeline.exact(start), source.timeline.exact(end), counted_rate(source))
    first = min(first, counted_frames(source) - 1)
    return first, max(first + 1, last)


def ticks(start_s: Fraction, end_s: Fraction, rate: Fraction) -> tuple[int, int]:
    """The ticks `[first, last)` of a constant rate that show what a film of varying rate shows in [start_s, end_s).

    A program shows at a tick what is on screen then, or what begins nearest to it. Only ticks at which both are of the
    span are given, so that neither end shows a picture from behind the cut; one at least.
    """
    first = ceil(start_s * rate)
    return first, max(first + 1, round(end_s * rate))


def counted_frames(source: Source) -> int:
    """How many frames of the film an edit counts: one at least."""
    return max(1, counted(source, source.frames))


def film_frame(source: Source, number: Fraction) -> int:
    """The film's frame that starts nearest to a number counted in an edit; the reverse of `counted`."""
    if not source.varies or source.timeline is None:
        return round(number)
    wanted = number / counted_rate(source)
    near = source.timeline.frame_at(float(wanted))
    return min((near, near + 1), key=lambda frame: abs(source.timeline.exact(frame) - wanted))  # type: ignore[union-attr]


def first_number(source: Source) -> int:
    """The number that its own timecode gives its first frame; 0 where it has none, or none that exists."""
    try:
        return counting(source).parse(source.start_timecode) if source.start_timecode else 0
    except InputError:
        return 0


def has_timecode(source: Source) -> bool:
    """Whether its start timecode exists at its rate."""
    try:
        return bool(source.start_timecode) and counting(source).parse(str(source.start_timecode)) >= 0
    except InputError:
        return False


def timecodes(source: Source, start: int, end: int) -> tuple[str, str]:
    """The film's own timecode where frames `[start, end)` begin and where they end, as an edit counts it."""
    first, counts = first_number(source), counting(source)
    begins, ends = (counts.format(first + number) for number in counted_span(source, start, end))
    return begins, ends


def record_counting(clip_list: ClipList) -> Timecode:
    """How the edit's own timecode counts."""
    return Timecode.at_rate(clip_list.rate, drop=clip_list.drop)


def record_start(clip_list: ClipList) -> int:
    """The number of the edit's first frame."""
    return record_counting(clip_list).parse(f"{RECORD_START_H:02}:00:00:00")
