"""Files that are no film, and films with something wrong: each a function from a good film and a target to the target.

The good film has 150 frames at 25 a second, cuts at 2 and 4 s, and clicks at 1, 3 and 5 s (`tests.films`).
"""

import os
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from tests.films import make_film, run_ffmpeg

CUTS, CLICKS_S, FRAMES = (50, 100), (1.0, 3.0, 5.0), 150
Maker = Callable[[Path, Path], object]


def good_film(path: Path) -> Path:
    return make_film(path, frames=FRAMES, cuts=CUTS, clicks_s=CLICKS_S, gop=25, extra=["-movflags", "+faststart"])


def made(**wishes: object) -> Maker:
    """A film by `make_film`."""
    return lambda base, to: make_film(to, **{"frames": FRAMES, "cuts": CUTS, "clicks_s": CLICKS_S, **wishes})  # type: ignore[arg-type]


def ffmpeg(*arguments: str | Path) -> Maker:
    """What ffmpeg makes of the good film: `BASE` in the arguments is replaced by it."""
    return lambda base, to: run_ffmpeg(*(base if a == "BASE" else a for a in arguments), f"file:{to}")


def copied(base: Path, to: Path) -> bytes:
    run_ffmpeg("-i", base, "-c", "copy", f"file:{to}")
    return to.read_bytes()


def holding(content: bytes) -> Maker:
    return lambda base, to: to.write_bytes(content)


def cut_off(share: float) -> Maker:
    """The first part of the good film in the container of the target's suffix."""

    def make(base: Path, to: Path) -> None:
        whole = base.read_bytes() if to.suffix == ".mp4" else copied(base, to)
        to.write_bytes(whole[: int(len(whole) * share) | 1])

    return make


def without_index(base: Path, to: Path) -> None:
    """The index of this copy lay at its end, and the end is gone."""
    whole = copied(base, to)
    assert whole.index(b"mdat") < whole.index(b"moov")
    to.write_bytes(whole[: whole.index(b"moov") - 4])


def with_garbage(base: Path, to: Path) -> None:
    """Random bytes over a tenth of the stream, in the middle."""
    whole = base.read_bytes() if to.suffix == ".mp4" else copied(base, to)
    rubbish = random.Random(1).randbytes(len(whole) // 10)
    middle = len(whole) // 2
    to.write_bytes(whole[:middle] + rubbish + whole[middle + len(rubbish) :])


def picture(kind: str) -> Maker:
    def make(base: Path, to: Path) -> None:
        still = to.with_name(f"still.{kind}")
        run_ffmpeg("-i", base, "-frames:v", "1", still)
        still.rename(to)

    return make


def with_cover(base: Path, to: Path) -> None:
    """The good film's sound, with a picture for its cover."""
    cover, sound = to.with_name("cover.png"), to.with_name(f"sound{to.suffix}")
    run_ffmpeg("-i", base, "-frames:v", "1", cover)
    run_ffmpeg("-i", base, "-vn", sound)
    run_ffmpeg("-i", sound, "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-disposition:v", "attached_pic", to)


def film_with_cover(base: Path, to: Path) -> None:
    cover = to.with_name("cover.png")
    run_ffmpeg("-f", "lavfi", "-i", "color=red:s=640x640", "-frames:v", "1", cover)
    streams = [
        "-map",
        "1",
        "-map",
        "0",
        "-c",
        "copy",
        "-disposition:v:0",
        "attached_pic",
        "-disposition:v:1",
        "default",
    ]
    run_ffmpeg("-i", base, "-i", cover, *streams, to)


def two_pictures(base: Path, to: Path) -> None:
    """The second video stream is smaller and not the default one."""
    small = make_film(to.with_name("small.mp4"), frames=50, size=(160, 90), clicks_s=None)
    run_ffmpeg(
        "-i",
        small,
        "-i",
        base,
        "-map",
        "0:v",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:0",
        "0",
        "-disposition:v:1",
        "default",
        to,
    )


def joined(*starts_s: float) -> Maker:
    """MPEG-TS files of the good film put one behind the other by `cat`, each with its own start time."""

    def make(base: Path, to: Path) -> None:
        parts = []
        for start_s in starts_s:
            run_ffmpeg("-i", base, "-c", "copy", "-output_ts_offset", str(start_s), "-f", "mpegts", to)
            parts.append(to.read_bytes())
        to.write_bytes(b"".join(parts))

    return make


def sound_changes(base: Path, to: Path) -> None:
    """The first half has stereo at 48 kHz, the second mono at 22 kHz."""
    parts = []
    for start_s, extra in ((0, []), (6, ["-ac", "1", "-ar", "22050"])):
        run_ffmpeg(
            "-i", base, "-c:v", "copy", *extra, "-output_ts_offset", str(start_s), "-muxdelay", "0", "-f", "mpegts", to
        )
        parts.append(to.read_bytes())
    to.write_bytes(b"".join(parts))


def not_a_number(base: Path, to: Path) -> None:
    """Sound of floats, some of them NaN and infinite."""
    sound = struct.pack("<4f", 0.1, float("nan"), float("inf"), -0.1) * 12_000 * 6
    raw = to.with_name("sound.raw")
    raw.write_bytes(sound)
    shape = ["-f", "f32le", "-ar", "48000", "-ac", "1"]
    run_ffmpeg("-i", base, *shape, "-i", raw, "-map", "0:v", "-map", "1:a", "-c", "copy", to)


def motion_jpeg(header: tuple[int, int] | None, frames: tuple[int, int] | None) -> Maker:
    """Motion JPEG in AVI whose header, or whose every frame, declares this width and height."""

    def make(base: Path, to: Path) -> None:
        run_ffmpeg("-i", base, "-c:v", "mjpeg", "-an", to)
        content = bytearray(to.read_bytes())
        if header:
            at = content.index(b"avih") + 8 + 32
            content[at : at + 8] = struct.pack("<II", *header)
            at = content.index(b"strf") + 8 + 4
            content[at : at + 8] = struct.pack("<II", *header)
        at = -1
        while frames and (at := content.find(b"\xff\xc0\x00\x11\x08", at + 1)) >= 0:
            content[at + 5 : at + 9] = struct.pack(">HH", frames[1], frames[0])
        to.write_bytes(bytes(content))

    return make


def elsewhere(base: Path, to: Path) -> None:
    """A QuickTime film whose picture lies in another file, `other.mov` beside it, by an alias."""
    other = to.with_name("other.mov")
    whole = copied(base, other)
    path = str(other).encode()
    alias = bytes(10) + bytes([5]) + b"Macin".ljust(27, b"\0") + bytes(12) + bytes([len(other.name)])
    alias += other.name.encode().ljust(63, b"\0") + bytes(16) + struct.pack(">HH", 1, 1) + bytes(16)
    alias += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    to.write_bytes(_with_reference(whole, entry))


def _with_reference(content: bytes, entry: bytes) -> bytes:
    """The boxes of `content` with every data reference replaced."""
    out, at = b"", 0
    while at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        body = content[at + 8 : at + size]
        if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
            body = _with_reference(body, entry)
        if kind == b"dref":
            body = struct.pack(">II", 0, 1) + entry
        out += struct.pack(">I4s", 8 + len(body), kind) + body
        at += size
    return out


def fifo(base: Path, to: Path) -> None:
    os.mkfifo(to)


def unix_socket(base: Path, to: Path) -> None:
    here = Path.cwd()
    os.chdir(to.parent)  # a socket's name has 107 bytes at most
    try:
        with socket.socket(socket.AF_UNIX) as made_socket:
            made_socket.bind(to.name)
    finally:
        os.chdir(here)
