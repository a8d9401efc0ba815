"""What is said, line by line: all that subtitles, captions and exports need to share of it."""

from dataclasses import dataclass

SUBTITLES = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass"}
"""Files that hold nothing but lines: by suffix the name of the format."""


@dataclass(frozen=True)
class Line:
    """One subtitle: when it is on screen (seconds from the first video frame) and its text."""

    start_s: float
    end_s: float
    text: str
