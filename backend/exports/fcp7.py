"""Final Cut Pro 7 XML (xmeml 5), which Premiere Pro and DaVinci Resolve read: picture and sound, linked.

Not written by OpenTimelineIO's adapter: its frames are right, but it calls every timecode non-drop (01:00:00;00 becomes
00:59:56:12), links no sound to its picture, names no reels, and does not say how large or loud a film is.
"""

from collections.abc import Iterator
from fractions import Fraction
from xml.etree.ElementTree import Element

from backend.exports.base import ClipList, Concern, Exporter, Source
from backend.exports.checks import guarded
from backend.exports.concerns import once_each, other_rates, uncounted_rates, unseen_markers, varying_rates
from backend.exports.layout import Event, events, film_key
from backend.exports.markup import element, xml
from backend.exports.rates import counted_frames, counted_rate, counting, first_number, record_counting, record_start
from backend.exports.reels import full_reel
from backend.exports.remarks import markers, score_words
from backend.exports.stamp import stamp
from backend.exports.urls import file_url
from backend.media.timecode import Timecode

VERSION = "5"
SAMPLE_BITS = 16


def fcp7_concerns(clip_list: ClipList) -> list[Concern]:
    """Rates that are no whole number, nor one slowed down by 1000/1001, stop."""
    stops = list(uncounted_rates(clip_list, "FCP7 XML"))
    found = [*other_rates(clip_list), *varying_rates(clip_list), *unseen_markers(clip_list)]
    return once_each(stops or found)


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    placed = list(events(clip_list))
    video, sound = _tracks(clip_list, placed)
    sequence = element(
        "sequence",
        element("name", text=clip_list.name),
        element("duration", text=placed[-1].record_out),
        _rate(clip_list.rate),
        _timecode(record_counting(clip_list), clip_list.rate, record_start(clip_list)),
        element("media", video, sound),
        element("logginginfo", element("description", text=clip_list.note)) if clip_list.note else None,
        id="sequence-1",
    )
    yield xml(element("xmeml", sequence, version=VERSION), "xmeml")


def _rate(rate: Fraction) -> Element:
    ntsc = "FALSE" if rate.denominator == 1 else "TRUE"
    return element("rate", element("timebase", text=round(rate)), element("ntsc", text=ntsc))


def _timecode(counts: Timecode, rate: Fraction, frame: int, reel: str | None = None) -> Element:
    return element(
        "timecode",
        _rate(rate),
        element("string", text=counts.format(frame)),
        element("frame", text=frame),
        element("displayformat", text="DF" if counts.drop else "NDF"),
        None if reel is None else element("reel", element("name", text=reel)),
    )


def _tracks(clip_list: ClipList, placed: list[Event]) -> tuple[Element, Element]:
    first = placed[0].source
    channels = max(event.source.channels for event in placed)
    picture = element("track")
    heard = [element("track", element("outputchannelindex", text=1 + n % 2)) for n in range(channels)]
    files: dict[tuple[str, str], str] = {}
    on_track = [0] * channels
    for event in placed:
        links = [("video", 1, event.number)]
        for channel in range(event.source.channels):
            on_track[channel] += 1
            links.append(("audio", channel + 1, on_track[channel]))
        for track, index, _ in links:
            item = _item(clip_list, event, _file(event.source, files), (track, index))
            item.extend(_link(event, *link) for link in links)
            (picture if track == "video" else heard[index - 1]).append(item)
    shape = element("samplecharacteristics", _rate(clip_list.rate), *_size(first))
    # Resolve wants a format, even an empty one.
    video = element("video", element("format", shape), picture)
    sampled = element("samplecharacteristics", *_samples(first.sound_hz))
    return video, element("audio", element("numOutputChannels", text=2), element("format", sampled), *heard)


def _size(film: Source) -> tuple[Element, ...]:
    square = element("pixelaspectratio", text="square")
    return element("width", text=film.width), element("height", text=film.height), square


def _samples(rate_hz: int) -> tuple[Element, ...]:
    return element("depth", text=SAMPLE_BITS), element("samplerate", text=rate_hz)


def _file(film: Source, files: dict[tuple[str, str], str]) -> Element:
    """Told once, then named."""
    key = film_key(film)
    if key in files:
        return element("file", id=files[key])
    files[key] = f"file-{len(files) + 1}"
    rate = counted_rate(film)
    sound = element(
        "audio",
        element("samplecharacteristics", *_samples(film.sound_hz)),
        element("channelcount", text=film.channels),
    )
    return element(
        "file",
        element("name", text=film.name),
        element("pathurl", text=file_url(film.media_path, "localhost")),
        _rate(rate),
        element("duration", text=counted_frames(film)),
        _timecode(counting(film), rate, first_number(film), full_reel(film)),
        element(
            "media",
            element("video", element("samplecharacteristics", _rate(rate), *_size(film))),
            sound if film.channels else None,
        ),
        id=files[key],
    )


def _item(clip_list: ClipList, event: Event, file: Element, track: tuple[str, int]) -> Element:
    """The clip on one track: `in` and `out` count the film from its first frame, `start` and `end` the edit."""
    kind, index = track
    clip, film = event.clip, event.source
    return element(
        "clipitem",
        element("masterclipid", text=f"master-{file.get('id')}"),
        element("name", text=clip.name),
        element("enabled", text="TRUE"),
        element("duration", text=counted_frames(film)),
        _rate(event.rate),
        element("start", text=event.record_in),
        element("end", text=event.record_out),
        element("in", text=event.source_in),
        element("out", text=event.source_out),
        file,
        element("sourcetrack", element("mediatype", text=kind), element("trackindex", text=index)),
        *(_remarks(clip_list, event) if kind == "video" else ()),
        id=_called(event, kind, index),
    )


def _called(event: Event, kind: str, index: int) -> str:
    return f"clipitem-{event.number}" if kind == "video" else f"clipitem-{event.number}-audio-{index}"


def _link(event: Event, kind: str, index: int, place: int) -> Element:
    return element(
        "link",
        element("linkclipref", text=_called(event, kind, index)),
        element("mediatype", text=kind),
        element("trackindex", text=index),
        element("clipindex", text=place),
    )


def _remarks(clip_list: ClipList, event: Event) -> Iterator[Element]:
    clip = event.clip
    for at, marker in markers(event):
        yield element(
            "marker",
            element("name", text=marker.words),
            element("comment", text=marker.kind),
            element("in", text=at),
            element("out", text=-1),
        )
    good = "TRUE" if clip.band in ("compelling", "good") else "FALSE"
    yield element(
        "logginginfo",
        element("description", text=clip.note),
        element("lognote", text=score_words(clip)),
        element("good", text=good),
    )
    yield element(
        "comments",
        element("mastercomment1", text="; ".join(clip.reasons)),
        element("mastercomment2", text=clip.rights),
        element("mastercomment4", text=stamp(clip_list, event)),
    )


EXPORTER = Exporter(
    name="fcp7",
    title="Final Cut Pro 7 XML",
    suffix=".xml",
    media_type="application/xml",
    write=guarded(_pieces, fcp7_concerns),
    concerns=fcp7_concerns,
    opens_in="Premiere Pro, DaVinci Resolve",
)
