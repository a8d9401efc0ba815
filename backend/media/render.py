"""Cutting clips: frame-exact, in sync, H.264 and AAC that browsers play.

ffmpeg seeks to shortly before the clip, keeps the film's own time stamps, and its trim filter keeps exactly the frames
between two moments half a frame away from the wanted ones. The number of frames written is counted; where it is not the
wanted one (a seek that landed late) the clip is cut again from farther back, last from the film's start.
"""

import logging
import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from backend.errors import FilmUnreadable, OutputError
from backend.files import file_atomically
from backend.media.crop import CropPath
from backend.media.encode import ENCODE_FLAGS, Progress, binary, encode, known_filters
from backend.media.filters import Span, picture_chain, sound_chain
from backend.media.probe import FILM_FORMATS
from backend.media.source import Source, read_source
from backend.media.timeline import Timeline

ClipFormat = Literal["original", "reels", "square"]

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
SOUND_OPTIONS = {"c:a": "aac", "b:a": "160k"}


@dataclass(frozen=True)
class ClipRequest:
    """A clip to cut: frames [start_frame, end_frame) of `film`, counted as a decoder gives them from the start.

    timeline     of the film's picture, as the decode pass made it
    format       original, reels (9:16) or square
    crop         where the window of reels and square lies; None is the centre
    seekable     False for a film whose time stamps jump back: it is then decoded from its start and frames are counted
    """

    film: Path
    target: Path
    start_frame: int
    end_frame: int
    timeline: Timeline
    format: ClipFormat = "original"
    crop: CropPath | None = None
    seekable: bool = True


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
    span = _span(request)
    source = read_source(request.film)
    with file_atomically(request.target) as temporary:
        _cut(request, source, span, temporary, progress or (lambda _: None))
    return request.target


def _cut(request: ClipRequest, source: Source, span: Span, temporary: Path, progress: Progress) -> None:
    wanted = span.end_frame - span.start_frame
    written = 0
    for seek_s in _seeks(request, source, span):
        command = _command(request, source, span, seek_s, temporary)
        written = encode(command, request.target, wanted, progress)
        if written == wanted:
            return
        log.info("clip of %s has %d of %d frames after a seek to %s s", request.film.name, written, wanted, seek_s)
    if not written:
        reason = f"no frame between {float(span.start_s):.1f} and {float(span.end_s):.1f} s can be decoded"
        raise FilmUnreadable(request.film.name, reason)
    log.warning("%s is damaged: %d of %d frames of a clip could be decoded", request.film.name, written, wanted)


def _seeks(request: ClipRequest, source: Source, span: Span) -> list[Fraction | None]:
    """Where to start reading, nearest first; None is the film's start."""
    if not request.seekable or not source.stamped:
        return [None]
    tries = [span.start_s - Fraction(preroll) for preroll in (PREROLL_S[source.indexed], FAR_PREROLL_S)]
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


def _command(request: ClipRequest, source: Source, span: Span, seek_s: Fraction | None, target: Path) -> list[str]:
    import ffmpeg

    count = not (request.seekable and source.stamped)
    options: dict[str, Any] = {"protocol_whitelist": "file", "format_whitelist": FILM_FORMATS, "noaccurate_seek": None}
    if seek_s is not None:
        options |= {"seek_timestamp": 1, "ss": f"{float(seek_s):.6f}"}
    film = ffmpeg.input(FILM, **options)
    zscale = bool(source.transfer) and "zscale" in known_filters()
    streams = [picture_chain(film[str(source.video_index)], source, span, request.format, request.crop, zscale, count)]
    if source.audio_index is not None:
        streams.append(sound_chain(film[str(source.audio_index)], source, span, count))
    options = {
        "fps_mode:v": "passthrough",
        "enc_time_base:v": f"{span.time_base.numerator}/{span.time_base.denominator}",
        "g": max(1, round(2 * request.timeline.rate)),
        **CLIP_OPTIONS,
        **(SOUND_OPTIONS if source.audio_index is not None else {}),
    }
    output = ffmpeg.output(*streams, TARGET, **options).global_args(*ENCODE_FLAGS, "-copyts").overwrite_output()
    names = {FILM: f"file:{request.film.resolve()}", TARGET: f"file:{target.resolve()}"}
    return [names.get(word, word) for word in output.compile(cmd=binary())]
