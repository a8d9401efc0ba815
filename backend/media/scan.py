"""The one decode pass over a film's picture: cuts, signals, keyframes and fingerprints."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from backend.errors import FilmUnreadable
from backend.media.bands import may_be_title
from backend.media.decode import Damage, build_timeline, decode, frame_ticks, holes, prepare, reordered
from backend.media.keyframes import HeldFrames, ShotPictures, shot_pictures
from backend.media.lettering import lettering_share
from backend.media.meter import FrameMeter, analysis_size
from backend.media.probe import Probe, lacks_stamps, open_film, video_stream
from backend.media.shots import Adaptive, CutDetector
from backend.media.sparse import can_skip, decode_sparse, keyframe_drift
from backend.media.timeline import Timeline
from backend.media.titles import TitleSpotter

PICTURE_WIDTH = 320
HELD_PER_S = 4
JUMP = 12.0
LETTERING_EVERY_S = 2
TS_PACKET_BYTES = (188, 192, 204)


@dataclass(frozen=True)
class Scan:
    """What one pass over the picture finds. F frames, N shots.

    shots         int64 [N, 2], `[start, end)` in frames
    signals       float32 [F, 6], columns in media.signals.FRAME_SIGNALS
    fingerprints  uint8 [F, 9, 16], luma miniatures
    lettering     float32 [M, 2], (frame, share of the picture that is text), about one row in two seconds
    titles        int64 [T, 2], `[start, end)` in frames: lettering over a moving picture, near the film's start and end
    keyframes     for each shot the frame numbers of its keyframes
    rotation_degrees  turn for viewing; pictures handed out are turned already
    seekable      false where timestamps jump, so that a frame is found only by counting
    """

    timeline: Timeline
    shots: NDArray[np.int64]
    signals: NDArray[np.float32]
    fingerprints: NDArray[np.uint8]
    lettering: NDArray[np.float32]
    titles: NDArray[np.int64]
    keyframes: tuple[tuple[int, ...], ...]
    rotation_degrees: int
    interlaced: bool
    seekable: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class ScanRequest:
    """How to scan. `fast` decodes only what can hold a cut; `clip_frames` are pictures per shot for video models."""

    fast: bool = False
    clip_frames: int = 0
    detector: CutDetector | None = None


class _Pictures:
    """Small frames and 320-wide pictures out of decoded ones, turned upright."""

    def __init__(self, probe: Probe) -> None:
        self._small = analysis_size(probe.width, probe.height)
        height = max(2, round(probe.height * PICTURE_WIDTH / probe.width / 2) * 2)
        self._large = (PICTURE_WIDTH, min(height, 4 * PICTURE_WIDTH))
        self._to_small, self._to_large = VideoReformatter(), VideoReformatter()

    def small(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """BGR uint8 of about 128 x 72."""
        # Straight to the small size with the cheapest filter: a full-size BGR picture costs more than the decoding.
        made = self._to_small.reformat(frame, *self._small, "bgr24", interpolation=Interpolation.FAST_BILINEAR)
        return np.asarray(made.to_ndarray(), np.uint8)

    def large(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """RGB uint8, 320 wide as stored, turned upright."""
        made = self._to_large.reformat(frame, *self._large, "rgb24", interpolation=Interpolation.FAST_BILINEAR)
        turns = round((frame.rotation or 0) / 90) % 4
        picture = np.asarray(made.to_ndarray(), np.uint8)
        return np.ascontiguousarray(np.rot90(picture, turns)) if turns else picture


def scan_film(
    probe: Probe,
    request: ScanRequest,
    on_shot: Callable[[ShotPictures], None],
    progress: Callable[[int], None] = lambda frames: None,
) -> Scan:
    """Decode the picture of `probe.path` once; `on_shot` gets each shot as soon as its end is known.

    Memory grows with the film by some 500 bytes a frame only. Raises FilmUnreadable where no frame can be decoded.
    """
    damage = Damage()
    with open_film(probe.path) as container:
        stream = video_stream(container, probe.path)
        prepare(stream, fast=request.fast)
        run = _Run(probe, request, on_shot, keyframe_drift(stream, fast=request.fast))
        for skipped, frame in _frames(container, stream, damage, request.fast):
            run.take(frame, skipped)
            if run.frames % 24 == 0:
                progress(run.frames)
        time_base = Fraction(stream.time_base or Fraction(1, 1000))
        ticks = reordered(run.ticks) if lacks_stamps(container, stream) else run.ticks
    if not run.frames:
        raise FilmUnreadable(probe.path.name, "not one frame of its video can be decoded")
    run.finish()
    progress(run.frames)
    timeline, mended = build_timeline(ticks, run.last_duration, time_base, probe.rate)
    return Scan(
        timeline=timeline,
        shots=np.array(run.shots, np.int64).reshape(-1, 2),
        signals=run.meter.signals(),
        fingerprints=run.meter.fingerprints(),
        lettering=np.array(run.lettering, np.float32).reshape(-1, 2),
        titles=np.minimum(run.spotter.titles([start for start, _ in run.shots[1:]]), run.frames),
        keyframes=tuple(run.keyframes),
        rotation_degrees=run.rotation,
        interlaced=run.interlaced,
        seekable=not mended,
        warnings=(*damage.warnings(), *holes(timeline), *_shortfall(probe, timeline, damage, mended), *_mended(mended)),
    )


def _frames(
    container: InputContainer, stream: VideoStream, damage: Damage, fast: bool
) -> Iterator[tuple[list[int], VideoFrame]]:
    """Each decoded frame, and the timestamps of those that were left out before it."""
    if fast and can_skip(container, stream):
        return decode_sparse(container, stream, damage)
    return (([], frame) for frame in decode(container, stream, damage, "video"))


def _mended(frames: int) -> list[str]:
    told = f"{frames} timestamp(s) jump or are missing; frames are counted on at the film's rate there"
    return [told] if frames else []


class _Run:
    """The state of one pass."""

    def __init__(
        self,
        probe: Probe,
        request: ScanRequest,
        on_shot: Callable[[ShotPictures], None],
        keyframe_drift: float,
    ) -> None:
        self.keyframe_drift = keyframe_drift
        self.detector = request.detector or Adaptive(probe.rate)
        self.clip_frames = request.clip_frames
        self.rate = probe.rate
        held_per_s = HELD_PER_S if not request.clip_frames else 2 * request.clip_frames
        self.held = HeldFrames(round(probe.rate / held_per_s))
        self.on_shot = on_shot
        self.pictures = _Pictures(probe)
        self.meter = FrameMeter()
        self.frames = self.last_duration = self.rotation = 0
        self.interlaced = False
        self.ticks: list[int | None] = []
        self.shots: list[tuple[int, int]] = []
        self.keyframes: list[tuple[int, ...]] = []
        self.lettering: list[tuple[int, float]] = []
        self.next_lettering = Fraction(0)
        self.spotter = TitleSpotter(probe.rate)
        # Asked for every frame, where a Fraction's arithmetic would show.
        self.frame_s, self.titles_wait = float(1 / probe.rate), round(probe.rate / HELD_PER_S)
        self.declared_s = probe.declared_duration_s

    def take(self, frame: VideoFrame, skipped: list[int]) -> None:
        """Take the next decoded frame, with the timestamps of frames before it that were left out."""
        if self.frames == 0:
            skipped = []
            self.rotation = round(frame.rotation or 0)
            self.interlaced = bool(frame.interlaced_frame)
        seen = self.meter.push(self.frames, self.pictures.small(frame), len(skipped))
        self.ticks += [*skipped, frame_ticks(frame)]
        self.frames += len(seen)
        self.last_duration = frame.duration or 0
        last = seen[-1]
        self.held.offer(last.number, lambda: self._picture(last.number, frame), jump=last.change > JUMP)
        # Of a long shot pictures are held more seldom than titles want them.
        if self._wants_titles(last.number - self.titles_wait):
            self._picture(last.number, frame)
        if frame.key_frame:
            seen[-1] = replace(last, change=max(0.0, last.change - self.keyframe_drift))
        for measured in seen:
            for cut in self.detector.push(measured):
                self._close(cut)

    def _picture(self, number: int, frame: VideoFrame) -> NDArray[np.uint8]:
        picture = self.pictures.large(frame)
        if number >= self.next_lettering:
            self.lettering.append((number, lettering_share(picture)))
            self.next_lettering = number + LETTERING_EVERY_S * self.rate
        if self._wants_titles(number):
            self.spotter.look(number, picture)
        return picture

    def _wants_titles(self, number: int) -> bool:
        at_s = max(0, number) * self.frame_s
        return self.spotter.due(number) and (not self.declared_s or may_be_title(at_s, self.declared_s))

    def finish(self) -> None:
        for cut in self.detector.finish():
            self._close(cut)
        self._close(self.frames)

    def _close(self, end: int) -> None:
        start = self.shots[-1][1] if self.shots else 0
        if end <= start:
            return
        motion = self.meter.motion(start, end)
        made = shot_pictures(len(self.shots), start, end, self.held.take(end), motion, self.clip_frames)
        self.shots.append((start, end))
        self.keyframes.append(made.keyframe_at)
        self.on_shot(made)


def _shortfall(probe: Probe, timeline: Timeline, damage: Damage, mended: int) -> list[str]:
    if damage.ended_early:
        return []
    if probe.format == "mpegts" and all(probe.path.stat().st_size % packet for packet in TS_PACKET_BYTES):
        return ["the file ends in the middle of a packet; what comes after is lost"]
    missing_s = probe.declared_duration_s - timeline.duration_s
    # Where time stamps jump, the header's duration is wrong, too.
    if mended or missing_s <= max(2.0, 0.02 * probe.declared_duration_s):
        return []
    promised, had = probe.declared_duration_s, timeline.duration_s
    return [f"the header promises {promised:.1f} s, only {had:.1f} s of video could be decoded"]
