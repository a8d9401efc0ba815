"""Stills of a film at even times, with frame numbers as the scan counts them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from backend.errors import FilmUnreadable
from backend.media.decode import Damage, decode, frame_ticks, prepare
from backend.media.excerpts import Upright
from backend.media.probe import Probe, open_film, video_stream
from backend.media.timecode import source_timecode

EVERY_FRAMES = 48
"""So often a run says how far it is."""


@dataclass(frozen=True)
class Still:
    """A frame of a film: its number, its second, the source's own timecode, and a way to its picture.

    picture  makes RGB uint8 [height, width, 3], upright; to be called before the next still is asked for
    """

    frame: int
    second: float
    timecode: str
    picture: Callable[[], NDArray[np.uint8]]


def stills(
    probe: Probe, every_s: float, height: int, progress: Callable[[float], None] = lambda second: None
) -> Iterator[Still]:
    """The first frame at or after 0, `every_s`, 2 · `every_s` … seconds; at most `height` pixels on the shorter side.

    The film is decoded whole, since only counting gives frame numbers that hold where the rate varies or parts are
    damaged. Raises FilmUnreadable where no frame can be decoded.
    """
    with open_film(probe.path) as container:
        stream = video_stream(container, probe.path)
        prepare(stream, fast=False)
        upright = Upright(min(height, probe.height, probe.width), stream)
        base = Fraction(stream.time_base or Fraction(1, 1000))
        origin: int | None = None
        number, wanted = -1, 0
        for number, frame in enumerate(decode(container, stream, Damage(), "video")):
            tick = frame_ticks(frame)
            origin = tick if origin is None else origin
            second = float((tick - (origin or 0)) * base) if tick is not None else float(number / probe.rate)
            if number % EVERY_FRAMES == 0:
                progress(second)
            if second + 1e-6 >= wanted * every_s:
                wanted = int((second + 1e-6) / every_s) + 1
                code = source_timecode(probe.start_timecode, probe.rate, number)
                yield Still(number, second, code, partial(upright, frame))
    if number < 0:
        raise FilmUnreadable(probe.path.name, "not one frame of its video can be decoded")
