"""What cutting needs to know of a film before ffmpeg is started: its streams, and its first frame."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.errors import FilmUnreadable
from backend.media.probe import (
    TRANSFERS,
    audio_tracks,
    first_frame,
    is_interlaced,
    lacks_stamps,
    open_film,
    stamp_of,
    stream_start_s,
    video_stream,
)

INDEXED = ("mov", "matroska", "avi")


@dataclass(frozen=True)
class Source:
    """What cutting needs to know of a film. Width and height are as displayed: turned, with square pixels.

    first_s        time stamp of the first frame that decodes, in seconds of the container's clock
    audio_start_s  the same clock's start of the sound
    transfer       pq, hlg or empty
    indexed        whether the container has an index, so that seeking lands on a keyframe before the wanted time
    stamped        whether frames carry time stamps
    """

    video_index: int
    audio_index: int | None
    first_s: Fraction
    audio_start_s: Fraction
    width: int
    height: int
    interlaced: bool
    transfer: str
    is_rgb: bool
    indexed: bool
    stamped: bool


def read_source(path: Path, audio_track: int = 0) -> Source:
    """What cutting needs to know of `path`: its streams and its first frame; raises FilmUnreadable.

    `audio_track` counts the tracks that can be decoded, the default one first, as `Probe.audio` does.
    """
    with open_film(path) as container:
        stream = video_stream(container, path)
        frame = first_frame(container, stream, path)
        tracks = audio_tracks(container)
        if audio_track and audio_track >= len(tracks):
            raise FilmUnreadable(path.name, f"it has no audio track {audio_track}")
        sound = container.streams[tracks[audio_track].index] if tracks else None
        stamp_s = None if lacks_stamps(container, stream) else stamp_of(frame)
        width, height = _displayed(frame, stream)
        return Source(
            video_index=stream.index,
            audio_index=sound.index if sound else None,
            first_s=stream_start_s(stream) if stamp_s is None else stamp_s,
            audio_start_s=stream_start_s(sound) if sound else Fraction(0),
            width=width,
            height=height,
            interlaced=is_interlaced(frame, stream),
            transfer=_transfer(frame, stream),
            is_rgb=frame.format.is_rgb,
            indexed=container.format.name.startswith(INDEXED),
            stamped=stamp_s is not None,
        )


def _displayed(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width = round(frame.width * (aspect if Fraction(1, 10) <= aspect <= 10 else 1))
    return (frame.height, width) if round(frame.rotation / 90) % 2 else (width, frame.height)


def _transfer(frame: VideoFrame, stream: VideoStream) -> str:
    found = TRANSFERS.get(int(frame.color_trc), "") or TRANSFERS.get(int(stream.codec_context.color_trc or 0), "")
    return found if found in ("pq", "hlg") else ""
