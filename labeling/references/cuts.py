"""What an edit takes from its sources, read with OpenTimelineIO: CMX3600 lists, FCP7 XML, OTIO."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from backend.media.timecode import Timecode

DROP_RATES = {30: 30000 / 1001, 60: 60000 / 1001}
TIMECODE = re.compile(r"\b(\d\d:\d\d:\d\d)([:;])(\d\d)\b")
EVENT, FCM_DROP = re.compile(r"\s*\d"), re.compile(r"\s*FCM:\s*DROP", re.IGNORECASE)
UNKNOWN_REELS = frozenset(("", "ax", "bl", "black"))
RETIMED = "timeremap"
BRACKETS = re.compile(r'[\[\]{}]|"(?:[^"\\]|\\.)*+"?+', re.DOTALL)
"""Brackets of JSON, and its strings whole, so that what is in them does not count."""
DEEPEST_JSON = 400


@dataclass(frozen=True)
class Cut:
    """One use of a source: `[start, end)` in frames of the source's own clock, which counts `rate` frames a second.

    names        what the edit calls the source: file, clip, reel; lower case, without extension
    media_start  where that clock stands at the source's first frame; None where the edit does not say
    told_by      what the edit says it with: OpenTimelineIO's clip, or the elements of a clip and its asset
    """

    names: tuple[str, ...]
    start: Fraction
    end: Fraction
    rate: Fraction
    media_start: Fraction | None = None
    told_by: Any = field(default=None, compare=False, repr=False)


def edl_cuts(text: str, rate: Fraction) -> list[Cut]:
    """The picture events of a CMX3600 list, counted at the film's rate; raises what OpenTimelineIO raises."""
    import opentimelineio as otio

    text, drops = dropped(text, rate)
    counts = Timecode.at_rate(rate, drop=drops)
    counted = DROP_RATES[counts.nominal] if drops else counts.nominal
    # Where an event is as long in the edit as in the source does not matter here: the source's side is what is read.
    found = otio.adapters.read_from_string(text, "cmx_3600", rate=counted, ignore_timecode_mismatch=True)
    return list(cuts_of(found, counts.per_day))


def dropped(text: str, rate: Fraction) -> tuple[str, bool]:
    """A CMX3600 list with a semicolon in each timecode that drops numbers, and whether any does.

    A list says drop-frame once (`FCM: DROP FRAME`), or by semicolons, which may differ between source and edit.
    """
    there = round(rate) in DROP_RATES and rate.denominator == 1001
    lines = text.splitlines()
    if there and any(";" in found[2] for line in lines if EVENT.match(line) for found in TIMECODE.finditer(line)):
        return text, True
    drops = there and any(FCM_DROP.match(line) for line in lines)
    mark = r"\1;\3" if drops else r"\1:\3"
    return "\n".join(TIMECODE.sub(mark, line) if EVENT.match(line) else line for line in lines), drops


def otio_cuts(text: str, adapter: str) -> list[Cut]:
    """The picture clips of an FCP7 XML ("fcp_xml") or OTIO ("otio_json") document."""
    return list(cuts_of(parsed(text, adapter)))


def parsed(text: str, adapter: str) -> Any:
    """The document as OpenTimelineIO has it; raises what that raises."""
    import opentimelineio as otio

    if adapter == "otio_json":
        _require_shallow(text)
    return otio.adapters.read_from_string(text, adapter)


def _require_shallow(text: str) -> None:
    """Raise ValueError for JSON nested deeper than anyone nests: its parser would run out of stack, and end us."""
    depth = 0
    for bracket in BRACKETS.finditer(text):
        if (found := bracket[0]) in "[{":
            depth += 1
            if depth > DEEPEST_JSON:
                raise ValueError("it is nested too deep")
        elif found in "]}":
            depth -= 1


def cuts_of(found: Any, day: int = 0) -> Iterator[Cut]:
    """Of every clip that shows a part of a source; sound, generators, freeze frames and disabled clips are none.

    day  after how many frames the clock begins anew; 0: never
    """
    import opentimelineio as otio

    if not isinstance(found, otio.core.SerializableObject) or not hasattr(found, "find_clips"):
        raise ValueError("it holds no timeline")
    for clip in found.find_clips():
        media = clip.media_reference
        generated = isinstance(media, otio.schema.GeneratorReference)
        measured = clip.source_range is not None or (media is not None and media.available_range is not None)
        speed = _speed(clip)
        if clip.enabled and measured and speed and not generated and not _is_hidden(clip):
            yield _cut(clip, speed, day)


def _speed(clip: Any) -> Fraction:
    """How fast the source goes; 0 for what cannot be told from where it starts."""
    import opentimelineio as otio

    speed = Fraction(1)
    for effect in clip.effects:
        if isinstance(effect, otio.schema.LinearTimeWarp):
            speed *= Fraction(effect.time_scalar).limit_denominator(1000)
        elif isinstance(effect, otio.schema.TimeEffect) or _effect_id(effect) == RETIMED:
            return Fraction(0)
    return speed


def _effect_id(effect: Any) -> str:
    kept = effect.metadata.get("fcp_xml", {})
    return str(kept.get("effectid", "")).lower()


def _is_hidden(clip: Any) -> bool:
    """Whether it is sound, switched off, or inside a nested edit of which only a part is shown."""
    import opentimelineio as otio

    parent = clip.parent()
    while parent is not None:
        above = parent.parent()
        if isinstance(parent, otio.schema.Track) and parent.kind == otio.schema.TrackKind.Audio:
            return True
        nested = isinstance(parent, otio.schema.Stack) and above is not None
        if not parent.enabled or (nested and parent.source_range is not None):
            return True
        parent = above
    return False


def _cut(clip: Any, speed: Fraction, day: int) -> Cut:
    used = clip.trimmed_range()
    rate = Fraction(used.start_time.rate).limit_denominator(1001)
    start = _frames(used.start_time)
    length = _frames(used.duration.rescaled_to(used.start_time.rate))
    end = start + speed * (length if length >= 0 else length + day)
    media = clip.media_reference
    known = media.available_range if media is not None else None
    media_start = None if known is None else _frames(known.start_time.rescaled_to(used.start_time.rate))
    return Cut(_names(clip, media), min(start, end), max(start, end), rate, media_start, clip)


def _frames(time: Any) -> Fraction:
    return Fraction(time.value).limit_denominator(1000)


def _names(clip: Any, media: Any) -> tuple[str, ...]:
    address = getattr(media, "target_url", "") if media is not None else ""
    reel = str(clip.metadata.get("cmx_3600", {}).get("reel", ""))
    reel = reel.lower() if reel.lower() not in UNKNOWN_REELS else ""
    name = plain_name(clip.name or "")
    # An event of a list that names no clip is called by its number: the reel tells sources apart then.
    own = (reel, name) if name.isdigit() else (name, reel)
    return tuple(dict.fromkeys(given for given in (plain_name(address), *own) if given))


def plain_name(name: str) -> str:
    """A file's name, address or title as sources are told apart by: lower case, without folders and extension."""
    path = unquote(urlsplit(name).path) if "://" in name else name
    return PurePosixPath(path.replace("\\", "/")).stem.lower()
