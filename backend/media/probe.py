"""What a file holds, decoding only its first frame: streams, rate, timecode, colour; and the refusal of no film."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.container
import av.error
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from backend.errors import FilmUnreadable

# Only these demuxers may run. Left out are all that open other files (hls, dash, concat, image sequences, sdp …):
# nothing but the named file is ever opened.
FILM_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,mxf,mxf_opatom,ogg,gxf,dv,rm,nut,wtv,"
    "h264,hevc,obu,av1,ivf,yuv4mpegpipe,m4v,vc1,nsv,swf,vob,dhav"
)
# Opened only to say by name why they are no film.
OTHER_FORMATS = (
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,caf,amr,ape,tta,dts,opus,srt,ass,webvtt,microdvd,subviewer,mpl2,stl,scc,sup,"
    "png_pipe,jpeg_pipe,jpegls_pipe,bmp_pipe,tiff_pipe,webp_pipe,psd_pipe,exr_pipe,dpx_pipe,j2k_pipe,ppm_pipe,pgm_pipe,"
    "ico,svg_pipe,apng,gif,tty"
)
MAX_PIXELS = 8192 * 8192
LIMITS = {"max_pixels": str(MAX_PIXELS)}
PACKETS_TO_FIRST_FRAME = 5000
PICTURES = re.compile(r"_pipe$|^(ico|apng|gif)$")
SUBTITLES = frozenset(("srt", "ass", "webvtt", "microdvd", "subviewer", "mpl2", "stl", "scc", "sup"))
TRANSFERS = {1: "bt709", 6: "bt601", 13: "srgb", 14: "bt2020-10", 15: "bt2020-12", 16: "pq", 18: "hlg"}


@dataclass(frozen=True)
class AudioTrack:
    """One audio stream of a file; `index` counts all its streams, language and title are empty where it says none."""

    index: int
    codec: str
    channels: int
    sample_rate_hz: int
    language: str
    title: str

    @property
    def label(self) -> str:
        """What tells it from the others, for a list to choose from: `eng · Commentary · stereo · aac`."""
        layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(self.channels, f"{self.channels} channels")
        language = "" if self.language == "und" else self.language
        return " · ".join(part for part in (language, self.title, layout, self.codec) if part)


@dataclass(frozen=True)
class Probe:
    """What the header and the first frame of a film say. Width and height as stored.

    format     the demuxer's names; `container` is what it really is, where one demuxer reads several (mp4, mov, webm)
    bits       of one component of a pixel
    audio      tracks that can be decoded, the default one first
    """

    path: Path
    format: str
    container: str
    codec: str
    width: int
    height: int
    rate: Fraction
    declared_frames: int
    declared_duration_s: float
    start_time_s: float
    start_timecode: str | None
    transfer: str
    pixel_format: str
    bits: int
    interlaced: bool
    audio: tuple[AudioTrack, ...]
    subtitles: tuple[int, ...]

    @property
    def is_hdr(self) -> bool:
        """Whether the picture is coded for a high dynamic range (PQ or HLG)."""
        return self.transfer in ("pq", "hlg")


def require_file(path: Path) -> None:
    """Raise FilmUnreadable unless `path` is a readable regular file with something in it."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise FilmUnreadable(path.name, "there is no such file") from None
    except OSError as problem:
        raise FilmUnreadable(path.name, (problem.strerror or "it cannot be opened").lower()) from None
    if stat.S_ISDIR(found.st_mode):
        raise FilmUnreadable(path.name, "it is a directory; name one film file")
    if not stat.S_ISREG(found.st_mode):
        raise FilmUnreadable(path.name, "it is not a regular file")
    if found.st_size == 0:
        raise FilmUnreadable(path.name, "it is empty")
    if not os.access(path, os.R_OK):
        raise FilmUnreadable(path.name, "permission denied")
    try:
        with path.open("rb"):
            pass
    except OSError as problem:
        raise FilmUnreadable(path.name, (problem.strerror or "it cannot be opened").lower()) from None


