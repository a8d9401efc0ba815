"""What a rendered clip turned out to be: its own file is asked, since it may have been made long ago."""

from collections.abc import Callable
from pathlib import Path

from backend.errors import FilmUnreadable
from backend.media.encode import MEASURE_FLAGS, binary, measure
from backend.media.loudness import Loudness, heard, measuring
from backend.media.probe import open_film


def frames_in(clip: Path) -> int:
    """How many frames a clip that was cut here has: 0 where it cannot be told."""
    try:
        with open_film(clip) as container:
            return int(container.streams.video[0].frames)
    except (FilmUnreadable, IndexError):
        return 0


def is_heard(clip: Path) -> bool:
    """Whether a clip that was cut here has sound."""
    try:
        with open_film(clip) as container:
            return bool(container.streams.audio)
    except FilmUnreadable:
        return False


def loudness_in(clip: Path, going_on: Callable[[], None] = lambda: None) -> Loudness:
    """How loud a clip that was cut here is. Ended if `going_on`, asked often, raises. Raises OutputError."""
    import ffmpeg

    sound = ffmpeg.input(f"file:{clip.resolve()}", f="mp4").audio
    output = ffmpeg.output(measuring(sound), "-", format="null").global_args(*MEASURE_FLAGS)
    return heard(measure([str(word) for word in output.compile(cmd=binary())], clip, going_on))
