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

import av.container
import av.error
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.media.decode import Damage, packets

CODECS = frozenset(("h264", "hevc", "mpeg4", "mpeg2video"))
SPIKE = 2.0
RECENT_PACKETS = 15


def can_skip(stream: VideoStream) -> bool:
    """Whether frames of this codec can be left out: it marks what is referred to, and a packet is a frame."""
    return stream.codec_context.name in CODECS


def decode_sparse(
    container: av.container.InputContainer, stream: VideoStream, damage: Damage
) -> Iterator[tuple[list[int], VideoFrame]]:
    """Frames worth decoding in display order, each with the timestamps of those left out since the one before."""
    context = stream.codec_context
    waiting: list[int] = []
    recent: deque[int] = deque([0], RECENT_PACKETS)
    newest = None
    for packet in packets(container, stream, damage, "video"):
        if packet.pts is not None:
            heapq.heappush(waiting, packet.pts)
            if newest is None or packet.pts > newest:
                newest = packet.pts
                fresh = packet.is_keyframe or packet.size > SPIKE * median(recent)
                recent.append(packet.size)
                context.skip_frame = "DEFAULT" if fresh else "NONREF"
        try:
            frames = packet.decode()
        except av.error.EOFError:
            return
        except (av.error.FFmpegError, ValueError):
            damage.lost_packets["video"] += 1
            continue
        for frame in frames:
            if isinstance(frame, VideoFrame):
                yield _before(waiting, frame.pts), frame


def _before(waiting: list[int], pts: int | None) -> list[int]:
    """Take the timestamps before `pts`, and `pts` itself, off the heap of those waiting."""
    skipped = []
    while pts is not None and waiting and waiting[0] <= pts:
        at = heapq.heappop(waiting)
        if at < pts:
            skipped.append(at)
    return skipped
