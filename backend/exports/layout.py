"""Where each clip lies in its film and in the edit, in whole frames: the same for every format."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from backend.exports.base import Clip, ClipList, Source
from backend.exports.rates import counted_rate, counted_span, counting, first_number, record_counting, record_start


@dataclass(frozen=True)
class Event:
    """One clip of an edit, with its handles.

    number                   from 1, in the list's order
    first, end               frames `[first, end)` of the film
    source_in, source_out    the same as the edit counts them, from the film's first frame, `rate` a second
    record_in, record_out    frames of the edit, from its beginning
    """

    number: int
    clip: Clip
    first: int
    end: int
    source_in: int
    source_out: int
    rate: Fraction
    record_in: int
    record_out: int

    @property
    def source(self) -> Source:
        """Its film."""
        return self.clip.source

    def timecodes(self) -> tuple[str, str]:
        """The film's own timecode where it starts and where it ends."""
        first, counts = first_number(self.source), counting(self.source)
        return counts.format(first + self.source_in), counts.format(first + self.source_out)


def events(clip_list: ClipList) -> Iterator[Event]:
    """The clips, one after another.

    One of another rate than the edit's plays as long as it lasts, less what does not fill a frame: rounded up, its last
    frame could show a picture from behind the cut.
    """
    at = 0
    for number, clip in enumerate(clip_list.clips, 1):
        first, end = clip_list.span(clip)
        rate = counted_rate(clip.source)
        source_in, source_out = counted_span(clip.source, first, end)
        length = recorded(source_out - source_in, rate, clip_list.rate)
        yield Event(number, clip, first, end, source_in, source_out, rate, at, at + length)
        at += length


def recorded(frames: int, rate: Fraction, edit_rate: Fraction) -> int:
    """How many frames of the edit so many frames of a film take."""
    return max(1, floor(frames / rate * edit_rate))


def record_timecodes(clip_list: ClipList, event: Event) -> tuple[str, str]:
    """The edit's timecode where the clip starts and where it ends."""
    first, counts = record_start(clip_list), record_counting(clip_list)
    return counts.format(first + event.record_in), counts.format(first + event.record_out)


def films(clip_list: ClipList) -> dict[tuple[str, str], Source]:
    """The films of a list, each once, in the order in which they first come."""
    found: dict[tuple[str, str], Source] = {}
    for clip in clip_list.clips:
        found.setdefault(film_key(clip.source), clip.source)
    return found


def film_key(source: Source) -> tuple[str, str]:
    """What makes a film one and the same in a list."""
    return source.sha256, source.media_path
