"""What an FCPXML edit takes from its sources, in exact fractions of seconds.

Not through OpenTimelineIO's adapter: it counts 23.976 as 23 frames a second, rounds every time down through a float,
and ends in an error at a title.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from xml.etree.ElementTree import Element

from labeling.references.cuts import Cut, plain_name

CONTAINERS = frozenset(("clip", "sync-clip"))
PLACED = frozenset(("asset-clip", "audition", "clip", "gap", "mc-clip", "ref-clip", "sync-clip", "title", "video"))
TIME = re.compile(r"-?\d{1,30}(?:\.\d{1,30}|/\d{1,30})?")
"""No exponents: written out, a few letters could be a number of a thousand million digits."""
DEEPEST = 20
MOST_CLIPS = 100_000
"""Also of compounds inside compounds, each counted wherever it is shown."""


@dataclass(frozen=True)
class _Document:
    assets: dict[str, Element]
    compounds: dict[str, Element]
    rate: Fraction
    clips: Iterator[int]


@dataclass(frozen=True)
class _Span:
    """What is seen of a timeline, in its own seconds."""

    start_s: Fraction
    end_s: Fraction


def fcpxml_cuts(root: Element, rate: Fraction) -> list[Cut]:
    """The pictures that all projects of a document take from files, in frames at the film's `rate`.

    Raises ValueError for times that are none, and for clips nested deeper, or more of them, than anyone makes.
    """
    document = _Document(
        {asset.get("id", ""): asset for asset in root.iter("asset")},
        {media.get("id", ""): media for media in root.iter("media")},
        rate,
        count(),
    )
    cuts: list[Cut] = []
    for project in root.iter("project"):
        for sequence in project.iter("sequence"):
            cuts += _sequence(document, sequence, None, 0)
    return cuts


def seconds(text: str | None) -> Fraction:
    """`1001/24000s`, `5s` or nothing, in seconds; raises ValueError."""
    number = (text or "0s").strip().removesuffix("s")
    if not TIME.fullmatch(number):
        raise ValueError(f"{number[:40]!r} is no time")
    return Fraction(number)


def _sequence(document: _Document, sequence: Element, seen: _Span | None, depth: int) -> Iterator[Cut]:
    spine = sequence.find("spine")
    if spine is not None:
        yield from _children(document, spine, seen, depth)


def _children(document: _Document, parent: Element, seen: _Span | None, depth: int) -> Iterator[Cut]:
    """Clips one after another where they say no offset; those on other lanes are as long as they say."""
    if depth > DEEPEST:
        raise ValueError("its clips are nested too deep")
    at_s = Fraction(0)
    for child in parent:
        if child.tag not in PLACED and child.tag != "spine":
            continue
        if next(document.clips) > MOST_CLIPS:
            raise ValueError("it has too many clips")
        offset_s = seconds(child.get("offset")) if child.get("offset") is not None else at_s
        if child.tag == "spine":
            yield from _children(document, child, None, depth + 1)
            continue
        length_s = seconds(child.get("duration"))
        at_s = offset_s + length_s
        begin_s, end_s = offset_s, at_s
        if seen is not None and child.get("lane") is None:
            begin_s, end_s = max(begin_s, seen.start_s), min(end_s, seen.end_s)
        if begin_s < end_s and child.get("enabled", "1") == "1":
            yield from _placed(document, child, begin_s - offset_s, end_s - offset_s, depth + 1)


def _placed(document: _Document, clip: Element, from_s: Fraction, to_s: Fraction, depth: int) -> Iterator[Cut]:
    """What is seen of a clip, from `from_s` to `to_s` after its beginning."""
    if clip.tag == "audition":
        # The first of its clips is the chosen one; it lies where the audition lies.
        for chosen in list(clip)[:1]:
            yield from _placed(document, chosen, from_s, to_s, depth + 1)
        return
    asset = document.assets.get(clip.get("ref", ""))
    start_s = _start(clip, asset)
    local = _retimed(clip, _Span(start_s + from_s, start_s + to_s))
    compound = document.compounds.get(clip.get("ref", ""))
    if clip.tag in ("asset-clip", "video") and asset is not None and asset.get("hasVideo") == "1" and local is not None:
        yield _cut(document, clip, asset, local)
    elif clip.tag == "ref-clip" and compound is not None and local is not None and clip.get("srcEnable") != "audio":
        for sequence in compound.findall("sequence"):
            yield from _sequence(document, sequence, local, depth)
    elif clip.tag in CONTAINERS and local is not None:
        yield from _children(document, clip, local, depth)
        return
    # What hangs on a clip lies on its clock, and is seen whether or not the clip itself counts.
    for child in clip:
        if child.get("lane") is not None and child.tag in PLACED and child.get("enabled", "1") == "1":
            yield from _placed(document, child, Fraction(0), seconds(child.get("duration")), depth + 1)


def _start(clip: Element, asset: Element | None) -> Fraction:
    """Where a clip's clock stands at its beginning; without a word, where its file's does."""
    if clip.get("start") is not None or asset is None:
        return seconds(clip.get("start"))
    return seconds(asset.get("start"))


def _retimed(clip: Element, local: _Span) -> _Span | None:
    """Seconds of the source; None where the speed varies, or the picture stands still."""
    conformed = clip.find("conform-rate")
    if conformed is not None and conformed.get("srcFrameRate") and conformed.get("scaleEnabled", "1") == "1":
        return None
    points = clip.findall("timeMap/timept")
    if not points:
        return local
    if len(points) != 2:
        return None
    (time_a, value_a), (time_b, value_b) = ((seconds(p.get("time")), seconds(p.get("value"))) for p in points)
    if time_a == time_b or value_a == value_b:
        return None
    ends = [value_a + (s - time_a) * (value_b - value_a) / (time_b - time_a) for s in (local.start_s, local.end_s)]
    return _Span(min(ends), max(ends))


def _cut(document: _Document, clip: Element, asset: Element, local: _Span) -> Cut:
    address = asset.get("src") or next((rep.get("src", "") for rep in asset.iter("media-rep")), "")
    names = (plain_name(address), plain_name(asset.get("name", "")), plain_name(clip.get("name", "")))
    rate = document.rate
    return Cut(
        tuple(dict.fromkeys(name for name in names if name)),
        local.start_s * rate,
        local.end_s * rate,
        rate,
        seconds(asset.get("start")) * rate,
        (clip, asset),
    )
