"""What more than one format cannot carry, in words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from backend.exports.base import ClipList, Concern
from backend.exports.layout import events, films
from backend.exports.rates import counted_rate, has_timecode, is_countable
from backend.exports.remarks import unseen


def rate_words(rate: Fraction) -> str:
    """`23.976`, `29.97` or `25`, as editors say it."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def varying_rates(clip_list: ClipList) -> Iterator[Concern]:
    """Clips of films whose frames last differently long: programs count them at one rate, by time."""
    for event in events(clip_list):
        timeline = event.source.timeline
        if not event.source.varies or timeline is None:
            continue
        ends = ((event.first, event.source_in), (event.end, event.source_out))
        off_ms = 1000 * max(abs(float(timeline.exact(frame) - number / event.rate)) for frame, number in ends)
        at = f"programs count it at {rate_words(event.rate)}, so the cut lies up to {off_ms:.0f} ms from its frame"
        way_out = "for exact cuts export rendered clips, or ingest a copy of constant rate"
        said = f"The frame rate of {event.source.name!r} varies: {at}; {way_out}."
        yield Concern(said, clip=event.clip.key)


def other_rates(clip_list: ClipList) -> Iterator[Concern]:
    """Clips of another rate than the edit's."""
    for clip in clip_list.clips:
        if (rate := counted_rate(clip.source)) != clip_list.rate:
            both = f"{rate_words(rate)} frames a second in an edit of {rate_words(clip_list.rate)}"
            yield Concern(f"It is {both}: programs repeat or leave out frames to keep its speed.", clip=clip.key)


def uncounted_rates(clip_list: ClipList, title: str) -> Iterator[Concern]:
    """Rates that no timecode counts; they stop."""
    if not is_countable(clip_list.rate):
        have = f"has no rate of {rate_words(clip_list.rate)} frames a second"
        yield Concern(f"{title} {have}; choose another rate for the list.", stops=True)
    for clip in clip_list.clips:
        if not is_countable(rate := counted_rate(clip.source)):
            have = f"cannot count {rate_words(rate)} frames a second, the rate of {clip.source.name!r}"
            yield Concern(f"{title} {have}; export FCPXML, OTIO or rendered clips.", stops=True, clip=clip.key)


def unseen_markers(clip_list: ClipList) -> Iterator[Concern]:
    """Markers on frames that are not exported."""
    for clip in clip_list.clips:
        if count := unseen(clip_list, clip):
            lie = "A marker lies" if count == 1 else f"{count} markers lie"
            yield Concern(f"{lie} outside of the clip and its handles, and will be left out.", clip=clip.key)


def missing_timecodes(clip_list: ClipList) -> Iterator[Concern]:
    """Films that are counted from zero."""
    for film in films(clip_list).values():
        if not has_timecode(film):
            why = "has no timecode"
            if film.start_timecode:
                why = f"has a timecode that does not exist at its rate ({film.start_timecode})"
            yield Concern(f"{film.name!r} {why}: it is counted from 00:00:00:00 at its first frame.")


def once_each(concerns: Iterable[Concern]) -> list[Concern]:
    """Equal ones once, in their order."""
    return list(Counter(concerns))