@contextmanager
def open_film(path: Path) -> Iterator[av.container.InputContainer]:
    """The container of `path`, through the allowed demuxers only; raises FilmUnreadable.

    The absolute path behind `file:` keeps names with a leading dash, a colon or a percent sign from being taken for
    something else, and the protocol list keeps a header from naming another place.
    """
    require_file(path)
    options = {"format_whitelist": f"{FILM_FORMATS},{OTHER_FORMATS}", "protocol_whitelist": "file"}
    try:
        container = av.open(f"file:{path.resolve()}", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as problem:
        raise FilmUnreadable(path.name, _why_not(path, problem)) from None
    with container:
        yield container


def _why_not(path: Path, problem: Exception) -> str:
    with path.open("rb") as file:
        head = file.read(4096)
    text = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if text.startswith((b"#EXTM3U", b"ffconcat", b"[playlist]", b"<?xml", b"<MPD", b"v=0")):
        return "it is a playlist or script that points at other files, not a film"
    if b"ftyp" in head[4:12] or b"mdat" in head[4:64] or b"moov" in head[4:64]:
        return "its index (moov) is missing or broken; the copy is probably incomplete"
    if isinstance(problem, av.error.InvalidDataError):
        return "it is not a video, or its header is damaged"
    reason = getattr(problem, "strerror", None) or str(problem)
    return f"FFmpeg says: {reason}".rstrip(".")


def video_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    """The film's picture stream (cover art is none); raises FilmUnreadable naming what the file is instead."""
    name = container.format.name
    if PICTURES.search(name):
        raise FilmUnreadable(path.name, "it is a picture, not a film")
    if name in SUBTITLES:
        raise FilmUnreadable(path.name, "it holds subtitles only")
    streams = [
        s
        for s in container.streams.video
        if not s.disposition & s.disposition.attached_pic and s.codec_context is not None
    ]
    if not streams:
        kind = "audio" if container.streams.audio else "subtitles" if container.streams.subtitles else "data"
        raise FilmUnreadable(path.name, f"it holds {kind} only, no video")
    best = max(streams, key=lambda s: (s.disposition & s.disposition.default, s.width * s.height))
    if best.width <= 0 or best.height <= 0:
        raise FilmUnreadable(path.name, "its picture has no size; the file is probably damaged")
    if best.width * best.height > MAX_PIXELS:
        raise FilmUnreadable(path.name, f"it declares a picture of {best.width} x {best.height}, which is too large")
    return best


def first_frame(container: av.container.InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    """The first frame that can be decoded; raises FilmUnreadable where there is none."""
    stream.codec_context.options = {**stream.codec_context.options, **LIMITS}
    for count, packet in enumerate(container.demux(stream)):
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError):
            frames = []
        if frames:
            return frames[0]
        if count > PACKETS_TO_FIRST_FRAME:
            break
    raise FilmUnreadable(path.name, "not one frame of its video can be decoded")


def stamp_of(frame: VideoFrame) -> Fraction | None:
    """When the frame is shown, seconds of the container's clock, or None where the file does not say."""
    return None if frame.pts is None or not frame.time_base else frame.pts * Fraction(frame.time_base)


def stream_start_s(stream: Stream) -> Fraction:
    """When the stream starts, as its header says."""
    return Fraction((stream.start_time or 0) * (stream.time_base or 0))


def is_interlaced(frame: VideoFrame, stream: VideoStream) -> bool:
    """Whether frames are woven of two fields taken at different times, as the frame or the header says."""
    return frame.interlaced_frame or int(getattr(stream.codec_context, "field_order", 0) or 0) >= 2


def lacks_stamps(container: av.container.InputContainer, stream: VideoStream) -> bool:
    """AVI keeps no presentation times: with H.264's reordered frames each decoder guesses other ones."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def probe_film(path: Path) -> Probe:
    """Read the header and the first frame of `path`; raises FilmUnreadable with the reason."""
    with open_film(path) as container:
        stream = video_stream(container, path)
        context = stream.codec_context
        duration_s = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if not duration_s and container.duration:
            duration_s = container.duration / av.time_base
        pixel_format = context.format
        # Matroska's duration counts from the container's zero, not from the first frame.
        if container.format.name.startswith("matroska"):
            duration_s -= float(stream_start_s(stream))
        # Without its index an AVI is as long as the file goes; its header still says how many frames there were.
        if container.format.name == "avi":
            duration_s = max(duration_s, float(stream.frames * (stream.time_base or 0)))
        frame = first_frame(container, stream, path)
        stamp_s = stamp_of(frame)
        start_s = float(stream_start_s(stream) if stamp_s is None or lacks_stamps(container, stream) else stamp_s)
        return Probe(
            path=path,
            format=container.format.name,
            container=_container(container, path),
            codec=context.codec.canonical_name,
            width=stream.width,
            height=stream.height,
            rate=_rate(stream),
            declared_frames=stream.frames,
            declared_duration_s=max(duration_s, 0.0),
            start_time_s=start_s,
            start_timecode=_timecode(container, stream),
            transfer=TRANSFERS.get(int(context.color_trc or 0), ""),
            pixel_format=frame.format.name,
            bits=max((c.bits for c in pixel_format.components), default=8) if pixel_format else 8,
            interlaced=is_interlaced(frame, stream),
            audio=tuple(audio_tracks(container)),
            subtitles=tuple(s.index for s in container.streams.subtitles),
        )


def audio_tracks(container: av.container.InputContainer) -> list[AudioTrack]:
    """The tracks that can be decoded, the default one first."""
    tracks = []
    for stream in sorted(container.streams.audio, key=lambda s: not s.disposition & s.disposition.default):
        context = stream.codec_context
        if context is not None and context.channels:
            language, title = (str(stream.metadata.get(key, "")) for key in ("language", "title"))
            codec, rate_hz = context.codec.canonical_name, context.sample_rate or 0
            tracks.append(AudioTrack(stream.index, codec, context.channels, rate_hz, language, title))
    return tracks


def _container(container: av.container.InputContainer, path: Path) -> str:
    name = container.format.name
    if name.startswith("mov"):
        return "mov" if container.metadata.get("major_brand", "").strip() in ("qt", "") else "mp4"
    if name.startswith("matroska"):
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "matroska"
    return name


def _rate(stream: VideoStream) -> Fraction:
    """The nominal rate; absurd values of broken headers become 25."""
    for rate in (stream.guessed_rate, stream.average_rate, stream.base_rate):
        if rate and Fraction(1, 60) <= rate <= 1000:
            return standard_rate(Fraction(rate))
    return Fraction(25)


def standard_rate(rate: Fraction) -> Fraction:
    """The broadcast rate that a rounded one such as 29.97 or 23.976 stands for; others as they are.

    >>> standard_rate(Fraction(2997, 100))
    Fraction(30000, 1001)
    """
    whole = round(rate)
    for exact in (Fraction(whole), Fraction(whole * 1000, 1001)):
        if whole and abs(rate / exact - 1) < Fraction(2, 100_000):
            return exact
    return rate


def _timecode(container: av.container.InputContainer, stream: VideoStream) -> str | None:
    holders = [stream, *container.streams, container]
    for holder in holders:
        if value := holder.metadata.get("timecode"):
            return str(value)
    return None
