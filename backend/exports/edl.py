"""CMX3600 edit decision list: one picture track with its sound, one rate, cuts.

Not written by OpenTimelineIO's adapter: it drops numbers at 29.97 and 59.94 whether or not the film does, has no header
line for that, and puts the clip's name where programs look for the file's.
"""

from collections.abc import Iterator

from backend.exports.base import ClipList, Concern, Exporter
from backend.exports.checks import guarded
from backend.exports.concerns import (
    missing_timecodes,
    once_each,
    rate_words,
    uncounted_rates,
    unseen_markers,
    varying_rates,
)
from backend.exports.layout import Event, events, film_key, films, record_timecodes
from backend.exports.rates import counted_rate, counting, first_number, record_counting, record_start
from backend.exports.reels import eight, reels, wanted_reel
from backend.exports.remarks import COLOURS, markers
from backend.exports.stamp import stamp
from backend.exports.words import one_line

MOST_EVENTS = 999
FASTEST = 100
"""From here on frames have three digits, and there is room for two."""
TITLE_LETTERS = 70
SOUND = {0: "V", 1: "B", 2: "AA/V"}


def edl_concerns(clip_list: ClipList) -> list[Concern]:
    """One rate, 999 events, timecodes of two digits stop; what is merely left out does not."""
    found = [*uncounted_rates(clip_list, "An EDL"), *_limits(clip_list)]
    if found:
        return once_each(found)
    parts = (_days, _counting, _reels, _letters, _channels, missing_timecodes, varying_rates, unseen_markers)
    return once_each(concern for part in parts for concern in part(clip_list))


def _limits(clip_list: ClipList) -> Iterator[Concern]:
    if len(clip_list.clips) > MOST_EVENTS:
        have = f"An EDL holds {MOST_EVENTS} events, and the list has {len(clip_list.clips):,} clips"
        yield Concern(f"{have}; divide the list.", stops=True)
    if clip_list.rate >= FASTEST:
        yield Concern(f"An EDL counts fewer than {FASTEST} frames a second; choose FCPXML or OTIO.", stops=True)
    for clip in clip_list.clips:
        if (rate := counted_rate(clip.source)) != clip_list.rate:
            both = f"{rate_words(clip_list.rate)} frames a second, and this film has {rate_words(rate)}"
            only = f"An EDL has one rate: the list's is {both}"
            yield Concern(f"{only}; make a list of its own for it, or choose FCPXML, FCP7 XML or OTIO.", True, clip.key)


def _days(clip_list: ClipList) -> Iterator[Concern]:
    for event in events(clip_list):
        first, day = first_number(event.source), counting(event.source).per_day
        if (first + event.source_in) // day != (first + event.source_out) // day:
            words = "Its film's timecode passes midnight inside the clip: some programs refuse such an event."
            yield Concern(words, clip=event.clip.key)
    last = max(event.record_out for event in events(clip_list))
    if record_start(clip_list) + last >= record_counting(clip_list).per_day:
        yield Concern("The edit is so long that its timecode passes midnight.")


def _counting(clip_list: ClipList) -> Iterator[Concern]:
    drops = record_counting(clip_list).drop
    for film in films(clip_list).values():
        if counting(film).drop != drops:
            both = "drop-frame and the edit is not" if not drops else "non-drop and the edit is drop-frame"
            told = "only the marks before the frames (; and :) tell them apart, which some programs pass over"
            yield Concern(f"The timecode of {film.name!r} is {both}: {told}.")


def _reels(clip_list: ClipList) -> Iterator[Concern]:
    named = reels(clip_list)
    for key, film in films(clip_list).items():
        wanted = wanted_reel(film)
        if wanted and named[key] != wanted:
            why = "has room for eight capitals and digits" if eight(wanted) == named[key] else "must tell films apart"
            words = f"The reel {wanted!r} is written {named[key]}, since an EDL {why}; the full name is in a comment."
            yield Concern(words)


def _letters(clip_list: ClipList) -> Iterator[Concern]:
    for clip in clip_list.clips:
        if not f"{clip.name}{clip.note}{clip.source.name}{clip.source.media_path}".isascii():
            words = "It has letters beyond ASCII: they are written as UTF-8, which old programs show wrong."
            yield Concern(words, clip=clip.key)


def _channels(clip_list: ClipList) -> Iterator[Concern]:
    for clip in clip_list.clips:
        if clip.source.channels > max(SOUND):
            words = f"An EDL carries two channels of sound, and its film has {clip.source.channels}."
            yield Concern(words, clip=clip.key)


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    title = one_line(clip_list.name)[:TITLE_LETTERS].rstrip()
    counted_how = "DROP FRAME" if record_counting(clip_list).drop else "NON-DROP FRAME"
    yield f"TITLE: {title}\nFCM: {counted_how}\n\n".encode()
    reel = reels(clip_list)
    for event in events(clip_list):
        lines = [_line(clip_list, event, reel[film_key(event.source)]), *_comments(clip_list, event)]
        yield ("\n".join(lines) + "\n").encode()


def _line(clip_list: ClipList, event: Event, reel: str) -> str:
    track = SOUND[min(event.source.channels, max(SOUND))]
    times = " ".join([*event.timecodes(), *record_timecodes(clip_list, event)])
    return f"{event.number:03}  {reel:8} {track:5} C        {times}"


def _comments(clip_list: ClipList, event: Event) -> Iterator[str]:
    clip, source = event.clip, event.source
    yield f"* FROM CLIP NAME:  {one_line(source.name)}"
    yield f"* SOURCE FILE: {one_line(source.media_path)}"
    if wanted := wanted_reel(source):
        yield f"* REEL: {one_line(wanted)}"
    yield f"* CLIP: {one_line(clip.name)}"
    yield from (f"* COMMENT: {one_line(line)}" for line in clip.note.splitlines())
    counts, first = record_counting(clip_list), record_start(clip_list) + event.record_in - event.source_in
    for at, marker in markers(event):
        yield f"* LOC: {counts.format(first + at)} {COLOURS[marker.kind]:7} {one_line(marker.words)}"
    yield f"* {stamp(clip_list, event)}"


EXPORTER = Exporter(
    name="edl",
    title="EDL (CMX3600)",
    suffix=".edl",
    media_type="text/plain; charset=utf-8",
    write=guarded(_pieces, edl_concerns),
    concerns=edl_concerns,
    opens_in="Avid Media Composer, DaVinci Resolve, Premiere Pro",
)
