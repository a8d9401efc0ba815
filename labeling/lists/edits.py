"""What an edit list says of its clips besides where they lie: names, notes, markers, and our own stamp; by format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, cast
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from backend.exports.base import MarkerKind
from backend.exports.fcpxml import REEL_KEY, STAMP_KEY
from backend.exports.otio import SPACE
from backend.exports.remarks import COLOURS
from backend.exports.stamp import Stamp, read_stamp
from backend.exports.urls import path_of
from backend.media.timecode import Timecode
from labeling.references.cuts import FCM_DROP, Cut, cuts_of, dropped, edl_cuts, parsed
from labeling.references.fcpxml import fcpxml_cuts, seconds

KINDS: dict[str, MarkerKind] = {kind: kind for kind in COLOURS}
OF_COLOUR = {colour: kind for kind, colour in COLOURS.items()}
EVENT = re.compile(r"^\d+\s.*?(\d\d:\d\d:\d\d[:;]\d\d)\s+\d\d:\d\d:\d\d[:;]\d\d\s*$")
LOCATOR = re.compile(r"^\*?\s*LOC:?\s*(\d\d:\d\d:\d\d[:;]\d\d)\s+(\w*)\s*(.*)$")
MARKED = re.compile(r"^MARKED (-?\d+) (\w*) ?(.*)$", re.DOTALL)
COMMENT = re.compile(r"^(CLIP|COMMENT|SOURCE FILE|REEL):\s*(.*)$", re.DOTALL)


@dataclass(frozen=True)
class Remark:
    """A marker, so many seconds after the clip's beginning."""

    after_s: Fraction
    words: str
    kind: MarkerKind


@dataclass(frozen=True)
class Told:
    """A clip as an edit has it.

    cut        its end lies before its start where the source's clock passes midnight in it
    path       where the edit thinks its file is
    clock_end  where the source's clock stands at its end, if that clock is all that the edit says (EDL)
    """

    cut: Cut
    name: str
    note: str = ""
    path: str = ""
    reel: str = ""
    stamp: Stamp | None = None
    remarks: tuple[Remark, ...] = ()
    clock_end: Fraction | None = None

    @property
    def start_s(self) -> Fraction:
        """On its source's clock."""
        return self.cut.start / self.cut.rate

    @property
    def length_s(self) -> Fraction:
        """How much of the source it shows."""
        return (self.cut.end - self.cut.start) / self.cut.rate


@dataclass(frozen=True)
class Edit:
    """A list as a file has it. `rate` None: the file does not say."""

    name: str
    clips: tuple[Told, ...]
    rate: Fraction | None = None
    drop: bool = False


def edl_edit(text: str, rate: Fraction) -> Edit:
    """A CMX3600 list, counted at `rate`; raises what OpenTimelineIO raises."""
    marked, drops = dropped(text, rate)
    lines = list(_located(marked.splitlines(), Timecode.at_rate(rate, drop=drops)))
    title = next((line.removeprefix("TITLE:").strip() for line in lines if line.startswith("TITLE:")), "")
    header = any(FCM_DROP.match(line) for line in lines)
    # Without dropped numbers a list at 29.97 is read as if it were at 30: the same numbers, but not the same times.
    cuts = (replace(cut, rate=rate) for cut in edl_cuts("\n".join(lines), rate))
    return Edit(title, tuple(map(_edl_clip, cuts)), rate, header and drops)


def _located(lines: list[str], counts: Timecode) -> Iterator[str]:
    """Locators as comments, counted from their event's beginning: OpenTimelineIO passes over those with semicolons."""
    record = ""
    for line in map(str.strip, lines):
        if event := EVENT.match(line):
            record = event[1]
        locator = LOCATOR.match(line)
        if locator is None or not record:
            yield line
            continue
        counting = Timecode(counts.nominal, counts.drop and ";" in record)
        at, begin = (counting.parse(code) for code in (locator[1], record))
        yield f"* MARKED {at - begin} {locator[2]} {locator[3]}"


def _edl_clip(cut: Cut) -> Told:
    clip, rate = cut.told_by, cut.rate
    said = clip.metadata.get("cmx_3600", {})
    comments = [str(comment) for comment in said.get("comments", [])]
    found = [match.groups() for comment in comments if (match := COMMENT.match(comment))]
    of: dict[str, list[str]] = {kind: [words for other, words in found if other == kind] for kind, _ in found}
    stamped = read_stamp("\n".join(comments))
    remarks = tuple(
        Remark(int(match[1]) / rate, match[3], OF_COLOUR.get(match[2], "note") if stamped else "note")
        for comment in comments
        if (match := MARKED.match(comment))
    )
    name, path = of.get("CLIP", [clip.name])[0], of.get("SOURCE FILE", [""])[0]
    note, reel = "\n".join(of.get("COMMENT", [])), str(said.get("reel", ""))
    start, end = (Fraction(at.value) for at in (clip.source_range.start_time, clip.source_range.end_time_exclusive()))
    if end < start:
        # How long its day is depends on how the film counts, which need not be how the edit does.
        cut = replace(cut, start=start, end=end)
    return Told(cut, name, note, path, reel, stamped, remarks, end)


