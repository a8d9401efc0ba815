"""FCPXML 1.10, for Final Cut Pro and DaVinci Resolve: every time is a fraction of seconds, so none is rounded.

Not written by OpenTimelineIO's adapter: at 23.976, 29.97 and 59.94 its formats have no frame duration, it names no
library, which Resolve wants, and puts each film once more beside the edit for every clip. Here an asset starts where
its timecode does, and clips start on its clock; offsets lie on the clock of the sequence, which starts at one hour.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from xml.etree.ElementTree import Element

from backend.exports.base import ClipList, Concern, Exporter, Source
from backend.exports.checks import guarded
from backend.exports.concerns import once_each, other_rates, rate_words, unseen_markers, varying_rates
from backend.exports.layout import Event, events, film_key, films
from backend.exports.markup import element, xml
from backend.exports.rates import (
    EDITED,
    NTSC,
    counted_frames,
    counted_rate,
    counting,
    first_number,
    record_counting,
    record_start,
)
from backend.exports.reels import full_reel
from backend.exports.remarks import markers, score_words
from backend.exports.stamp import stamp
from backend.exports.urls import file_url

VERSION = "1.10"
STAMP_KEY = "com.selects.clip"
REEL_KEY = "com.apple.proapps.studio.reel"
CONFORMED = {
    **{Fraction(n): str(n) for n in (24, 25, 30, 48, 50, 60)},
    **{n * NTSC: said for n, said in ((24, "23.98"), (30, "29.97"), (48, "47.95"), (60, "59.94"))},
}
"""Rates that the format has a word for where a clip's differs from the edit's."""
SOUND_RATES = {hz: f"{hz / 1000:g}k" for hz in (32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)}


def fcpxml_concerns(clip_list: ClipList) -> list[Concern]:
    """Nothing stops: any rate can be written, though not every program has timelines of it."""
    found = []
    if clip_list.rate not in EDITED:
        have = f"Final Cut Pro has no timelines of {rate_words(clip_list.rate)} frames a second"
        found.append(Concern(f"{have}; choose another rate for the list."))
    return once_each([*found, *other_rates(clip_list), *varying_rates(clip_list), *unseen_markers(clip_list)])


def time(frames: int, rate: Fraction) -> str:
    """So many frames in seconds: `1001/24000s`, `0s`."""
    return f"{frames * rate.denominator}/{rate.numerator}s" if frames else "0s"


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    formats = _formats(clip_list)
    assets = {key: f"a{number}" for number, key in enumerate(films(clip_list), 1)}
    resources = element("resources")
    for (rate, width, height), called in formats.items():
        resources.append(element("format", id=called, frameDuration=time(1, rate), width=width, height=height))
    resources.extend(_asset(film, assets[key], formats[_format(film)]) for key, film in films(clip_list).items())
    sequence = _sequence(clip_list, assets, formats)
    project = element("project", sequence, name=clip_list.name)
    library = element("library", element("event", project, name=clip_list.project))
    yield xml(element("fcpxml", resources, library, version=VERSION), "fcpxml")


def _format(film: Source) -> tuple[Fraction, int, int]:
    return counted_rate(film), film.width, film.height


def _formats(clip_list: ClipList) -> Mapping[tuple[Fraction, int, int], str]:
    """Each format that is needed, and its name; the edit's is the first, in the size of the first film."""
    first = clip_list.clips[0].source
    needed = dict.fromkeys([(clip_list.rate, first.width, first.height), *map(_format, films(clip_list).values())])
    return {found: f"r{number}" for number, found in enumerate(needed, 1)}


def _asset(film: Source, called: str, form: str) -> Element:
    rate = counted_rate(film)
    sound = {"hasAudio": 1, "audioSources": 1, "audioChannels": film.channels, "audioRate": film.sound_hz}
    return element(
        "asset",
        element("media-rep", kind="original-media", src=file_url(film.media_path)),
        element("metadata", element("md", key=REEL_KEY, value=full_reel(film))),
        id=called,
        name=film.name,
        uid=film.sha256[:32].upper(),
        start=time(first_number(film), rate),
        duration=time(counted_frames(film), rate),
        hasVideo=1,
        format=form,
        videoSources=1,
        **(sound if film.channels else {}),
    )


def _sequence(
    clip_list: ClipList, assets: Mapping[tuple[str, str], str], formats: Mapping[tuple[Fraction, int, int], str]
) -> Element:
    first = clip_list.clips[0].source
    spine, length = element("spine"), 0
    for event in events(clip_list):
        spine.append(_clip(clip_list, event, assets[film_key(event.source)], formats[_format(event.source)]))
        length = event.record_out
    note = element("note", text=clip_list.note) if clip_list.note else None
    return element(
        "sequence",
        note,
        spine,
        format=formats[(clip_list.rate, first.width, first.height)],
        duration=time(length, clip_list.rate),
        tcStart=time(record_start(clip_list), clip_list.rate),
        tcFormat="DF" if record_counting(clip_list).drop else "NDF",
        audioLayout="stereo",
        audioRate=SOUND_RATES.get(first.sound_hz, "48k"),
    )


def _clip(clip_list: ClipList, event: Event, asset: str, form: str) -> Element:
    clip, source, edit = event.clip, event.source, clip_list.rate
    other = event.rate != edit and event.rate in CONFORMED
    return element(
        "asset-clip",
        element("note", text=clip.note) if clip.note else None,
        # Without this a clip of another rate would be slowed down or sped up to the edit's.
        element("conform-rate", scaleEnabled=0, srcFrameRate=CONFORMED[event.rate]) if other else None,
        *_remarks(clip_list, event),
        element("metadata", element("md", key=STAMP_KEY, value=stamp(clip_list, event))),
        ref=asset,
        name=clip.name,
        offset=time(record_start(clip_list) + event.record_in, edit),
        start=time(first_number(source) + event.source_in, event.rate),
        duration=time(event.record_out - event.record_in, edit),
        format=form,
        tcFormat="DF" if counting(source).drop else "NDF",
        audioRole="dialogue" if source.channels else None,
    )


def _remarks(clip_list: ClipList, event: Event) -> Iterator[Element]:
    """Markers, and the band as a keyword: a collection of all good ones is then one click away."""
    clip, first = event.clip, first_number(event.source)
    if score_words(clip):
        span = {
            "start": time(first + event.source_in, event.rate),
            "duration": time(event.record_out - event.record_in, clip_list.rate),
        }
        yield element("keyword", **span, value=clip.band or "scored", note=score_words(clip))
    for at, marker in markers(event):
        place = {"start": time(first + at, event.rate), "duration": time(1, event.rate)}
        yield element("marker", **place, value=marker.words, note=marker.kind)


EXPORTER = Exporter(
    name="fcpxml",
    title="FCPXML 1.10",
    suffix=".fcpxml",
    media_type="application/xml",
    write=guarded(_pieces, fcpxml_concerns),
    concerns=fcpxml_concerns,
    opens_in="Final Cut Pro, DaVinci Resolve",
)
