"""Frames of a film in display order, whatever is wrong with the file."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av.container
import av.error
import av.packet
import numpy as np
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from backend.media.probe import LIMITS, standard_rate
from backend.media.timeline import Timeline

PLAUSIBLE_GAP_S = 600
LATE_FRAMES = 16
HOLE_S = 0.4


@dataclass
class Damage:
    """What could not be decoded, by stream ("video", "audio"); `warnings` says it to a person."""

    lost_packets: Counter[str] = field(default_factory=Counter)
    flawed_packets: Counter[str] = field(default_factory=Counter)
    ended_early: set[str] = field(default_factory=set)

    def warnings(self) -> list[str]:
        """One sentence for each kind of damage that was met."""
        lost = [
            f"{n} damaged part(s) of the {what} could not be decoded and are left out"
            for what, n in sorted(self.lost_packets.items())
        ]
        flaws = [
            f"{n} part(s) of the {what} are damaged and may look or sound wrong"
            for what, n in sorted(self.flawed_packets.items())
        ]
        ends = [
            f"the file ends in the middle of the {what}; what comes after is lost" for what in sorted(self.ended_early)
        ]
        return lost + flaws + ends


def packets(
    container: av.container.InputContainer, stream: Stream, damage: Damage, what: str
) -> Iterator["av.packet.Packet[Any]"]:
    """Packets of `stream` as far as the file goes, then the empty one that flushes the decoder."""
    found = container.demux(stream)
    while True:
        try:
            yield next(found)
        except StopIteration:
            return
        except (av.error.FFmpegError, OSError):
            damage.ended_early.add(what)
            flush = av.packet.Packet()
            flush.stream = stream
            yield flush
            return


def decode(container: av.container.InputContainer, stream: Stream, damage: Damage, what: str) -> Iterator[Any]:
    """Every frame of `stream` that can be decoded; what cannot is counted in `damage` and skipped."""
    for packet in packets(container, stream, damage, what):
        if packet.is_corrupt:
            damage.flawed_packets[what] += 1
        try:
            yield from packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            damage.lost_packets[what] += 1


def prepare(stream: VideoStream, *, fast: bool) -> None:
    """Set threads and, for `fast`, leave out the in-loop filter, which analysis at thumbnail size does not see."""
    context = stream.codec_context
    context.thread_type = "AUTO"
    # A few more than cores: while one frame is measured here, others are ready to go on.
    context.thread_count = (os.cpu_count() or 1) + 2
    context.options = {**context.options, **LIMITS}
    if fast:
        context.options = {**context.options, "skip_loop_filter": "all"}


def build_timeline(
    ticks: list[int | None], last_duration: int, time_base: Fraction, rate: Fraction
) -> tuple[Timeline, int]:
    """Frame times from the decoded pts (one per frame, in `time_base`).

    Timestamps that are missing, repeat or jump back are replaced by the frame before plus one frame length; a few that
    run ahead and are then overtaken by a clock that never stopped are spread between their neighbours. How many jumped
    is given too. The result is a plain rate where every frame lies within a fifth of a frame of it, else a
    pts table.
    """
    step = max(1, round(1 / (rate * time_base)))
    pts = np.zeros(len(ticks) + 1, np.int64)
    mended, origin, limit = 0, None, int(PLAUSIBLE_GAP_S / time_base)
    shift = 0
    for i, tick in enumerate(ticks):
        if origin is None and tick is not None:
            origin = tick
        if i == 0:
            continue
        value = pts[i - 1] + step if tick is None else tick - (origin or 0) + shift
        if value <= pts[i - 1] and (early := _ran_ahead(pts, i, int(value))):
            pts[i - early : i] = np.linspace(pts[i - early - 1], value, early + 2).astype(np.int64)[1:-1]
            mended += early
        elif not pts[i - 1] < value <= pts[i - 1] + limit:
            mended += 1
            shift += int(pts[i - 1] + step - value)
            value = pts[i - 1] + step
        pts[i] = value
    pts[-1] = pts[-2] + (last_duration if 0 < last_duration < limit else step) if ticks else 0
    for constant in (rate, _measured_rate(pts, time_base)):
        expected = np.arange(len(ticks)) / float(constant * time_base)
        if np.all(np.abs(pts[:-1] - expected) <= max(1.0, step / 5)):
            return Timeline(constant, len(ticks)), mended
    return Timeline(rate, len(ticks), time_base, pts), mended


def reordered(ticks: list[int | None]) -> list[int | None]:
    """Timestamps that were made in the order of decoding, in the order of showing."""
    # The last is the decoder's guess for a frame that came out when nothing more went in.
    return [*sorted(tick for tick in ticks if tick is not None)[:-1], *[None] * (ticks.count(None) + 1)][: len(ticks)]


def _ran_ahead(pts: NDArray[np.int64], i: int, value: int) -> int:
    """How many frames just before `i` (few, or 0) must have been stamped too late, if `value` is right for `i`."""
    for early in range(1, min(LATE_FRAMES, i - 1) + 1):
        if pts[i - early - 1] + early < value:
            return early
    return 0


def holes(timeline: Timeline) -> list[str]:
    """A sentence where pictures are missing from a film that otherwise runs at one rate; none where the rate varies."""
    if timeline.pts is None or timeline.time_base is None or timeline.frames < 3:
        return []
    steps_s = np.diff(timeline.pts[:-1]) * float(timeline.time_base)
    usual_s = float(np.median(steps_s))
    lost_s = steps_s[steps_s > max(HOLE_S, 4 * usual_s)] - usual_s
    if not len(lost_s) or np.mean(np.abs(steps_s - usual_s) <= usual_s / 5) < 0.9:
        return []
    places = f"{len(lost_s)} place(s), {lost_s.sum():.1f} s in all"
    return [f"pictures are missing at {places}; the picture before stands still there"]


def _measured_rate(pts: NDArray[np.int64], time_base: Fraction) -> Fraction:
    return standard_rate(1 / (int(np.median(np.diff(pts))) * time_base))


def frame_ticks(frame: VideoFrame) -> int | None:
    """When the frame is shown, in its stream's time base, or None where the file does not say."""
    return frame.pts if frame.pts is not None else frame.dts