def fcp7_edit(text: str) -> Edit:
    """Final Cut Pro 7 XML; raises what OpenTimelineIO raises."""
    found = parsed(text, "fcp_xml")
    sequence = next(iter(found)) if hasattr(found, "__iter__") and not hasattr(found, "tracks") else found
    said = sequence.metadata.get("fcp_xml", {})
    rate = said.get("rate", {})
    ntsc = str(rate.get("ntsc", "")).upper() == "TRUE"
    timebase = Fraction(str(rate["timebase"])) if "timebase" in rate else None
    edit_rate = timebase * Fraction(1000, 1001) if timebase and ntsc else timebase
    drop = str(said.get("timecode", {}).get("displayformat", "")) == "DF"
    return Edit(sequence.name, tuple(map(_fcp7_clip, cuts_of(found))), edit_rate, drop)


def _fcp7_clip(cut: Cut) -> Told:
    clip = cut.told_by
    said = clip.metadata.get("fcp_xml", {})
    comments, log = said.get("comments") or {}, said.get("logginginfo") or {}
    stamped = read_stamp(str(comments.get("mastercomment4") or ""))
    # Markers count from the file's first frame, clips on its clock.
    begin = cut.start - (cut.media_start or 0)
    remarks = tuple(
        Remark(
            (Fraction(marker.marked_range.start_time.value) - begin) / cut.rate,
            marker.name,
            KINDS.get(str(marker.metadata.get("fcp_xml", {}).get("comment")), "note"),
        )
        for marker in clip.markers
    )
    reel = (((clip.media_reference.metadata.get("fcp_xml", {}).get("timecode") or {}).get("reel")) or {}).get("name")
    return Told(cut, clip.name, str(log.get("description") or ""), _path(clip), str(reel or ""), stamped, remarks)


def otio_edit(text: str) -> Edit:
    """OpenTimelineIO's own form; raises what it raises."""
    found = parsed(text, "otio_json")
    cuts = tuple(map(_otio_clip, cuts_of(found)))
    start = getattr(found, "global_start_time", None)
    rate = None if start is None else Fraction(start.rate).limit_denominator(1001)
    said = found.metadata.get(SPACE, {}) if hasattr(found, "metadata") else {}
    return Edit(found.name, cuts, rate, bool(said.get("drop", False)))


def _otio_clip(cut: Cut) -> Told:
    clip = cut.told_by
    said = clip.metadata.get(SPACE, {})
    remarks = tuple(
        Remark(
            (Fraction(marker.marked_range.start_time.value) - cut.start) / cut.rate,
            marker.name,
            KINDS.get(str(marker.metadata.get(SPACE, {}).get("kind")), "note"),
        )
        for marker in clip.markers
    )
    reel = str(clip.metadata.get("cmx_3600", {}).get("reel", ""))
    stamped = read_stamp(str(said.get("stamp", "")))
    return Told(cut, clip.name, str(said.get("note", "")), _path(clip), reel, stamped, remarks)


def _path(clip: Any) -> str:
    return path_of(str(getattr(clip.media_reference, "target_url", "") or ""))


def fcpxml_edit(root: Element) -> Edit:
    """An FCPXML document, in seconds; raises ValueError."""
    cuts = tuple(map(_fcpxml_clip, fcpxml_cuts(root, Fraction(1))))
    project, sequence = root.find(".//project"), root.find(".//project/sequence")
    name = "" if project is None else project.get("name", "")
    if sequence is None:
        return Edit(name, cuts)
    formats = {form.get("id"): form for form in root.iter("format")}
    form = formats.get(sequence.get("format"))
    frame_s = seconds(None if form is None else form.get("frameDuration"))
    return Edit(name, cuts, 1 / frame_s if frame_s > 0 else None, sequence.get("tcFormat") == "DF")


def _fcpxml_clip(cut: Cut) -> Told:
    clip, asset = cast("tuple[Element, Element]", cut.told_by)
    of_clip, of_asset = (
        {kept.get("key"): kept.get("value", "") for kept in element.iterfind("metadata/md")}
        for element in (clip, asset)
    )
    remarks = tuple(
        Remark(
            seconds(found.get("start")) - cut.start, found.get("value", ""), KINDS.get(found.get("note", ""), "note")
        )
        for found in clip.iterfind("marker")
    )
    address = next((rep.get("src", "") for rep in asset.iter("media-rep")), asset.get("src", ""))
    stamped = read_stamp(of_clip.get(STAMP_KEY, ""))
    note, reel = clip.findtext("note") or "", of_asset.get(REEL_KEY, "")
    return Told(cut, clip.get("name", ""), note, path_of(address), reel, stamped, remarks)


def xml_edit(text: str) -> Edit:
    """Either kind of XML, by its outermost element."""
    root = ET.fromstring(text)
    if root.tag == "fcpxml":
        return fcpxml_edit(root)
    if root.tag == "xmeml":
        return fcp7_edit(text)
    raise ValueError(f"its outermost element is {root.tag!r}, not fcpxml or xmeml")
