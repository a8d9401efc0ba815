"""Decoding only what can hold a cut, for `--fast`.

Frames that no other frame refers to are left out, unless the packet before them says that something new has come into
the picture. A new shot must be coded afresh, so the first packet of it that is shown later than all before it is a
keyframe or much larger than its neighbours; the frames between, shown before it, follow it in the file and are then
decoded as well, so that the cut is found to the frame. Measured in docs/decisions/0006-one-pass.md.
"""

import heapq
from collections import deque
from collections.abc import Iterator
from statistics import median
from typing import Any

import av.container
import av.error
import av.packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.media.decode import Damage, packets
from backend.media.probe import lacks_stamps

CODECS = frozenset(("h264", "hevc", "mpeg4", "mpeg2video"))
LOOP_FILTERED = frozenset(("h264", "hevc", "vp8", "vp9", "av1"))
DRIFT = 1.0
SPIKE = 2.0
RECENT_PACKETS = 15


def can_skip(container: av.container.InputContainer, stream: VideoStream) -> bool:
    """Whether frames can be left out: the codec marks what is referred to, a packet is a frame, and stamps are true."""
    return stream.codec_context.name in CODECS and not lacks_stamps(container, stream)


def keyframe_drift(stream: VideoStream, *, fast: bool) -> float:
    """How much of the change measured at a keyframe, 0 … 255, did not happen in the film.

    Where the in-loop filter is left out, pictures drift from what was coded until the next keyframe sets them right.
    The median over many encodings, see the same note.
    """
    return DRIFT if fast and stream.codec_context.name in LOOP_FILTERED else 0.0


def decode_sparse(
    container: av.container.InputContainer, stream: VideoStream, damage: Damage
) -> Iterator[tuple[list[int], VideoFrame]]:
    """Frames worth decoding in display order, each with the timestamps of those left out since the one before.

    From the first sign of damage on everything is decoded: what is lost must not be taken for what was left out.
    """
    context = stream.codec_context
    lookout, left_out = _Lookout(), _LeftOut()
    for packet in packets(container, stream, damage, "video"):
        if packet.is_corrupt:
            damage.flawed_packets["video"] += 1
        skip = lookout.may_skip(packet)
        context.skip_frame = "NONREF" if skip else "DEFAULT"
        if skip and packet.pts is not None:
            left_out.expect(packet.pts)
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            damage.lost_packets["video"] += 1
            lookout.trusting = False
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield left_out.before(frame.pts, jumped=lookout.jumped), frame


class _Lookout:
    """Watches packets in the order of the file and says from which ones frames may be left out."""

    def __init__(self) -> None:
        self.trusting, self.jumped = True, False
        self._recent: deque[int] = deque([0], RECENT_PACKETS)
        self._newest: int | None = None
        self._last: int | None = None
        self._fresh = True

    def may_skip(self, packet: "av.packet.Packet[Any]") -> bool:
        """Whether this packet may be left out if no other frame refers to it."""
        if packet.dts is not None:
            self.jumped |= self._last is not None and packet.dts < self._last
            self._last = packet.dts
        self.trusting &= not (packet.is_corrupt or self.jumped)
        if packet.pts is None:
            return False
        if self._newest is None or packet.pts > self._newest:
            self._newest = packet.pts
            self._fresh = packet.is_keyframe or packet.size > SPIKE * median(self._recent)
            self._recent.append(packet.size)
        return self.trusting and not self._fresh


class _LeftOut:
    """Timestamps of packets that may have been left out; those that no frame came of were."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._shown: int | None = None

    def expect(self, pts: int) -> None:
        """Take the timestamp of a packet that may be left out."""
        heapq.heappush(self._waiting, pts)

    def before(self, pts: int | None, *, jumped: bool) -> list[int]:
        """What was left out before the frame shown at `pts`; all of it where the clock has been set back (`jumped`)."""
        if pts is None:
            return []
        set_back = jumped and self._shown is not None and pts < self._shown
        self._shown = pts
        skipped = []
        while self._waiting and (set_back or self._waiting[0] <= pts):
            at = heapq.heappop(self._waiting)
            if at != pts:
                skipped.append(at)
        return skipped
