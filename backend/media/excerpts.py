"""Parts of a film for models that need not see it whole: clips spread over it, and the sound of its beginning."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from backend.errors import FilmUnreadable
from backend.media.audio import RATE_HZ, Samples, analyse_sound, read_samples
from backend.media.decode import Damage, decode
from backend.media.probe import LIMITS, audio_tracks, open_film, probe_film, stream_start_s, video_stream

EARLY_S = 1e-3


def read_clips(path: Path, *, clips: int, frames: int, step_s: float, side: int) -> NDArray[np.uint8]:
    """RGB uint8 [clips, frames, height, width, 3], `side` pixels on the shorter side, upright.

    Clips are spread evenly over the film, frames within a clip `step_s` apart; a frame is the one that is shown at its
    time. A film that is shorter than a clip gives one, its last frame repeated. Raises FilmUnreadable.
    """
    with open_film(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 2
        stream.codec_context.options = {**stream.codec_context.options, **LIMITS}
        length_s = _length_s(container, stream)
        picture, made = Upright(side, stream), list[NDArray[np.uint8]]()
        for start_s in clip_starts(length_s, frames * step_s, clips):
            found = _clip(container, stream, start_s + np.arange(frames) * step_s, picture)
            if found is not None:
                made.append(found)
        if not made:
            raise FilmUnreadable(path.name, "not one frame of its video can be decoded")
        if len({clip.shape for clip in made}) > 1:
            raise FilmUnreadable(path.name, "its picture changes its shape on the way")
        return np.stack(made)


def clip_starts(length_s: float, span_s: float, clips: int) -> list[float]:
    """Where at most `clips` clips of `span_s` start, evenly from a film's beginning to its end, none overlapping."""
    room_s = length_s - span_s
    count = min(clips, int(length_s / span_s)) if room_s > 0 else 1
    return [0.0] if count < 2 else [float(start) for start in np.linspace(0, room_s, count)]


def read_start_of_sound(path: Path, seconds: float | None) -> Samples:
    """The first `seconds` of its sound (None: all of it), mono float32 [n] at 16 kHz; raises FilmUnreadable."""
    blocks = [np.zeros(0, np.float32), *_blocks(path, seconds)]
    samples = np.concatenate(blocks)
    return samples if seconds is None else samples[: round(seconds * RATE_HZ)]


def read_log_mel(path: Path, seconds: float | None) -> NDArray[np.float32]:
    """The same as log-mel per second, float32 [seconds, 128]: what the audio block of a shot is made of."""
    samples = read_start_of_sound(path, seconds)
    return analyse_sound(iter([samples])).log_mel if len(samples) else np.zeros((0, 128), np.float32)


def _blocks(path: Path, seconds: float | None) -> Iterator[Samples]:
    heard, blocks = 0, _sound(path)
    for block in blocks:
        yield block
        heard += len(block)
        if seconds is not None and heard >= seconds * RATE_HZ:
            return


def _sound(path: Path) -> Iterator[Samples]:
    """Of a film from its first picture on; of a file that holds sound only, from its start."""
    with open_film(path) as container:
        if not audio_tracks(container):
            raise FilmUnreadable(path.name, "it has no sound")
        has_picture = any(not s.disposition & s.disposition.attached_pic for s in container.streams.video)
        if not has_picture:
            yield from _plain_sound(container)
            return
    yield from read_samples(probe_film(path), Damage())


def _plain_sound(container: InputContainer) -> Iterator[Samples]:
    stream = container.streams[audio_tracks(container)[0].index]
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    for frame in decode(container, stream, Damage(), "audio"):
        frame.pts = None
        with suppress(av.error.FFmpegError, ValueError):
            for made in resampler.resample(frame):
                yield np.nan_to_num(made.to_ndarray().reshape(-1)).astype(np.float32)


class Upright:
    """Frames as RGB with the shorter side `side`, square pixels, turned as a viewer sees them."""

    def __init__(self, side: int, stream: VideoStream) -> None:
        aspect = float(stream.sample_aspect_ratio or 1)
        self._side, self._scaler, self._aspect = side, VideoReformatter(), aspect if 0.1 <= aspect <= 10 else 1.0

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        wide = frame.width * self._aspect
        grow = self._side / min(wide, frame.height)
        size = (max(self._side, round(wide * grow)), max(self._side, round(frame.height * grow)))
        made = self._scaler.reformat(frame, *size, "rgb24", interpolation=Interpolation.BILINEAR)
        turns = round((frame.rotation or 0) / 90) % 4
        return np.ascontiguousarray(np.rot90(np.asarray(made.to_ndarray(), np.uint8), turns))


def _length_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _clip(
    container: InputContainer, stream: VideoStream, times_s: NDArray[np.floating[Any]], picture: Upright
) -> NDArray[np.uint8] | None:
    """The frames shown at these times, uint8 [times, height, width, 3]; None where none can be decoded."""
    start_s = float(stream_start_s(stream))
    if times_s[0] > 0:
        # Where a file cannot be searched, reading goes on from where it is: the clips come in order.
        with suppress(av.error.FFmpegError, OSError):
            container.seek(int((start_s + float(times_s[0])) * av.time_base), backward=True)
    found: list[NDArray[np.uint8]] = []
    before: VideoFrame | None = None
    for frame in decode(container, stream, Damage(), "video"):
        at_s = (frame.time if frame.time is not None else start_s) - start_s
        while len(found) < len(times_s) and times_s[len(found)] < at_s - EARLY_S:
            found.append(picture(before if before is not None else frame))
        before = frame
        if len(found) == len(times_s):
            break
    if before is None:
        return None
    while len(found) < len(times_s):
        found.append(picture(before))
    return np.stack(found)
