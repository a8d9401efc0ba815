"""Cutting clips: frame-exact, in sync, H.264 and AAC that browsers play.

ffmpeg seeks to shortly before the clip, keeps the film's own time stamps, and its trim filter keeps exactly the frames
between two moments half a frame away from the wanted ones. The number of frames written is counted; where it is not the
wanted one (a seek that landed late) the clip is cut again from farther back, last from the film's start.
"""

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from backend.errors import FilmUnreadable, OutputError
from backend.files import file_atomically, scratch_beside
from backend.media.captions import ass, said_in
from backend.media.crop import CropPath
from backend.media.encode import (
    ENCODE_FLAGS,
    MEASURE_FLAGS,
    NothingDecoded,
    Progress,
    binary,
    encode,
    known_filters,
    measure,
)
from backend.media.filters import Finish, Span, clip_size, picture_chain, sound_chain
from backend.media.finished import loudness_in
from backend.media.lines import Line
from backend.media.loudness import Level, Loudness, heard, level_for, measuring
from backend.media.probe import FILM_FORMATS
from backend.media.source import Source, read_source
from backend.media.timeline import Timeline

ClipFormat = Literal["original", "reels", "square", "wide"]

log = logging.getLogger(__name__)

# Without an index a seek may land inside a group of pictures; broadcasts have a keyframe every 12 s at least.
PREROLL_S = {True: 1.5, False: 12.0}
FAR_PREROLL_S = 90.0

VARYING_TIME_BASE = Fraction(1, 90000)
CLIP_OPTIONS = {
    "format": "mp4",
    "movflags": "+faststart",
    "map_metadata": -1,
    "map_chapters": -1,
    "c:v": "libx264",
    "profile:v": "high",
    "preset": "veryfast",
    "crf": 20,
    "pix_fmt": "yuv420p",
}
# Put in the places of the names, since ffmpeg-python takes only names that are text.
FILM, TARGET = "<film>", "<target>"
# Where a film is damaged what can be decoded is cut, however little that is, and counted.
BRAVE = ("-max_error_rate", "1")
SOUND_OPTIONS = {"c:a": "aac", "b:a": "160k"}


@dataclass(frozen=True)
class ClipRequest:
    """A clip to cut: frames [start_frame, end_frame) of `film`, counted as a decoder gives them from the start.

    timeline     of the film's picture, as the decode pass made it
    format       original, reels (9:16), square, or wide (16:9, with bars around what has another shape)
    crop         where the window of reels and square lies; None is the centre
    seekable     False for a film whose time stamps jump back: it is then decoded from its start and frames are counted
    audio_track  which one is heard, as `Probe.audio` counts them
    fade_s       picture and sound come out of black and silence, and end in them
    lufs         the loudness that the clip is brought to; None leaves it
    lines        what is said in the film (seconds of the film), burnt in
    threads      for decoding and for encoding; 0: as many as there are cores
    """

    film: Path
    target: Path
    start_frame: int
    end_frame: int
    timeline: Timeline
    format: ClipFormat = "original"
    crop: CropPath | None = None
    seekable: bool = True
    audio_track: int = 0
    fade_s: float = 0.0
    lufs: float | None = None
    lines: tuple[Line, ...] = ()
    threads: int = 0


@dataclass(frozen=True)
class _Cutting:
    """A request and what is known of its film: all that a command for ffmpeg is made of."""

    request: ClipRequest
    source: Source
    span: Span
    finish: Finish


