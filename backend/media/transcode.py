"""The three steps to a proxy: the picture through x264, the sound through AAC, and both into one file with their times.

ffmpeg is fed what the analysis decodes, and never reads the film itself (docs/decisions/0009-proxies.md).
"""

import heapq
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from numpy.typing import NDArray

from backend.errors import Stopped
from backend.media.audio import read_sound
from backend.media.decode import Damage, build_timeline, decode, frame_ticks, prepare, reordered
from backend.media.display import Display
from backend.media.encode import FEED_FLAGS, Progress, binary, feed, known_filters
from backend.media.filters import TRANSFER_NAMES, even, tone_mapped
from backend.media.probe import AudioTrack, Probe, lacks_stamps, open_film, video_stream
from backend.media.source import Source, read_source
from backend.media.timeline import Timeline

MAX_SIDE = 1280
SOUND_RATE_HZ = 48_000
SILENCE_S = 10
PICTURE_SHARE = 0.9
WATCH_EVERY_S = 0.2
FINE_TIME_BASE = Fraction(1, 90_000)
# Without B-frames the order of coding is that of showing: a frame's place in the file is its number, seeking decodes
# less, and no edit list delays the picture, which players read in different ways.
PICTURE_OPTIONS = {
    "format": "mp4",
    "c:v": "libx264",
    "profile:v": "high",
    "preset": "veryfast",
    "crf": 23,
    "bf": 0,
    "pix_fmt": "yuv420p",
    "fps_mode": "passthrough",
}
SOUND_OPTIONS = {"format": "mp4", "c:a": "aac", "b:a": "160k"}
HDR_COLOUR = {"range": "tv", "colorspace": "bt2020nc", "color_primaries": "bt2020"}
COLOUR = {"range": "tv", "colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}


class Watch:
    """Passes progress on, and raises Stopped where the work is to end; asks a few times a second only."""

    def __init__(self, progress: Progress, stopped: Callable[[], bool]) -> None:
        self._progress, self._stopped, self._next_s = progress, stopped, 0.0

    def __call__(self, share: float) -> None:
        if time.monotonic() < self._next_s:
            return
        if self._stopped():
            raise Stopped
        self._progress(share)
        self._next_s = time.monotonic() + WATCH_EVERY_S


def proxy_size(source: Source) -> tuple[int, int]:
    """Width and height of the upright proxy, even, never enlarged."""
    shrink = min(1.0, MAX_SIDE / max(source.width, source.height))
    return even(source.width * shrink), even(source.height * shrink)


def write_picture(probe: Probe, picture: Path, target: Path, watch: Watch) -> Timeline:
    """Encode every frame of the film, one after the other at its nominal rate; tells when each is to be shown.

    `target` names the file in errors. Raises FilmUnreadable, OutputError and what `watch` raises.
    """
    source = read_source(probe.path)
    display = Display(source, *proxy_size(source))
    expected = max(1.0, float(probe.declared_duration_s * probe.rate))
    ticks: list[int | None] = []
    last_duration = 0

    def planes() -> Iterator[bytes]:
        nonlocal last_duration
        for frame in decode(container, stream, Damage(), "video"):
            ticks.append(frame_ticks(frame))
            last_duration = frame.duration or 0
            watch(PICTURE_SHARE * min(1.0, len(ticks) / expected))
            yield from display.push(frame)
        yield from display.finish()

    with open_film(probe.path) as container:
        stream = video_stream(container, probe.path)
        prepare(stream, fast=False)
        feed(_picture_command(probe, source, display.pixel_format, picture), target, planes())
        time_base = Fraction(stream.time_base or Fraction(1, 1000))
        stamps = reordered(ticks) if lacks_stamps(container, stream) else ticks
    return build_timeline(stamps, last_duration, time_base, probe.rate)[0]


def write_sound(probe: Probe, track: AudioTrack, timeline: Timeline, sound: Path, target: Path, watch: Watch) -> None:
    """Encode `track` as stereo, as long as the picture, filled up with silence; errors as of `write_picture`."""
    import ffmpeg

    samples = ffmpeg.input("pipe:0", format="f32le", ar=SOUND_RATE_HZ, ac=2)
    output = ffmpeg.output(samples, f"file:{sound.resolve()}", **SOUND_OPTIONS)
    feed(_words(output), target, _samples(probe, track, timeline, watch))


def join(picture: Path, sound: Path | None, whole: Path, timeline: Timeline) -> None:
    """Copy picture and sound into one file, its index first; each frame gets its time on the film's clock."""
    time_base, stamps = _stamps(timeline)
    with ExitStack() as stack:
        output = stack.enter_context(
            av.open(f"file:{whole.resolve()}", "w", format="mp4", options={"movflags": "+faststart"})
        )
        packets = [_stamped(_copied(stack, picture, output, time_base), time_base, stamps)]
        if sound:
            packets.append(_copied(stack, sound, output, Fraction(1, SOUND_RATE_HZ)))
        for packet in heapq.merge(*packets, key=lambda p: (p.dts or 0) * p.time_base):
            output.mux(packet)


def _picture_command(probe: Probe, source: Source, pixel_format: str, picture: Path) -> list[str]:
    import ffmpeg

    width, height = proxy_size(source)
    rate = str(probe.rate)
    frames = ffmpeg.input("pipe:0", format="rawvideo", pix_fmt=pixel_format, s=f"{width}x{height}", framerate=rate)
    if source.transfer:
        # Raw frames carry no tags, and zscale wants the whole set.
        frames = frames.filter("setparams", color_trc=TRANSFER_NAMES[source.transfer], **HDR_COLOUR)
        frames = tone_mapped(frames, source.transfer, "zscale" in known_filters())
    frames = frames.filter("format", "yuv420p").filter("setparams", **COLOUR)
    return _words(ffmpeg.output(frames, f"file:{picture.resolve()}", g=max(1, round(probe.rate)), **PICTURE_OPTIONS))


def _words(output: Any) -> list[str]:
    return [str(word) for word in output.global_args(*FEED_FLAGS).overwrite_output().compile(cmd=binary())]


def _samples(probe: Probe, track: AudioTrack, timeline: Timeline, watch: Watch) -> Iterator[bytes]:
    wanted = missing = round(timeline.duration_s * SOUND_RATE_HZ)
    for block in read_sound(probe, Damage(), track, "stereo", SOUND_RATE_HZ):
        watch(1 - (1 - PICTURE_SHARE) * missing / wanted)
        yield block[:missing].tobytes()
        missing -= min(missing, len(block))
        if not missing:
            return
    while missing:
        silence = np.zeros((min(missing, SILENCE_S * SOUND_RATE_HZ), 2), np.float32)
        yield silence.tobytes()
        missing -= len(silence)


def _stamps(timeline: Timeline) -> tuple[Fraction, NDArray[np.int64]]:
    """A time base (one frame where the rate is constant), and in it the start of each frame and the end of the last."""
    if timeline.pts is None or timeline.time_base is None:
        return 1 / timeline.rate, np.arange(timeline.frames + 1)
    ticks = np.round(timeline.pts * float(timeline.time_base / FINE_TIME_BASE)).astype(np.int64)
    # Frames closer to each other than a tick would else meet in one.
    order = np.arange(len(ticks))
    return FINE_TIME_BASE, np.maximum.accumulate(ticks - order) + order


def _copied(stack: ExitStack, part: Path, output: OutputContainer, time_base: Fraction) -> Iterator["Packet[Any]"]:
    """The packets of the only stream of `part`, addressed to its like in `output`, which counts time in `time_base`."""
    container: InputContainer = stack.enter_context(av.open(f"file:{part.resolve()}"))
    stream = output.add_stream_from_template(container.streams[0])
    stream.time_base = time_base
    return _addressed(container, stream)


def _addressed(container: InputContainer, stream: Any) -> Iterator["Packet[Any]"]:
    for packet in container.demux():
        if packet.dts is not None:
            packet.stream = stream
            yield packet


def _stamped(
    packets: Iterator["Packet[Any]"], time_base: Fraction, stamps: NDArray[np.int64]
) -> Iterator["Packet[Any]"]:
    # Whether there are as many packets as frames is seen when the whole is read back.
    for packet, (start, end) in zip(packets, itertools.pairwise(stamps.tolist()), strict=False):
        packet.time_base = time_base
        packet.pts = packet.dts = start
        packet.duration = end - start
        yield packet
