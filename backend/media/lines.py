"""What is said, line by line: all that subtitles, captions and exports need to share of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One subtitle: when it is on screen (seconds from the first video frame) and its text."""

    start_s: float
    end_s: float
    text: str
