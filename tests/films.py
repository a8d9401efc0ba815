"""Tiny films for tests: known cuts, frame numbers that can be read back from the picture, clicks at known times.

`make_film` writes one, `read_film` decodes any film (a clip cut from one, say) and reads numbers and clicks back.
The number is a square of black and white blocks in the middle of the picture, half as high as the picture's short side,
so it survives scaling, H.264, tone mapping and centred crops of the long side.
"""

import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from backend.media.timeline import Timeline

COLUMNS, ROWS = 4, 5
PALETTE = ((150, 60, 50), (50, 110, 60), (60, 70, 160), (150, 140, 60), (120, 60, 140), (60, 140, 150))
SAMPLE_RATE_HZ = 48000
CLICK_S = 0.005


@dataclass(frozen=True)
class FilmReading:
    """What was read back: frame numbers and their times, click times (seconds, container clock), and stream facts."""

    numbers: tuple[int, ...]
    seconds: tuple[float, ...]
    clicks_s: tuple[float, ...]
    width: int
    height: int
    pixel_format: str
    codec: str
    audio_codec: str | None
    channels: int


def ffmpeg_exe() -> str:
    """The binary that comes with imageio-ffmpeg."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(*arguments: str | int | Path, data: bytes | None = None) -> None:
    """Run ffmpeg quietly, overwriting; raises CalledProcessError with its words on stderr."""
    command = [ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)]
    subprocess.run(command, input=data, check=True, stdin=None if data is not None else subprocess.DEVNULL)


def write_number(picture: NDArray[np.uint8], number: int) -> None:
    """Paint `number` (16 bits) into an RGB picture [height, width, 3], in place."""
    for (y, x), value in zip(_blocks(*picture.shape[:2]), [0, 255, 0, 255, *_bits(number)], strict=True):
        picture[y, x] = value


def read_frame_number(picture: NDArray[Any], side: float = 0.0) -> int:
    """The number in a grey or RGB picture [height, width(, 3)]; `side` of the square in pixels, if not the half."""
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    height, width = grey.shape
    values = [float(np.mean(_middle(grey[y, x]))) for y, x in _blocks(height, width, side)]
    middle = (values[0] + values[1] + values[2] + values[3]) / 4
    return sum(1 << bit for bit, value in enumerate(values[4:]) if value > middle)


def _bits(number: int) -> list[int]:
    return [255 if number >> bit & 1 else 0 for bit in range(16)]


def _blocks(height: int, width: int, side: float = 0.0) -> list[tuple[slice, slice]]:
    side = side or min(height, width) / 2
    top, left = (height - side) / 2, (width - side) / 2
    ys = [round(top + side * i / ROWS) for i in range(ROWS + 1)]
    xs = [round(left + side * i / COLUMNS) for i in range(COLUMNS + 1)]
    return [(slice(ys[r], ys[r + 1]), slice(xs[c], xs[c + 1])) for r in range(ROWS) for c in range(COLUMNS)]


def _middle(block: NDArray[Any]) -> NDArray[Any]:
    h, w = block.shape[0] // 4, block.shape[1] // 4
    return block[h : block.shape[0] - h, w : block.shape[1] - w]


def paint(number: int, scene: int, size: tuple[int, int], ramp: bool = False) -> NDArray[np.uint8]:
    """One frame: the scene's colour under a moving bar and the number; `ramp`: only grey, rising to the right."""
    width, height = size
    picture = np.empty((height, width, 3), np.uint8)
    if ramp:
        picture[:] = np.linspace(16, 235, width).astype(np.uint8)[None, :, None]
        return picture
    picture[:] = PALETTE[scene % len(PALETTE)]
    bar = (number * 3) % width
    picture[height - height // 8 :, bar : bar + width // 10] = 230
    write_number(picture, number)
    return picture


def clicks(seconds: Sequence[float], duration_s: float, channels: int) -> NDArray[np.int16]:
    """Sound [samples, channels] of short 2 kHz bursts that start at `seconds`."""
    sound = np.zeros((round(duration_s * SAMPLE_RATE_HZ), channels), np.int16)
    burst = (20000 * np.sin(2 * np.pi * 2000 * np.arange(round(CLICK_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)).astype(
        np.int16
    )
    for second in seconds:
        at = round(second * SAMPLE_RATE_HZ)
        part = sound[max(at, 0) : max(at + len(burst), 0)]
        if at >= 0 and len(part):
            part[:] = burst[: len(part), None]
    return sound


def make_film(
    path: Path,
    frames: int = 100,
    rate: Fraction | int = 25,
    size: tuple[int, int] = (320, 180),
    cuts: Sequence[int] = (),
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    gop: int = 48,
    clicks_s: Sequence[float] | None = (),
    channels: int = 2,
    audio_delay_s: float = 0.0,
    start_s: float = 0.0,
    durations_ms: Sequence[int] = (),
    rotation: int = 0,
    video: Sequence[str] = (),
    extra: Sequence[str] = (),
    ramp: bool = False,
) -> Path:
    """Write a film whose frame n carries the number n, with a new colour at each of `cuts`.

    clicks_s       starts of the clicks, seconds after the first frame; None: no sound at all
    audio_delay_s  the sound track starts so much later (clicks stay where `clicks_s` says)
    start_s        time of the first frame in the container
    durations_ms   varying rate: the lengths of the frames, repeated
    rotation       degrees that a player must turn the stored picture, counter-clockwise
    video, extra   more ffmpeg arguments: for the picture's encoder, for the file
    """
    scenes = np.searchsorted(np.asarray(cuts), np.arange(frames), side="right")
    pictures = b"".join(
        np.rot90(paint(n, int(scenes[n]), size, ramp), -rotation // 90).tobytes() for n in range(frames)
    )
    width, height = (size[1], size[0]) if rotation % 180 else size
    rate = Fraction(rate)
    inputs = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "pipe:0"]
    sound = path.with_name(path.name + ".wav")
    duration_s = _duration_s(frames, rate, durations_ms)
    if clicks_s is not None:
        _write_wav(sound, clicks([c - audio_delay_s for c in clicks_s], duration_s - max(audio_delay_s, 0), channels))
        inputs += ["-itsoffset", str(audio_delay_s), "-i", f"file:{sound}", "-c:a", "aac", "-b:a", "128k"]
    stamps = f"settb=1/1000,setpts='({_vfr(durations_ms)})/1000/TB'"
    timing = ["-vf", stamps, "-fps_mode", "passthrough", "-enc_time_base:v", "1/1000"]
    picture = ["-c:v", codec, "-pix_fmt", pixel_format, "-g", str(gop), *(timing if durations_ms else [])]
    speed = ["-preset", "ultrafast", "-bf", "2"] if codec == "libx264" else []
    whole = path if not rotation else path.with_name("stored_" + path.name)
    late = ["-output_ts_offset", str(start_s)] if start_s else []
    run_ffmpeg(*inputs, *picture, *speed, *video, *late, *extra, f"file:{whole}", data=pictures)
    if rotation:
        run_ffmpeg("-display_rotation", str(rotation), "-i", f"file:{whole}", "-c", "copy", f"file:{path}")
        whole.unlink()
    sound.unlink(missing_ok=True)
    return path


def _duration_s(frames: int, rate: Fraction, durations_ms: Sequence[int]) -> float:
    if not durations_ms:
        return float(frames / rate)
    return sum(durations_ms[n % len(durations_ms)] for n in range(frames)) / 1000


def _vfr(durations_ms: Sequence[int]) -> str:
    cycle = len(durations_ms)
    steps = "".join(f"+{ms}*gte(mod(N,{cycle}),{i + 1})" for i, ms in enumerate(durations_ms[:-1]))
    return f"floor(N/{cycle})*{sum(durations_ms)}{steps}"


def _write_wav(path: Path, sound: NDArray[np.int16]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(sound.tobytes())


def damaged(film: Path, first: int, last: int) -> Path:
    """The same film, with nothing where frames `[first, last)` and their sound were."""
    whole = bytearray(film.read_bytes())
    with av.open(str(film)) as container:
        shown = [packet for packet in container.demux(video=0) if packet.size]
    for packet in sorted(shown, key=lambda packet: packet.pts or 0)[first:last]:
        whole[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    made = film.with_name("damaged.mp4")
    made.write_bytes(whole)
    return made


def read_film(path: Path, side: float = 0.0) -> FilmReading:
    """Decode all of `path` and read frame numbers and clicks back; `side` as in read_frame_number."""
    numbers, seconds = [], []
    with av.open(f"file:{path}") as container:
        stream = container.streams.video[0]
        facts = (stream.width, stream.height, stream.codec_context.pix_fmt or "", stream.codec_context.name)
        for frame in container.decode(stream):
            picture = np.rot90(frame.to_ndarray(format="gray"), round(frame.rotation / 90))
            numbers.append(read_frame_number(picture, side))
            seconds.append(float(frame.time or 0))
    clicks_s, audio_codec, channels = _read_clicks(path)
    return FilmReading(tuple(numbers), tuple(seconds), clicks_s, *facts, audio_codec, channels)


def _read_clicks(path: Path) -> tuple[tuple[float, ...], str | None, int]:
    with av.open(f"file:{path}") as container:
        if not container.streams.audio:
            return (), None, 0
        stream = container.streams.audio[0]
        found: list[float] = []
        resampler = av.AudioResampler(format="flt", layout="mono")
        for frame in container.decode(stream):
            for mono in resampler.resample(frame):
                loud = np.flatnonzero(np.abs(mono.to_ndarray()[0]) > 0.1)
                for second in float(mono.time or 0) + loud / mono.sample_rate:
                    if not found or second - found[-1] > 0.1:
                        found.append(float(second))
        return tuple(found), stream.codec_context.name, stream.codec_context.channels


def timeline_of(film: Path, rate: Fraction) -> Timeline:
    """Frame times as a decoder gives them: a table where they do not fit the rate."""
    with av.open(f"file:{film}") as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        ticks = np.array([frame.pts if frame.pts is not None else 0 for frame in frames], np.int64)
        base = Fraction(stream.time_base or 1)
    ticks = np.append(ticks - ticks[0], ticks[-1] - ticks[0] + (frames[-1].duration or 1))
    plain = np.arange(len(ticks)) / float(rate * base)
    if film.suffix == ".avi" or np.all(np.abs(ticks - plain) <= max(1.0, 0.2 / float(rate * base))):
        return Timeline(rate, len(frames))
    return Timeline(rate, len(frames), base, ticks)
