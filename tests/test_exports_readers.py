"""What readers that are not ours find in our files: OpenTimelineIO's adapters, and the rules of FCPXML."""

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import Any
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import opentimelineio as otio
import pytest
from hypothesis import assume, given, settings

from backend.exports.base import ClipList, Marker, Source
from tests.export_lists import FILM, NTSC, lists
from tests.test_exports import clip, clip_list, source, written

LINE = re.compile(r"^(\d{3})  (\S{1,8}) +(V|B|AA/V) +C +(\S+) (\S+) (\S+) (\S+)$", re.MULTILINE)
RULES: dict[str, tuple[str, str, str]] = {
    "fcpxml": ("version", "", "resources library"),
    "resources": ("", "", "(format )+(asset )+"),
    "format": ("id", "frameDuration width height", ""),
    "asset": (
        "id",
        "name uid start duration hasVideo format hasAudio videoSources audioSources audioChannels audioRate",
        "media-rep (metadata )?",
    ),
    "media-rep": ("src", "kind", ""),
    "metadata": ("", "", "(md )*"),
    "md": ("key", "value", ""),
    "library": ("", "location", "(event )*"),
    "event": ("", "name uid", "(project )*"),
    "project": ("", "name uid", "sequence "),
    "sequence": ("format", "duration tcStart tcFormat audioLayout audioRate", "(note )?spine (metadata )?"),
    "spine": ("", "", "(asset-clip )*"),
    "asset-clip": (
        "ref",
        "name offset start duration format tcFormat audioRole",
        "(note )?(conform-rate )?((marker |keyword ))*(metadata )?",
    ),
    "note": ("", "", ""),
    "conform-rate": ("", "scaleEnabled srcFrameRate", ""),
    "marker": ("start value", "duration note", ""),
    "keyword": ("value", "start duration note", ""),
}
"""Element → attributes it must have, others it may have, children in order: what FCPXML 1.10 allows of what we write.

Told by hand from Apple's document type definition, which may not be given on and which no package has."""

VALUES: dict[tuple[str, str], str] = {
    ("media-rep", "kind"): "original-media proxy-media",
    ("sequence", "tcFormat"): "DF NDF",
    ("sequence", "audioLayout"): "mono stereo surround",
    ("sequence", "audioRate"): "32k 44.1k 48k 88.2k 96k 176.4k 192k",
    ("asset-clip", "tcFormat"): "DF NDF",
    ("conform-rate", "scaleEnabled"): "0 1",
    ("conform-rate", "srcFrameRate"): "23.98 24 25 29.97 30 47.95 48 50 59.94 60",
}
"""Attributes of which it allows these values only."""
TIMES = ("start", "duration", "offset", "tcStart", "frameDuration")
TIME = re.compile(r"(0|-?\d+(/\d+)?)s")
"""Seconds as a fraction, of which the denominator has 32 bits."""


def first_of(film: Source) -> int:
    """The number of its first frame, by OpenTimelineIO's count."""
    return round(otio.opentime.from_timecode(film.start_timecode, float(film.rate)).value) if film.start_timecode else 0


def spans(made: ClipList) -> list[tuple[int, int]]:
    """The first frame of each clip on its film's clock, and how many there are."""
    found = []
    for each in made.clips:
        start = max(0, each.start_frame - made.handles)
        end = min(each.source.frames, each.end_frame + made.handles)
        found.append((first_of(each.source) + start, end - start))
    return found


def records(made: ClipList) -> list[tuple[int, int]]:
    """Where each clip begins and ends in the edit: whole frames, none of which lies behind the clip's end."""
    ends = [0]
    for each, (_, frames) in zip(made.clips, spans(made), strict=True):
        ends.append(ends[-1] + max(1, floor(frames * made.rate / each.source.rate)))
    return list(pairwise(ends))


def is_constant(made: ClipList) -> bool:
    return not any(each.source.varies for each in made.clips)


def pictures(found: Any) -> list[Any]:
    return [each for track in found.video_tracks() for each in track.find_clips()]


def seen(clips: list[Any]) -> list[tuple[int, int]]:
    return [(round(each.source_range.start_time.value), round(each.source_range.duration.value)) for each in clips]


@settings(max_examples=100)
@given(lists(mixed=False))
def test_opentimelineio_finds_every_frame_in_an_edl(made: ClipList) -> None:
    assume(is_constant(made))
    text = written(made, "edl").decode()
    rate = float(made.rate)

    def frame(code: str) -> int:
        return round(otio.opentime.from_timecode(code, rate).value)

    hour = frame(f"01:00:00{';' if made.drop else ':'}00")
    events = LINE.findall(text)
    on_the_clock = []
    assert [int(event[0]) for event in events] == list(range(1, len(made.clips) + 1))
    for event, each, (start, length), record in zip(events, made.clips, spans(made), records(made), strict=True):
        drops = bool(each.source.start_timecode) and ";" in str(each.source.start_timecode)
        day = frame(f"23:59:59{';' if drops else ':'}{round(rate) - 1:02}") + 1
        assert (frame(event[3]), frame(event[4])) == (start % day, (start + length) % day)
        assert (frame(event[5]), frame(event[6])) == (hour + record[0], hour + record[1])
        on_the_clock.append((start % day, length))
        if start % day > (start + length) % day:
            return
    # The adapter knows no midnight, and checks that each event is as long in the edit as in its film.
    clips = pictures(otio.adapters.read_from_string(text, "cmx_3600", rate=rate))
    assert seen(clips) == on_the_clock


