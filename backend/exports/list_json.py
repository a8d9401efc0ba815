"""JSON: everything a list knows, in a documented form (`document.py`, `list.schema.json`)."""

from collections.abc import Iterator

from backend.exports.base import Clip, ClipList, Exporter, Source
from backend.exports.checks import guarded
from backend.exports.document import ClipPart, FilmPart, LinePart, ListPart, MarkerPart
from backend.exports.layout import Event, events, film_key, films, record_timecodes
from backend.exports.rates import timecodes
from backend.exports.words import as_score, clean


def document(clip_list: ClipList) -> ListPart:
    """The list as it is written."""
    known = films(clip_list)
    ids = {key: f"film-{number}" for number, key in enumerate(known, 1)}
    return ListPart(
        id=clip_list.id,
        name=clean(clip_list.name),
        project=clean(clip_list.project),
        note=clean(clip_list.note),
        made_at=clip_list.made_at,
        rate=str(clip_list.rate),
        drop=clip_list.drop,
        handles=clip_list.handles,
        films=tuple(_film(ids[key], film) for key, film in known.items()),
        clips=tuple(_clip(clip_list, event, ids[film_key(event.source)]) for event in events(clip_list)),
    )


def _film(called: str, source: Source) -> FilmPart:
    return FilmPart(
        id=called,
        sha256=source.sha256,
        name=clean(source.name),
        path=clean(source.media_path),
        title=clean(source.title),
        rate=str(source.rate),
        frames=source.frames,
        varies=source.varies,
        start_timecode=source.start_timecode,
        width=source.width,
        height=source.height,
        channels=source.channels,
        sound_hz=source.sound_hz,
        reel=clean(source.reel),
        tape=clean(source.tape),
    )


def _clip(clip_list: ClipList, event: Event, film: str) -> ClipPart:
    clip = event.clip
    record_in, record_out = record_timecodes(clip_list, event)
    start_timecode, end_timecode = timecodes(clip.source, clip.start_frame, clip.end_frame)
    return ClipPart(
        number=event.number,
        key=clip.key,
        film=film,
        name=clean(clip.name),
        note=clean(clip.note),
        start_frame=clip.start_frame,
        end_frame=clip.end_frame,
        start_s=seconds(clip, clip.start_frame),
        end_s=seconds(clip, clip.end_frame),
        start_timecode=start_timecode,
        end_timecode=end_timecode,
        exported_start_frame=event.first,
        exported_end_frame=event.end,
        record_in=record_in,
        record_out=record_out,
        score=as_score(clip.score),
        viral=as_score(clip.viral),
        compelling=as_score(clip.compelling),
        band=clip.band,
        reasons=tuple(map(clean, clip.reasons)),
        model=clip.model,
        decisions=clip.decisions,
        rights=clean(clip.rights),
        embargo_until=clip.embargo_until.isoformat() if clip.embargo_until else None,
        markers=tuple(MarkerPart(frame=m.frame, words=clean(m.words), kind=m.kind) for m in clip.markers),
        lines=tuple(LinePart(start_s=line.start_s, end_s=line.end_s, text=clean(line.text)) for line in clip.lines),
    )


def seconds(clip: Clip, frame: int) -> float:
    """Start of a frame of the clip's film in seconds, to the microsecond."""
    return round(clip.source.times.seconds(frame), 6)


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    yield document(clip_list).model_dump_json(indent=2).encode()
    yield b"\n"


EXPORTER = Exporter(
    name="json",
    title="JSON",
    suffix=".json",
    media_type="application/json",
    write=guarded(_pieces),
    opens_in="Scripts, and Selects itself",
)