def clip_name(rank: int, start_s: float, stem: str) -> str:
    """A name that every file system and shell takes: `01_big_buck_bunny_360p_00-03-12.mp4` (rank, film, start)."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:80].strip("_") or "film"
    start = max(0, int(start_s))
    return f"{rank:02d}_{safe}_{start // 3600:02d}-{start // 60 % 60:02d}-{start % 60:02d}.mp4"


def render_clip(request: ClipRequest, progress: Progress | None = None) -> Path:
    """Cut one clip to `request.target` (replaced if it is there) and return that path; `progress` gets 0 … 1.

    Raises FilmUnreadable for the film and OutputError for what keeps the clip from being written; nothing is left then.
    """
    span, source = _span(request), read_source(request.film, request.audio_track)
    progress = progress or (lambda _: None)
    with file_atomically(request.target) as temporary, _captions(request, source, span) as captions:
        finish = Finish(
            shape=request.format,
            crop=request.crop,
            fade_s=request.fade_s,
            captions=captions,
            zscale=bool(source.transfer) and "zscale" in known_filters(),
            count=not (request.seekable and source.stamped),
        )
        cutting = _Cutting(request, source, span, finish)
        if request.lufs is not None and source.audio_index is not None:
            level = level_for(
                request.lufs,
                lambda level: _loudness(cutting, level, progress),
                lambda level: _encoded(cutting, level, progress),
            )
            _cut(_at(cutting, level), temporary, progress)
        else:
            _cut(cutting, temporary, progress)
    return request.target


@contextmanager
def _captions(request: ClipRequest, source: Source, span: Span) -> Iterator[Path | None]:
    """The file of the lines that are burnt in; None where nothing is said."""
    lines = said_in(request.lines, float(span.start_s), float(span.end_s))
    if not lines:
        yield None
        return
    if "ass" not in known_filters():
        raise OutputError("Subtitles cannot be burnt in: this ffmpeg has no libass. Ask for them as files beside it.")
    with scratch_beside(request.target) as file:
        file.write_text(ass(lines, *clip_size(source, request.format)), encoding="utf-8")
        yield file.resolve()


def _cut(cutting: _Cutting, temporary: Path, progress: Progress) -> None:
    span, name = cutting.span, cutting.request.film.name
    wanted = span.end_frame - span.start_frame
    written, said = 0, ""
    for seek_s in _seeks(cutting):
        try:
            written = encode(_command(cutting, seek_s, temporary), cutting.request.target, wanted, progress)
        except NothingDecoded as nothing:
            written, said = 0, f"; ffmpeg says {nothing.detail!r}"
        if written == wanted:
            return
        log.info("clip of %s has %d of %d frames after a seek to %s s", name, written, wanted, seek_s)
    if not written:
        reason = f"no frame between {float(span.start_s):.1f} and {float(span.end_s):.1f} s can be decoded{said}"
        raise FilmUnreadable(name, reason)
    log.warning("%s is damaged: %d of %d frames of a clip could be decoded", name, written, wanted)


def _loudness(cutting: _Cutting, level: Level | None, progress: Progress) -> Loudness:
    """How loud the clip would be at this level; only its sound is decoded."""
    import ffmpeg

    output = ffmpeg.output(measuring(_sound(cutting, level)), "-", format="null")
    return heard(_heeded(cutting, output, None, progress))


def _encoded(cutting: _Cutting, level: Level, progress: Progress) -> Loudness:
    """How loud it would be behind the encoder."""
    import ffmpeg

    with scratch_beside(cutting.request.target) as file:
        output = ffmpeg.output(_sound(cutting, level), TARGET, format="mp4", **SOUND_OPTIONS).overwrite_output()
        _heeded(cutting, output, file, progress)
        return loudness_in(file, lambda: progress(0.0))


def _sound(cutting: _Cutting, level: Level | None) -> Any:
    film = _input(cutting, _seeks(cutting)[0])
    return sound_chain(film[str(cutting.source.audio_index)], cutting.source, cutting.span, _at(cutting, level).finish)


def _heeded(cutting: _Cutting, output: Any, target: Path | None, progress: Progress) -> list[str]:
    """What ffmpeg says at the end of a pass over the sound."""
    command = _words(output.global_args(*MEASURE_FLAGS, *BRAVE, "-copyts"), cutting.request, target)
    return measure(command, cutting.request.target, lambda: progress(0.0))


def _at(cutting: _Cutting, level: Level | None) -> _Cutting:
    return replace(cutting, finish=replace(cutting.finish, level=level))


def _seeks(cutting: _Cutting) -> list[Fraction | None]:
    """Where to start reading, nearest first; None is the film's start."""
    source, start_s = cutting.source, cutting.span.start_s
    if cutting.finish.count:
        return [None]
    tries = [start_s - Fraction(preroll) for preroll in (PREROLL_S[source.indexed], FAR_PREROLL_S)]
    return [source.first_s + start for start in tries if start > 0] + [None]


def _span(request: ClipRequest) -> Span:
    timeline, start, end = request.timeline, request.start_frame, request.end_frame
    if not 0 <= start < end <= timeline.frames:
        raise OutputError(f"Cannot cut frames {start} to {end}: {request.film.name!r} has {timeline.frames} frames.")
    times = [timeline.exact(frame) for frame in (max(start - 1, 0), start, end - 1, end)]
    varies = timeline.pts is not None
    first_margin = (times[1] - times[0]) / 2 if start else Fraction(1, 100)
    return Span(
        start_frame=start,
        end_frame=end,
        start_s=times[1],
        end_s=times[3],
        start_margin_s=first_margin,
        end_margin_s=(times[3] - times[2]) / 2,
        time_base=VARYING_TIME_BASE if varies else 1 / timeline.rate,
    )


def _command(cutting: _Cutting, seek_s: Fraction | None, target: Path) -> list[str]:
    import ffmpeg

    request, source, span, finish = cutting.request, cutting.source, cutting.span, cutting.finish
    film, hears = _input(cutting, seek_s), source.audio_index is not None
    streams = [picture_chain(film[str(source.video_index)], source, span, finish)]
    if hears:
        streams.append(sound_chain(film[str(source.audio_index)], source, span, finish))
    options = {
        "fps_mode:v": "passthrough",
        "enc_time_base:v": f"{span.time_base.numerator}/{span.time_base.denominator}",
        "g": max(1, round(2 * request.timeline.rate)),
        **CLIP_OPTIONS,
        **(SOUND_OPTIONS if hears else {}),
        **({"threads:v": request.threads} if request.threads else {}),
    }
    output = ffmpeg.output(*streams, TARGET, **options).global_args(*ENCODE_FLAGS, *BRAVE, "-copyts")
    return _words(output.overwrite_output(), request, target)


def _input(cutting: _Cutting, seek_s: Fraction | None) -> Any:
    import ffmpeg

    options: dict[str, Any] = {"protocol_whitelist": "file", "format_whitelist": FILM_FORMATS, "noaccurate_seek": None}
    if cutting.request.threads:
        options["threads"] = cutting.request.threads
    if seek_s is not None:
        options |= {"seek_timestamp": 1, "ss": f"{float(seek_s):.6f}"}
    return ffmpeg.input(FILM, **options)


def _words(output: Any, request: ClipRequest, target: Path | None = None) -> list[str]:
    names = {FILM: f"file:{request.film.resolve()}", TARGET: f"file:{target.resolve()}" if target else "-"}
    return [names.get(word, word) for word in output.compile(cmd=binary())]
