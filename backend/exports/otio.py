"""OpenTimelineIO: everything a list knows, the part that has no place of its own as metadata under "selects"."""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from backend.exports.base import ClipList, Concern, Exporter, Source
from backend.exports.checks import guarded
from backend.exports.concerns import once_each, other_rates, unseen_markers, varying_rates
from backend.exports.layout import Event, events, film_key
from backend.exports.list_json import document
from backend.exports.rates import counted_frames, counted_rate, first_number, record_counting, record_start
from backend.exports.reels import reels
from backend.exports.remarks import COLOURS, markers
from backend.exports.stamp import stamp
from backend.exports.urls import file_url
from backend.exports.words import clean

SPACE = "selects"


def otio_concerns(clip_list: ClipList) -> list[Concern]:
    """Nothing stops."""
    return once_each([*other_rates(clip_list), *varying_rates(clip_list), *unseen_markers(clip_list)])


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    import opentimelineio as otio

    whole = document(clip_list).model_dump(mode="json")
    films = {film.pop("id"): film for film in whole.pop("films")}
    own = [clip | {"film": films[clip["film"]]} for clip in whole.pop("clips")]
    drop = record_counting(clip_list).drop
    timeline = otio.schema.Timeline(
        clean(clip_list.name),
        global_start_time=_time(record_start(clip_list), clip_list.rate),
        metadata={SPACE: whole | {"drop": drop}},
    )
    picture = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    sound = otio.schema.Track("A1", kind=otio.schema.TrackKind.Audio)
    reel = reels(clip_list)
    for event, said in zip(events(clip_list), own, strict=True):
        metadata = {SPACE: said | {"stamp": stamp(clip_list, event)}}
        picture.append(_clip(event, metadata | {"cmx_3600": {"reel": reel[film_key(event.source)]}}))
        # What has no sound leaves a gap of its length, so that later clips stay beside their picture.
        sound.append(_heard(event) if event.source.channels else otio.schema.Gap(source_range=_range(event)))
    timeline.tracks.extend([picture, sound] if any(e.source.channels for e in events(clip_list)) else [picture])
    yield otio.adapters.write_to_string(timeline, "otio_json").encode()
    yield b"\n"


def _time(frames: int, rate: Fraction) -> Any:
    import opentimelineio as otio

    return otio.opentime.RationalTime(frames, float(rate))


def _span(first: int, frames: int, rate: Fraction) -> Any:
    import opentimelineio as otio

    return otio.opentime.TimeRange(_time(first, rate), _time(frames, rate))


def _range(event: Event) -> Any:
    """On the film's own clock."""
    start = first_number(event.source) + event.source_in
    return _span(start, event.source_out - event.source_in, event.rate)


def _media(film: Source) -> Any:
    import opentimelineio as otio

    there = _span(first_number(film), counted_frames(film), counted_rate(film))
    media = otio.schema.ExternalReference(file_url(film.media_path), there)
    media.name = clean(film.name)
    return media


def _heard(event: Event) -> Any:
    import opentimelineio as otio

    return otio.schema.Clip(clean(event.clip.name), _media(event.source), _range(event))


def _clip(event: Event, metadata: Mapping[str, Any]) -> Any:
    import opentimelineio as otio

    name = clean(event.clip.name)
    # OpenTimelineIO takes lists for metadata, and no tuples.
    clip = otio.schema.Clip(name, _media(event.source), _range(event), json.loads(json.dumps(metadata)))
    for at, marker in markers(event):
        clip.markers.append(
            otio.schema.Marker(
                clean(marker.words),
                _span(first_number(event.source) + at, 0, event.rate),
                COLOURS[marker.kind],
                {SPACE: {"kind": marker.kind}},
            )
        )
    return clip


EXPORTER = Exporter(
    name="otio",
    title="OpenTimelineIO",
    suffix=".otio",
    media_type="application/json",
    write=guarded(_pieces, otio_concerns),
    concerns=otio_concerns,
    opens_in="DaVinci Resolve, Premiere Pro, and whatever reads OpenTimelineIO",
)
