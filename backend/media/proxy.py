"""A copy of a film that browsers play, whose frame k is frame k of the film as the analysis counts it.

The copy's clock is the film's: second 0 is the first frame, and `Timeline.seconds` of the scan holds for the copy too,
since both come from the same decoder and the same rules for time stamps (docs/decisions/0009-proxies.md).
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from backend.errors import InputError, OutputError
from backend.files import file_atomically, scratch_beside
from backend.media.encode import Progress
from backend.media.probe import AudioTrack, Probe
from backend.media.timeline import Timeline
from backend.media.transcode import Watch, join, write_picture, write_sound

PICTURES = {
    "mp4": frozenset(("h264", "vp9", "av1")),
    "mov": frozenset(("h264",)),
    "webm": frozenset(("vp8", "vp9", "av1")),
}
SOUNDS = {
    "mp4": frozenset(("aac", "mp3", "opus", "flac")),
    "mov": frozenset(("aac", "mp3")),
    "webm": frozenset(("vorbis", "opus")),
}
PIXELS = frozenset(("yuv420p", "yuvj420p"))
MAX_PLAYED_SIDE = 4096
WORDS = {
    "hevc": "HEVC",
    "mpeg1video": "MPEG-1",
    "mpeg2video": "MPEG-2",
    "mpeg4": "MPEG-4 part 2",
    "prores": "ProRes",
    "dnxhd": "DNxHD",
    "dvvideo": "DV",
    "mxf": "MXF",
    "mpegts": "an MPEG transport stream",
    "mpeg": "an MPEG program stream",
    "matroska": "Matroska",
}


@dataclass(frozen=True)
class ProxyMap:
    """Where the film's frames lie in its proxy, and what the proxy is like.

    seconds  float64 [frames + 1], on the proxy's clock the start of each frame of the film, last the end of the film
    """

    seconds: NDArray[np.float64]
    width: int
    height: int
    has_sound: bool

    @property
    def frames(self) -> int:
        """How many frames there are, in the film as in the proxy."""
        return len(self.seconds) - 1

    def seek_s(self, frame: int) -> float:
        """Where a player must seek to show `frame`: its middle, since players round starts in different ways."""
        return float(self.seconds[frame] + self.seconds[frame + 1]) / 2

    def fits(self, timeline: Timeline) -> bool:
        """Whether these are the frames of `timeline`, so that its seconds hold for the proxy: none is off by a half."""
        if timeline.frames != self.frames:
            return False
        starts = timeline.seconds_of(np.arange(self.frames + 1))
        return bool(np.all(np.abs(starts - self.seconds)[:-1] < np.diff(starts) / 2))


def needs_proxy(probe: Probe, audio_track: int = 0) -> str | None:
    """Why browsers do not play the film frame by frame as it is, as the end of a sentence; None where they do.

    `audio_track` as in `write_proxy`: a browser plays the first one only. Raises InputError.
    """
    track = _chosen(probe, audio_track)
    sound = _in_the_sound(probe, track) if track else ()
    return next(itertools.chain(_in_the_file(probe), _in_the_picture(probe), sound), None)


def _in_the_file(probe: Probe) -> Iterator[str]:
    if all(probe.codec not in played for played in PICTURES.values()):
        yield f"its picture is {_word(probe.codec)}, which browsers do not play"
    if probe.container not in PICTURES:
        yield f"it is {_word(probe.container)}, which browsers do not open"
    elif probe.codec not in PICTURES[probe.container]:
        yield f"browsers do not expect {_word(probe.codec)} in {_word(probe.container)}"


def _in_the_picture(probe: Probe) -> Iterator[str]:
    if probe.is_hdr:
        yield "its picture is HDR, which looks wrong on most screens"
    if probe.bits > 8:
        yield f"its picture has {probe.bits} bits a colour, browsers play 8"
    if probe.pixel_format not in PIXELS:
        yield f"its colours are stored as {probe.pixel_format}, browsers play 4:2:0"
    if probe.interlaced:
        yield "its picture is interlaced, which browsers show with combs"
    if max(probe.width, probe.height) > MAX_PLAYED_SIDE:
        yield f"its picture of {probe.width} x {probe.height} is too large to play smoothly"
    # Up to half a frame, seeking to a frame's middle still finds it.
    if abs(probe.start_time_s) * probe.rate > 0.5:
        yield f"its picture starts at {probe.start_time_s:.2f} s of its clock, which browsers count in different ways"


def _in_the_sound(probe: Probe, track: AudioTrack) -> Iterator[str]:
    if track.codec not in SOUNDS[probe.container]:
        yield f"its sound is {_word(track.codec)}, which browsers do not play there"
    if track.index != min(each.index for each in probe.audio):
        yield "browsers play its first audio track, and another one is wanted"


def write_proxy(
    probe: Probe,
    target: Path,
    audio_track: int = 0,
    progress: Progress = lambda share: None,
    stopped: Callable[[], bool] = lambda: False,
    confirm: Callable[[], None] = lambda: None,
) -> ProxyMap:
    """Write the proxy of `probe.path` to `target` (replaced if it is there): H.264 and AAC in MP4, at most 1280 a side.

    audio_track  which of `probe.audio` is heard; a film without sound gives a silent proxy
    progress     is given 0 … 1
    stopped      is asked several times a second; where it says so, Stopped is raised
    confirm      is called when it is whole, before it appears; raises where it must not

    Nothing is left where it fails. Raises FilmUnreadable, InputError (no such track) and OutputError, with ffmpeg's
    words where it has failed.
    """
    track = _chosen(probe, audio_track)
    watch = Watch(progress, stopped)
    with file_atomically(target) as whole, scratch_beside(target) as picture, scratch_beside(target) as sound:
        timeline = write_picture(probe, picture, target, watch)
        if track:
            write_sound(probe, track, timeline, sound, target, watch)
        join(picture, sound if track else None, whole, timeline)
        made = read_proxy_map(whole)
        if made is None or not made.fits(timeline):
            raise OutputError(f"Cannot write {target.name!r}: it came out with other frames than the film has.")
        confirm()
    progress(1.0)
    return made


def read_proxy_map(proxy: Path) -> ProxyMap | None:
    """The map of what `write_proxy` has written, from the file's index; None where there is no such file."""
    try:
        with av.open(f"file:{proxy.resolve()}", format="mp4", options={"protocol_whitelist": "file"}) as container:
            stream = container.streams.video[0]
            # Without B-frames the index, which is in the order of decoding, is in that of showing.
            ticks = [entry.timestamp for entry in stream.index_entries]
            ticks.append(ticks[0] + (stream.duration or 0))
            seconds = np.array(ticks, np.float64) * float(stream.time_base or 0)
            return ProxyMap(seconds, stream.width, stream.height, bool(container.streams.audio))
    except (av.error.FFmpegError, OSError, IndexError):
        return None


def _chosen(probe: Probe, audio_track: int) -> AudioTrack | None:
    if not 0 <= audio_track < max(1, len(probe.audio)):
        had = len(probe.audio)
        raise InputError(f"There is no audio track {audio_track}: {probe.path.name!r} has {had}, counted from 0.")
    return probe.audio[audio_track] if probe.audio else None


def _word(name: str) -> str:
    return WORDS.get(name, name.upper())
