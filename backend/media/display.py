"""Decoded frames as a viewer sees them: deinterlaced, upright, square pixels, one size and one kind of colour."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from backend.media.source import Source

# As FFmpeg numbers them: 709, FCC, 470BG, 170M, 240M, 2020 and 2020 with constant luminance.
KNOWN_MATRICES = frozenset((1, 4, 5, 6, 7, 9, 10))
HD_HEIGHT = 720


class Display:
    """Turns frames into raw planes of one size, one out for each one in, in the same order.

    What comes out is `pixel_format`, limited range, BT.709; of HDR films ten bits in BT.2020, to be tone-mapped.
    """

    def __init__(self, source: Source, width: int, height: int) -> None:
        """`width` and `height` of the upright picture, even."""
        self._is_hdr = bool(source.transfer)
        self._interlaced = source.interlaced
        self._size = (width, height)
        self._scaler = VideoReformatter()
        self._weaver: _Deinterlacer | None = None
        self._turns = 0
        self.pixel_format = "yuv420p10le" if self._is_hdr else "yuv420p"

    def push(self, frame: VideoFrame) -> Iterator[bytes]:
        """The planes of frames that are ready; deinterlacing looks one frame ahead."""
        # The deinterlacer loses the turn on the way.
        self._turns = round((frame.rotation or 0) / 90) % 4
        self._interlaced = self._interlaced or frame.interlaced_frame
        if not self._interlaced:
            yield self._planes(frame)
            return
        if self._weaver and not self._weaver.takes(frame):
            yield from self.finish()
        if self._weaver is None:
            self._weaver = _Deinterlacer(frame)
        for made in self._weaver.push(frame):
            yield self._planes(made)

    def finish(self) -> Iterator[bytes]:
        """The planes of what is still held back."""
        if self._weaver:
            held, self._weaver = self._weaver, None
            for made in held.finish():
                yield self._planes(made)

    def _planes(self, frame: VideoFrame) -> bytes:
        width, height = reversed(self._size) if self._turns % 2 else self._size
        made = self._scaler.reformat(
            frame,
            width,
            height,
            self.pixel_format,
            src_colorspace=_matrix(frame),
            dst_colorspace=Colorspace.BT2020 if self._is_hdr else Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
        )
        return b"".join(np.rot90(plane, self._turns).tobytes() for plane in _arrays(made))


class _Deinterlacer:
    """FFmpeg's bwdif: a whole frame for each frame that is marked as interlaced, others as they are."""

    def __init__(self, first: VideoFrame) -> None:
        self._kind = _kind(first)
        self._count = 0
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=Fraction(1, 25)
        )
        bwdif = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        self._graph.link_nodes(source, bwdif, self._graph.add("buffersink")).configure()

    def takes(self, frame: VideoFrame) -> bool:
        """Whether the frame is of the kind that the filter was made for."""
        return _kind(frame) == self._kind

    def push(self, frame: VideoFrame) -> Iterator[VideoFrame]:
        frame.pts, frame.time_base = self._count, Fraction(1, 25)
        self._count += 1
        self._graph.vpush(frame)
        return self._ready()

    def finish(self) -> Iterator[VideoFrame]:
        self._graph.vpush(None)
        return self._ready()

    def _ready(self) -> Iterator[VideoFrame]:
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def _kind(frame: VideoFrame) -> tuple[object, ...]:
    return frame.width, frame.height, frame.format.name, int(frame.colorspace), int(frame.color_range)


def _matrix(frame: VideoFrame) -> Colorspace | None:
    """What the frame's colours must be taken for where it does not say: players go by its height."""
    if frame.format.is_rgb or int(frame.colorspace) in KNOWN_MATRICES:
        return None
    return Colorspace.ITU709 if frame.height >= HD_HEIGHT else Colorspace.ITU601


def _arrays(frame: VideoFrame) -> Iterator[NDArray[Any]]:
    """Planes [height, width] without the padding of their lines."""
    for plane in frame.planes:
        bytes_each = 1 if frame.format.components[0].bits == 8 else 2
        lines = np.frombuffer(memoryview(plane), f"u{bytes_each}").reshape(plane.height, -1)
        yield lines[:, : plane.width]