@settings(max_examples=100)
@given(lists())
def test_opentimelineio_finds_every_frame_in_fcp7_xml_and_otio(made: ClipList) -> None:
    assume(is_constant(made))
    content = written(made, "fcp7").decode()
    found = otio.adapters.read_from_string(content, "fcp_xml")
    clips = pictures(found)
    for each, theirs, (start, _), record in zip(made.clips, clips, spans(made), records(made), strict=True):
        assert round(theirs.source_range.start_time.value) == start
        assert theirs.source_range.start_time.rate == pytest.approx(float(each.source.rate), rel=1e-9)
        length = theirs.source_range.duration.rescaled_to(float(made.rate)).value
        assert length == pytest.approx(record[1] - record[0], abs=1e-3)
        known = theirs.media_reference.available_range
        assert (round(known.start_time.value), round(known.duration.value)) == (
            first_of(each.source),
            each.source.frames,
        )
    items = ET.fromstring(content).findall(".//video/track/clipitem")
    lengths = [int(item.findtext("out", "")) - int(item.findtext("in", "")) for item in items]
    assert lengths == [length for _, length in spans(made)]
    assert seen(pictures(otio.adapters.read_from_string(written(made, "otio").decode(), "otio_json"))) == spans(made)


# --- FCPXML


def seconds(text: str | None) -> Fraction:
    return Fraction(str(text).removesuffix("s"))


def broken(element: Element) -> Iterator[str]:
    """What an element and those in it have that the format does not allow."""
    must, may, children = RULES[element.tag]
    if missing := set(must.split()) - set(element.attrib):
        yield f"{element.tag} without {missing}"
    if unknown := set(element.attrib) - set(must.split()) - set(may.split()):
        yield f"{element.tag} with {unknown}"
    for name, value in element.attrib.items():
        allowed = VALUES.get((element.tag, name))
        if allowed and value not in allowed.split():
            yield f"{element.tag} with {name}={value}"
        if name in TIMES and not (TIME.fullmatch(value) and seconds(value).denominator < 2**32):
            yield f"{element.tag} with {name}={value}"
    inside = "".join(f"{child.tag} " for child in element)
    if not re.fullmatch(children.replace("resources library", "resources library "), inside):
        yield f"{element.tag} holds {inside}"
    for child in element:
        yield from broken(child)


@settings(max_examples=100)
@given(lists())
def test_fcpxml_is_exact_and_of_its_type(made: ClipList) -> None:
    assume(is_constant(made))
    root = ET.fromstring(written(made, "fcpxml"))
    assert list(broken(root)) == []
    named = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(set(named)) == len(named)
    assert {e.get(a) for e in root.iter() for a in ("ref", "format") if e.get(a)} <= set(named)
    assets = {asset.get("id"): asset for asset in root.iter("asset")}
    sequence = root.find(".//sequence")
    assert sequence is not None
    start_s = seconds(sequence.get("tcStart"))
    hour = otio.opentime.from_timecode(f"01:00:00{';' if made.drop else ':'}00", float(made.rate)).value
    assert start_s == round(hour) / made.rate
    clips = zip(made.clips, root.iter("asset-clip"), spans(made), records(made), strict=True)
    for each, theirs, (start, _), (begins, ends) in clips:
        rate, asset = each.source.rate, assets[theirs.get("ref")]
        assert seconds(asset.get("start")) == first_of(each.source) / rate
        assert seconds(asset.get("duration")) == each.source.frames / rate
        assert seconds(theirs.get("start")) == start / rate
        assert seconds(theirs.get("offset")) == start_s + begins / made.rate
        assert seconds(theirs.get("duration")) == (ends - begins) / made.rate
        for marker in theirs.findall("marker"):
            assert (seconds(marker.get("start")) * rate).denominator == 1
    assert seconds(sequence.get("duration")) == records(made)[-1][1] / made.rate


def test_what_fcpxml_says_of_films() -> None:
    silent = source("/Volumes/A & B/ü.mov", sha256="cd" * 32, channels=0, rate=FILM, start_timecode=None, tape="Tape 7")
    made = clip_list(clip(source(), score=0.9, band="compelling"), clip(silent, key="k2"))
    root = ET.fromstring(written(made, "fcpxml"))
    assert root.get("version") == "1.10"
    first, second = root.iter("asset")
    assert (first.get("uid"), first.get("hasAudio"), second.get("hasAudio")) == ("AB" * 16, "1", None)
    assert [rep.get("src") for rep in root.iter("media-rep")][1] == "file:///Volumes/A%20%26%20B/%C3%BC.mov"
    assert [md.get("value") for md in second.iter("md")] == ["Tape 7"]
    assert [form.get("frameDuration") for form in root.iter("format")] == ["1/25s", "1001/24000s"]
    assert [k.get("value") for k in root.iter("keyword")] == ["compelling"]
    # Without it Final Cut would slow the second clip down to the edit's rate.
    assert [dict(rate.attrib) for rate in root.iter("conform-rate")] == [{"scaleEnabled": "0", "srcFrameRate": "23.98"}]
    assert [c.get("audioRole") for c in root.iter("asset-clip")] == ["dialogue", None]


