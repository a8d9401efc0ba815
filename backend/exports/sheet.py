"""HTML contact sheet: one self-contained page of every clip, with picture, times, scores and notes; it prints."""

import base64
from collections.abc import Iterator
from typing import Any

from backend.clock import clock
from backend.errors import OutputError
from backend.exports.base import ClipList, Exporter
from backend.exports.checks import guarded
from backend.exports.concerns import rate_words
from backend.exports.layout import events, record_timecodes
from backend.exports.list_json import seconds
from backend.exports.rates import counted_rate, timecodes
from backend.exports.words import as_score, clean


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.exceptions import TemplateNotFound

    loader = PackageLoader("backend.exports", ".")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters |= {"clock": clock, "uri": _data_uri, "clean": clean}
    try:
        template = pages.get_template("sheet.html.j2")
    except TemplateNotFound:
        raise OutputError("The contact sheet's template is missing; reinstall selects.") from None
    shown = list(_shown(clip_list))
    total_s = sum(clip["length_s"] for clip in shown)
    made = template.generate(list=clip_list, clips=shown, total_s=total_s, rate=rate_words(clip_list.rate))
    yield from (piece.encode("utf-8", "replace") for piece in made)


def _shown(clip_list: ClipList) -> Iterator[dict[str, Any]]:
    for event in events(clip_list):
        clip = event.clip
        start_s, end_s = seconds(clip, clip.start_frame), seconds(clip, clip.end_frame)
        yield {
            "clip": clip,
            "number": event.number,
            "start_s": start_s,
            "end_s": end_s,
            "length_s": end_s - start_s,
            "timecodes": timecodes(clip.source, clip.start_frame, clip.end_frame),
            "record": record_timecodes(clip_list, event),
            "rate": rate_words(counted_rate(clip.source)),
            "scores": [(name, as_score(getattr(clip, name))) for name in ("score", "viral", "compelling")],
        }


def _data_uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


EXPORTER = Exporter(
    name="html",
    title="Contact sheet",
    suffix=".html",
    media_type="text/html; charset=utf-8",
    write=guarded(_pieces),
    opens_in="Browsers; prints",
    shows_pictures=True,
)
