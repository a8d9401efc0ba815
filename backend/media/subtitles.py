"""What is said, where the film or a file beside it says so."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream

from backend.media.lines import SUBTITLES, Line
from backend.media.probe import Probe, open_film

MAX_SIDECAR_BYTES = 8 << 20
STYLES = re.compile(r"\{\\[^}]*\}")
BREAKS = re.compile(r"\\[Nnh]")
TEXT_CODECS = frozenset(("ass", "ssa", "subrip", "srt", "webvtt", "mov_text", "text"))


def read_track(probe: Probe) -> tuple[Line, ...]:
    """Lines of the first text track inside the film; every packet of the file is read for them."""
    with open_film(probe.path) as container:
        for stream in container.streams.subtitles:
            if stream.codec_context is not None and stream.codec_context.name in TEXT_CODECS:
                return tuple(_lines(container, stream, probe.start_time_s))
    return ()


def read_dialogue(probe: Probe, track: Callable[[Probe], tuple[Line, ...]] = read_track) -> tuple[Line, ...]:
    """Lines of the first subtitle file beside the film (`film.srt`, `film.en.srt`, `.vtt`, `.ass`), else what `track`
    gives where the film has subtitles inside; empty where there is neither.
    """
    for path in sidecars(probe.path):
        if lines := read_subtitles(path):
            return lines
    return track(probe) if probe.subtitles else ()


def sidecars(film: Path) -> list[Path]:
    """Subtitle files that bear the film's name, in order of their own."""
    try:
        beside = list(film.parent.iterdir())
    except OSError:  # a folder that can be passed through need not be one that can be listed
        return []
    found = [p for p in beside if p.suffix.lower() in SUBTITLES and p.name.startswith(f"{film.stem}.")]
    return sorted(p for p in found if p.is_file() and p.stat().st_size <= MAX_SIDECAR_BYTES)


def read_subtitles(path: Path) -> tuple[Line, ...]:
    """Lines of a subtitle file (SUBTITLES) in any encoding, in order of time; empty where it cannot be read as one."""
    try:
        text = _decoded(path.read_bytes())
        with av.open(io.BytesIO(text.encode()), "r", format=SUBTITLES[path.suffix.lower()]) as container:
            return tuple(_lines(container, container.streams.subtitles[0], 0.0))
    except (av.error.FFmpegError, OSError, IndexError, ValueError):
        return ()


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        best = from_bytes(raw).best()
        return str(best) if best else raw.decode("latin-1")


def _lines(container: InputContainer, stream: SubtitleStream, start_s: float) -> Iterator[Line]:
    for packet in container.demux(stream):
        if packet.pts is None or packet.time_base is None:
            continue
        at_s = float(packet.pts * packet.time_base) - start_s
        length_s = float((packet.duration or 0) * packet.time_base) or 2.0
        text = " ".join(_texts(packet)).strip()
        if text:
            yield Line(at_s, at_s + length_s, text)


def _texts(packet: "av.Packet[SubtitleStream]") -> Iterator[str]:
    try:
        for subtitle in packet.decode():
            raw = getattr(subtitle, "dialogue", b"") or b""
            yield " ".join(BREAKS.sub(" ", STYLES.sub("", raw.decode("utf-8", "replace"))).split())
    except av.error.FFmpegError:
        return
