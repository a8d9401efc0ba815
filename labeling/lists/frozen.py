"""Frozen lists as bytes and back: what an export was made of, to be made of it again."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from backend.exports.base import Clip, ClipList, Marker, Source
from backend.exports.layout import film_key, films
from backend.media.lines import Line
from backend.media.timeline import Timeline

Facts = dict[str, Any]


def pack(clip_list: ClipList) -> bytes:
    """The list as compressed JSON: equal lists give equal bytes."""
    return zlib.compress(_text(facts(clip_list)), 9)


def unpack(packed: bytes) -> ClipList:
    """The list again, equal to what was packed."""
    said: Facts = json.loads(zlib.decompress(packed))
    sources = [_source(each) for each in said["sources"]]
    clips = tuple(_clip(each, sources) for each in said["clips"])
    return ClipList(**{name: READ.get(name, _same)(said[name]) for name in _kept(ClipList, said)}, clips=clips)


def key_of(clip_list: ClipList) -> str:
    """What equal lists share, whenever they were frozen."""
    return hashlib.sha256(_text(facts(clip_list) | {"made_at": ""})).hexdigest()


def facts(clip_list: ClipList) -> Facts:
    """The list as JSON has values; each film once, in the order in which they come."""
    known = films(clip_list)
    place = {key: number for number, key in enumerate(known)}
    clips = [_plain(clip) | {"source": place[film_key(clip.source)]} for clip in clip_list.clips]
    return _plain(clip_list) | {"clips": clips, "sources": [_plain(source) for source in known.values()]}


def _plain(value: Clip | ClipList | Source) -> Facts:
    return {each.name: _written(getattr(value, each.name)) for each in fields(value) if each.name not in HELD}


HELD = frozenset(("clips", "source"))
"""Written by themselves."""


def _written(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, Line | Marker):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, Timeline):
        return _line(value)
    return value


def _line(line: Timeline) -> Facts:
    """Most frames last as long as the one before, so differences are written, and pack well."""
    steps = None if line.pts is None else np.diff(line.pts, prepend=0).astype("<i8").tobytes()
    return {
        "rate": str(line.rate),
        "frames": line.frames,
        "time_base": None if line.time_base is None else str(line.time_base),
        "steps": None if steps is None else base64.b64encode(zlib.compress(steps, 9)).decode(),
    }


def _timeline(said: Facts | None) -> Timeline | None:
    if said is None:
        return None
    packed = said["steps"]
    pts = None if packed is None else np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(packed)), "<i8"))
    time_base = None if said["time_base"] is None else Fraction(said["time_base"])
    return Timeline(Fraction(said["rate"]), said["frames"], time_base, pts)


def _same(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


READ: Mapping[str, Callable[[Any], Any]] = {
    "rate": Fraction,
    "timeline": _timeline,
    "embargo_until": lambda said: date.fromisoformat(said) if said else None,
    "picture": base64.b64decode,
    "markers": lambda said: tuple(Marker(**each) for each in said),
    "lines": lambda said: tuple(Line(**each) for each in said),
}
"""Field → what reads it; the others are as JSON has them."""


def _kept(kind: type[Any], said: Facts) -> list[str]:
    """Fields that were known when it was packed."""
    return [each.name for each in fields(kind) if each.name in said and each.name not in HELD]


def _source(said: Facts) -> Source:
    return Source(**{name: READ.get(name, _same)(said[name]) for name in _kept(Source, said)})


def _clip(said: Facts, sources: list[Source]) -> Clip:
    values = {name: READ.get(name, _same)(said[name]) for name in _kept(Clip, said)}
    return Clip(**values, source=sources[said["source"]])


def _text(said: Facts) -> bytes:
    return json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
