"""Rendered clips as one archive: video files in the list's order, their subtitles, and `clips.json` that names them.

Nothing is compressed and nothing is held in memory: what was rendered is passed on as it lies there.
"""

import json
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.errors import OutputError
from backend.exports.base import ClipList, Concern, Exporter
from backend.exports.checks import guarded
from backend.exports.list_json import document
from backend.exports.rendering import Rendered, RenderOptions, render_list, rendered_lines
from backend.exports.zipping import Packed, zipped, zipped_size
from backend.media.captions import readable, srt, webvtt
from backend.store.media import there

FORMAT = "selects.clips"
VERSION = 1
MANIFEST = "clips.json"
MAX_NAME_BYTES = 100
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)


def write_clips(clip_list: ClipList, options: RenderOptions, rendered: Sequence[Rendered]) -> Iterator[bytes]:
    """The archive in pieces; `rendered` is what `render_list` gave for this list and these options.

    A clip that failed is in `clips.json` with its reason. Raises OutputError where all did.
    """
    return zipped(_packed(clip_list, options, rendered), _moment(clip_list))


def clips_size(clip_list: ClipList, options: RenderOptions, rendered: Sequence[Rendered]) -> int:
    """Length in bytes of what `write_clips` gives."""
    return zipped_size(_packed(clip_list, options, rendered))


def clip_names(clip_list: ClipList) -> tuple[str, ...]:
    """A name for each clip's files, without ending: its place in the list and what it is called, letters of any script.

    No two are alike, no system forbids one, and sorted by name they are in the list's order.
    """
    digits = max(2, len(str(len(clip_list.clips))))
    called = (_safe(clip.name) or _safe(clip.source.stem) or "clip" for clip in clip_list.clips)
    return tuple(f"{number:0{digits}}_{name}" for number, name in enumerate(called, 1))


def missing_films(clip_list: ClipList) -> list[Concern]:
    """Films that cannot be cut, since their files are not where they were."""
    return [
        Concern(f"The film's file is not there any more: {clip.source.path!r}.", stops=True, clip=clip.key)
        for clip in clip_list.clips
        if not there(Path(clip.source.path))
    ]


def _packed(clip_list: ClipList, options: RenderOptions, rendered: Sequence[Rendered]) -> list[Packed]:
    if rendered and not any(each.path for each in rendered):
        raise OutputError(rendered[0].problem)
    names, files, entries = clip_names(clip_list), list[Packed](), []
    for name, each in zip(names, rendered, strict=True):
        beside = _sidecars(name, each, options) if each.path else []
        files += [Packed(f"{name}.mp4", each.path), *beside] if each.path else []
        entries.append(_entry(name, each, beside))
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "options": options.as_json(),
        "clips": entries,
        "list": document(clip_list).model_dump(mode="json"),
    }
    return [Packed(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n"), *files]


def _sidecars(name: str, rendered: Rendered, options: RenderOptions) -> list[Packed]:
    lines = list(readable(rendered_lines(rendered.clip, options))) if options.subtitles == "sidecar" else []
    if not lines:
        return []
    return [Packed(f"{name}.srt", srt(lines).encode()), Packed(f"{name}.vtt", webvtt(lines).encode())]


def _entry(name: str, rendered: Rendered, beside: Sequence[Packed]) -> dict[str, Any]:
    clip, timeline = rendered.clip, rendered.clip.source.times
    start, end = rendered.start_frame, rendered.end_frame
    # Only where there is one: archives that were made before there were remarks stay the same bytes.
    remark = {"remark": rendered.remark} if rendered.remark else {}
    return {
        "key": clip.key,
        "file": f"{name}.mp4" if rendered.path else None,
        "subtitles": [file.name for file in beside],
        "film": clip.source.sha256,
        "start_frame": start,
        "end_frame": end,
        "duration_s": round(timeline.seconds(end) - timeline.seconds(start), 6),
        "problem": rendered.problem,
        **remark,
    }


def _safe(text: str) -> str:
    """Letters, digits and their marks of any script; everything else becomes `_`."""
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in unicodedata.normalize("NFKC", text))
    name = "_".join("".join(kept).split())
    return name.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip("_")


def _moment(clip_list: ClipList) -> datetime:
    try:
        return datetime.fromisoformat(clip_list.made_at)
    except ValueError:
        return EPOCH


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    """The list as it is, rendered now and kept nowhere; where it shall be kept, `render_list` goes before."""
    options = RenderOptions(handles=clip_list.handles)
    with tempfile.TemporaryDirectory(prefix="selects-clips-") as folder:
        yield from write_clips(clip_list, options, render_list(clip_list, options, Path(folder)))


EXPORTER = Exporter(
    name="clips",
    title="Rendered clips",
    suffix=".zip",
    media_type="application/zip",
    write=guarded(_pieces, missing_films),
    concerns=missing_films,
    opens_in="Everything that plays video",
)
