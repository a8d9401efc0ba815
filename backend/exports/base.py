"""What an exporter is given, and what it says before it writes.

Time is integer frames of the source, counted from its first frame, and rational rates; a second or a timecode is made
of them where a format wants one, and never kept.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Literal

from backend.media.lines import Line
from backend.media.timeline import Timeline

RECORD_START_H = 1
"""An edit's own timecode begins at one hour, as edits do."""

MarkerKind = Literal["score", "reason", "note"]


@dataclass(frozen=True)
class Source:
    """A film as editing programs know it.

    name            its file's name with the ending, any characters
    path            where the server has it
    media_path      where the editor has it: `path` after the project's path mapping
    rate            frames per second; where it varies (`timeline` has times) the nominal one
    start_timecode  of its first frame, `;` before the frames where numbers are dropped; None: it counts from zero
    channels        of its sound, 0 where it has none; `sound_hz` samples a second
    reel, tape      as people named them, "" where the exporter shall make one of `name`
    audio_track     which of its tracks is heard, as `Movie.audio_track` counts them
    seekable        False where its time stamps jump, so that a frame is found only by counting (`Scan.seekable`)
    """

    sha256: str
    name: str
    path: str
    media_path: str
    title: str
    rate: Fraction
    frames: int
    start_timecode: str | None = None
    width: int = 1920
    height: int = 1080
    channels: int = 2
    sound_hz: int = 48_000
    reel: str = ""
    tape: str = ""
    timeline: Timeline | None = None
    audio_track: int = 0
    seekable: bool = True

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.name).stem or self.name

    @property
    def times(self) -> Timeline:
        """When each of its frames begins."""
        return self.timeline or Timeline(self.rate, self.frames)

    @property
    def varies(self) -> bool:
        """Whether its frames last differently long."""
        return self.timeline is not None and self.timeline.pts is not None


@dataclass(frozen=True)
class Marker:
    """Words on a frame of the source. `kind` lets a reader tell what we wrote from what people wrote."""

    frame: int
    words: str
    kind: MarkerKind = "note"


@dataclass(frozen=True)
class Clip:
    """Frames `[start_frame, end_frame)` of a source, in the list's order.

    key        of the list's entry: stays the same when the list is changed
    score      with `viral`, `compelling`, `band` and `reasons`, as `model` gave them; None where nothing scored it
    decisions  ids of the approvals that it stands on
    blocked    why it may not go out, in words, one sentence each; empty where it may
    lines      what is said in it
    picture    a JPEG of it, for formats that show pictures (`Exporter.shows_pictures`); empty where there is none
    """

    key: str
    source: Source
    start_frame: int
    end_frame: int
    name: str
    note: str = ""
    score: float | None = None
    viral: float | None = None
    compelling: float | None = None
    band: str = ""
    reasons: tuple[str, ...] = ()
    model: str = ""
    decisions: tuple[int, ...] = ()
    rights: str = ""
    embargo_until: date | None = None
    blocked: tuple[str, ...] = ()
    markers: tuple[Marker, ...] = ()
    lines: tuple[Line, ...] = ()
    picture: bytes = field(default=b"", repr=False)

    @property
    def frames(self) -> int:
        """How many it has."""
        return self.end_frame - self.start_frame

    def span(self, handles: int) -> tuple[int, int]:
        """Frames `[start, end)` of the source: its own, and so many more at both ends as far as the source has them."""
        return max(0, self.start_frame - handles), min(self.source.frames, self.end_frame + handles)


@dataclass(frozen=True)
class ClipList:
    """A named, ordered set of clips, all that an exporter needs: equal lists give equal bytes.

    rate      of the edit; that of the first clip's film unless somebody chose another
    drop      whether the edit's own timecode drops numbers (29.97 and 59.94 only)
    handles   frames that are added at both ends of each clip, as far as its film has them
    made_at   when it was frozen, in ISO 8601: the only time that a file may show
    """

    id: int
    name: str
    project: str
    clips: tuple[Clip, ...]
    rate: Fraction
    drop: bool = False
    handles: int = 0
    note: str = ""
    made_at: str = ""

    def span(self, clip: Clip) -> tuple[int, int]:
        """Frames of the source that are exported: the clip and its handles."""
        return clip.span(self.handles)


@dataclass(frozen=True)
class Concern:
    """What a format cannot carry, in a sentence that a person can act on.

    stops   True: there will be no file while this is so. False: the file is right but for this.
    clip    the entry's key; None where it is about the whole list
    """

    words: str
    stops: bool = False
    clip: str | None = None


@dataclass(frozen=True)
class Exporter:
    """One format. `write` gives the file in pieces and raises ExportRefused where `concerns` has one that stops.

    name        as in `?format=` and `--to`
    title       as people call it
    suffix      of the file, with its dot
    opens_in    programs that read it, for the page
    shows_pictures  whether it has a use for `Clip.picture`
    """

    name: str
    title: str
    suffix: str
    media_type: str
    write: Callable[[ClipList], Iterator[bytes]]
    concerns: Callable[[ClipList], list[Concern]] = field(default=lambda _: [])
    opens_in: str = ""
    shows_pictures: bool = False
