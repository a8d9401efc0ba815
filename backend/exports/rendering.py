"""The clips of a list as video files: several at once, each made once, whatever else of the list fails.

A file's name is what is in it: film, frames, shape, fades, loudness, burnt-in lines. What is there already is not made
again, in another list either; an interrupted run goes on where it was.
"""

import hashlib
import json
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from backend.errors import InputError, SelectsError, Stopped, UnknownName
from backend.exports.base import Clip, ClipList
from backend.media.captions import said_in
from backend.media.crop import SHAPES, CropPath
from backend.media.finished import frames_in, is_heard, loudness_in
from backend.media.lines import Line
from backend.media.loudness import told
from backend.media.render import ClipFormat, ClipRequest, render_clip
from backend.store.media import present

Subtitles = Literal["none", "burnt", "sidecar"]
Framing = Callable[[Clip, int, int, str], CropPath | None]
"""Where the window of an upright or square clip lies: given the clip, its frames `[start, end)` with handles, and the
shape. The path's seconds count from `start`."""

RECIPE = 4
"""Raised when the same options give another picture or sound, so that what was made before is not handed out."""

WORKERS = 2
LOOK_EVERY_S = 0.2
MAX_FADE_S = 10.0
MAX_HANDLES = 1000
LOUDEST, QUIETEST = -5.0, -40.0


@dataclass(frozen=True)
class RenderOptions:
    """How clips are rendered. Raises InputError for what cannot be.

    shape      original, reels (9:16), square, or wide (16:9, with bars around what has another shape)
    fade_s     seconds in which picture and sound come out of black and silence, and end in them
    loudness   LUFS that each clip is brought to, -14.0 where platforms expect it; None leaves the sound as it is
    subtitles  none, burnt into the picture, or beside it as SRT and WebVTT
    handles    frames that are added at both ends, as far as the film has them
    """

    shape: ClipFormat = "original"
    fade_s: float = 0.0
    loudness: float | None = None
    subtitles: Subtitles = "none"
    handles: int = 0

    def __post_init__(self) -> None:
        for kind, name, known in (
            ("shape", self.shape, get_args(ClipFormat)),
            ("subtitles", self.subtitles, get_args(Subtitles)),
        ):
            if name not in known:
                raise UnknownName(kind, str(name), known)
        if not 0 <= self.fade_s <= MAX_FADE_S:
            raise InputError(f"A fade takes 0 to {MAX_FADE_S:g} seconds, not {self.fade_s:g}.")
        if self.loudness is not None and not QUIETEST <= self.loudness <= LOUDEST:
            raise InputError(f"Loudness is {QUIETEST:g} to {LOUDEST:g} LUFS, not {self.loudness:g}.")
        if not 0 <= self.handles <= MAX_HANDLES:
            raise InputError(f"Handles have 0 to {MAX_HANDLES} frames, not {self.handles}.")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RenderOptions":
        """From what `as_json` gave; what is missing is as it is by default. Raises InputError."""
        known = {each.name for each in fields(cls)}
        for name in values:
            if name not in known:
                raise UnknownName("option of rendered clips", name, known)
        try:
            return cls(**values)
        except TypeError as problem:
            raise InputError(f"These are no options of rendered clips: {problem}.") from None

    def as_json(self) -> dict[str, Any]:
        """All options by name, as JSON has values."""
        return asdict(self)


@dataclass(frozen=True)
class Rendered:
    """What became of a clip: a file at `path`, or a `problem` in words, ffmpeg's own where it was that which failed.

    start_frame, end_frame  of the film, handles included
    remark                  in words, what the file at `path` lacks: frames that the film's file does not give, loudness
                            that its peaks do not allow
    """

    clip: Clip
    start_frame: int
    end_frame: int
    path: Path | None = None
    problem: str = ""
    remark: str = ""


def rendered_lines(clip: Clip, options: RenderOptions) -> tuple[Line, ...]:
    """What is said in a rendered clip, in seconds from its first frame."""
    timeline, (start, end) = clip.source.times, clip.span(options.handles)
    return said_in(clip.lines, timeline.seconds(start), timeline.seconds(end))


def rendered_path(folder: Path, clip: Clip, options: RenderOptions, crop: CropPath | None = None) -> Path:
    """Where the clip lies or would lie: the name says all that its picture and sound are made of."""
    timeline, span = clip.source.times, clip.span(options.handles)
    burnt = rendered_lines(clip, options) if options.subtitles == "burnt" else ()
    made_of = {
        "recipe": RECIPE,
        "film": clip.source.sha256,
        "track": clip.source.audio_track,
        "frames": span,
        "seconds": [str(timeline.exact(frame)) for frame in span],
        "shape": options.shape,
        "fade_s": float(options.fade_s),
        "loudness": None if options.loudness is None else float(options.loudness),
        "lines": [(round(line.start_s, 3), round(line.end_s, 3), line.text) for line in burnt],
        "crop": None if crop is None else [crop.seconds.round(4).tolist(), crop.x.round(5).tolist()],
    }
    return folder / f"{hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:32]}.mp4"