# --- FCP7 XML


def test_sound_is_linked_to_its_picture() -> None:
    stereo, silent = source(), source("/b.mov", sha256="cd" * 32, channels=0)
    surround = source("/c.mov", sha256="ef" * 32, channels=6)
    made = clip_list(clip(stereo), clip(silent, key="k2"), clip(surround, key="k3"), clip(stereo, key="k4"))
    root = ET.fromstring(written(made, "fcp7"))
    assert root.get("version") == "5"
    assert root.find(".//media/video/format/samplecharacteristics/width") is not None
    tracks = root.findall(".//media/audio/track")
    assert [len(track.findall("clipitem")) for track in tracks] == [3, 3, 1, 1, 1, 1]
    items = {item.get("id"): item for item in root.iter("clipitem")}
    assert len(items) == 4 + 10
    for kind, path in (("video", ".//media/video/track"), ("audio", ".//media/audio/track")):
        for index, track in enumerate(root.findall(path), 1):
            for place, item in enumerate(track.findall("clipitem"), 1):
                found = [[e.text for e in link] for link in item.findall("link")]
                # Each item names itself among those that it is linked to, where it lies.
                assert [item.get("id"), kind, str(index), str(place)] in found
                assert all(items[called[0]].findtext("start") == item.findtext("start") for called in found)
    assert [len(list(file)) > 0 for file in root.iter("file")].count(True) == 3
    assert next(root.iter("file")).findtext("pathurl") == "file://localhost/films/feature.mov"


def test_drop_frame_is_said_in_fcp7_xml() -> None:
    drop = clip_list(clip(source(rate=NTSC, start_timecode="00:59:59;28", reel="A001")), drop=True)
    for made, said, text in ((drop, "DF", "01:00:00;00"), (replace(drop, drop=False), "NDF", "01:00:00:00")):
        root = ET.fromstring(written(made, "fcp7"))
        code = root.find("sequence/timecode")
        assert code is not None
        assert (code.findtext("displayformat"), code.findtext("string")) == (said, text)
        film = root.find(".//file/timecode")
        assert film is not None
        assert (film.findtext("displayformat"), film.findtext("frame")) == ("DF", "107890")
        assert film.findtext("reel/name") == "A001"
        assert (root.findtext(".//file/rate/timebase"), root.findtext(".//file/rate/ntsc")) == ("30", "TRUE")


# --- markers


def test_markers_lie_on_their_frames_in_every_format() -> None:

    made = clip_list(
        clip(source(), 10, 20, score=0.5, reasons=("why",), markers=(Marker(14, "here"), Marker(24, "far"))), handles=3
    )
    assert not any(b"far" in written(made, name) for name in ("edl", "fcpxml", "fcp7"))
    first = 10 * 3600 * 25
    text = written(made, "edl").decode()
    assert "* LOC: 01:00:00:07 YELLOW  here\n" in text
    assert "* LOC: 01:00:00:03 GREEN   Score 0.50\n" in text
    assert "* LOC: 01:00:00:03 CYAN    why\n" in text
    markers = ET.fromstring(written(made, "fcpxml")).iter("marker")
    assert [seconds(m.get("start")) * 25 - first for m in markers] == [10, 10, 14]
    markers = ET.fromstring(written(made, "fcp7")).iter("marker")
    assert [(m.findtext("in"), m.findtext("name")) for m in markers] == [
        ("10", "Score 0.50"),
        ("10", "why"),
        ("14", "here"),
    ]
    found = otio.adapters.read_from_string(written(made, "otio").decode(), "otio_json")
    places = [round(m.marked_range.start_time.value) - first for m in pictures(found)[0].markers]
    assert places == [10, 10, 14]
    assert found.metadata["selects"]["name"] == "Best of"
    assert pictures(found)[0].metadata["selects"]["film"]["sha256"] == "ab" * 32


def test_otio_keeps_sound_beside_its_picture() -> None:
    silent = source("/b.mov", sha256="cd" * 32, channels=0)
    made = clip_list(clip(silent), clip(source(), key="k2"))
    found = otio.adapters.read_from_string(written(made, "otio").decode(), "otio_json")
    picture, sound = found.tracks
    assert [type(item).__name__ for item in sound] == ["Gap", "Clip"]
    assert picture[1].range_in_parent() == sound[1].range_in_parent()
    assert found.global_start_time == otio.opentime.RationalTime(90_000, 25)
    assert (
        len(otio.adapters.read_from_string(written(clip_list(clip(silent)), "otio").decode(), "otio_json").tracks) == 1
    )