def render_list(
    clip_list: ClipList,
    options: RenderOptions,
    folder: Path,
    framing: Framing = lambda clip, start, end, shape: None,
    progress: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
    workers: int = WORKERS,
) -> list[Rendered]:
    """Render every clip of a list into `folder`, up to `workers` at once; one `Rendered` a clip, in the list's order.

    framing    where upright and square clips look; without it at the middle
    progress   is given 0 … 1, by the thread that calls
    cancelled  is asked several times a second; where it says so, Stopped is raised and no ffmpeg is left

    A clip that fails leaves the others alone. What was finished stays and is not made again.
    """
    jobs = [_job(clip, options, folder, framing, cancelled) for clip in clip_list.clips]
    begun = {job.path: job for job in jobs if job.path is not None}
    # What is there already is listened to again where a loudness was asked for.
    if todo := [job for job in begun.values() if not job.there or options.loudness is not None]:
        _render(todo, workers, progress, cancelled)
    progress(1.0)
    return [_outcome(job, begun) for job in jobs]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Job:
    """A clip on its way: `share` of it is done. Without a `path` it cannot be begun."""

    clip: Clip
    options: RenderOptions
    crop: CropPath | None = None
    path: Path | None = None
    problem: str = ""
    loud: str = ""
    share: float = field(default=0.0)

    @property
    def there(self) -> bool:
        """Whether it was made before."""
        return self.path is not None and present(self.path).is_file()

    @property
    def frames(self) -> int:
        """How much work it is."""
        start, end = self.clip.span(self.options.handles)
        return max(1, end - start)


def _job(clip: Clip, options: RenderOptions, folder: Path, framing: Framing, cancelled: Callable[[], bool]) -> _Job:
    if cancelled():
        raise Stopped
    if clip.blocked:
        return _Job(clip, options, problem=" ".join(clip.blocked))
    try:
        crop = framing(clip, *clip.span(options.handles), options.shape) if options.shape in SHAPES else None
    except SelectsError as problem:
        return _Job(clip, options, problem=problem.detail)
    return _Job(clip, options, crop, rendered_path(folder, clip, options, crop))


def _outcome(job: _Job, begun: Mapping[Path, _Job]) -> Rendered:
    # A clip that is in the list twice was made once.
    done = begun[job.path] if job.path else job
    path = None if done.problem else job.path
    remark = " ".join(filter(None, [_lacking(job, path), done.loud]))
    return Rendered(job.clip, *job.clip.span(job.options.handles), path, done.problem, remark)


def _lacking(job: _Job, path: Path | None) -> str:
    if path is None or (found := frames_in(present(path))) == job.frames:
        return ""
    film = f"the film's file {job.clip.source.name!r} is damaged there"
    return f"It has {found:,} of {job.frames:,} frames, since {film}; add a whole copy of it, or trim the clip."


def _render(
    jobs: Sequence[_Job], workers: int, progress: Callable[[float], None], cancelled: Callable[[], bool]
) -> None:
    """Render them, the longest first, so that at the end none is waited for alone."""
    stop, total = threading.Event(), sum(job.frames for job in jobs)
    workers = max(1, min(workers, cores(), sum(not job.there for job in jobs)))
    threads = math.ceil(cores() / workers)
    with ThreadPoolExecutor(workers, "clips") as pool, _ending(stop):
        longest = sorted(jobs, key=lambda job: -job.frames)
        waiting: set[Future[None]] = {pool.submit(_make, job, threads, stop) for job in longest}
        while waiting:
            done, waiting = wait(waiting, LOOK_EVERY_S)
            for each in done:
                each.result()
            if cancelled():
                raise Stopped
            progress(min(1.0, sum(job.share * job.frames for job in jobs) / total))


@contextmanager
def _ending(stop: threading.Event) -> Iterator[None]:
    """A block after which no work goes on."""
    try:
        yield
    finally:
        stop.set()


def _make(job: _Job, threads: int, stop: threading.Event) -> None:
    def at(share: float) -> None:
        if stop.is_set():
            raise Stopped
        job.share = share

    if stop.is_set():
        return
    try:
        if not job.there:
            render_clip(_request(job, threads), at)
        job.share = 1.0
        job.loud = _loudness(job, lambda: at(1.0))
    except Stopped:
        return
    except SelectsError as problem:
        # The file's own name is a checksum, which says nothing to anybody.
        job.problem = problem.detail.replace(repr(job.path.name), "the clip") if job.path else problem.detail


def _loudness(job: _Job, going_on: Callable[[], None]) -> str:
    """In words, how the clip misses the loudness that was asked for."""
    assert job.path is not None
    file, wanted = present(job.path), job.options.loudness
    return told(wanted, loudness_in(file, going_on)) if wanted is not None and is_heard(file) else ""


def _request(job: _Job, threads: int) -> ClipRequest:
    clip, options = job.clip, job.options
    assert job.path is not None
    start, end = clip.span(options.handles)
    return ClipRequest(
        film=present(Path(clip.source.path)),
        target=job.path,
        start_frame=start,
        end_frame=end,
        timeline=clip.source.times,
        format=options.shape,
        crop=job.crop,
        seekable=clip.source.seekable,
        audio_track=clip.source.audio_track,
        fade_s=options.fade_s,
        lufs=options.loudness,
        lines=clip.lines if options.subtitles == "burnt" else (),
        threads=threads,
    )
