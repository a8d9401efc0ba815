"""What goes along on a clip as markers: its score and reasons, and what people wrote on its frames."""

from collections.abc import Iterator

from backend.exports.base import Clip, ClipList, Marker, MarkerKind
from backend.exports.layout import Event
from backend.exports.rates import counted
from backend.exports.words import as_score, one_line

COLOURS: dict[MarkerKind, str] = {"score": "GREEN", "reason": "CYAN", "note": "YELLOW"}


def score_words(clip: Clip) -> str:
    """`Score 0.83, good (viral 0.71, compelling 0.90)`; empty where nothing scored it."""
    if as_score(clip.score) is None:
        return ""
    both = (("viral", as_score(clip.viral)), ("compelling", as_score(clip.compelling)))
    parts = [f"{name} {value:.2f}" for name, value in both if value is not None]
    band = f", {one_line(clip.band)}" if clip.band else ""
    return f"Score {clip.score:.2f}{band}" + (f" ({', '.join(parts)})" if parts else "")


def markers(event: Event) -> Iterator[tuple[int, Marker]]:
    """Score and reasons on the clip's first frame, then its markers that are exported with it.

    With each the number of its frame, as the edit counts the film from its first one.
    """
    clip = event.clip
    if words := score_words(clip):
        yield _at(event, clip.start_frame), Marker(clip.start_frame, words, "score")
    for reason in clip.reasons:
        yield _at(event, clip.start_frame), Marker(clip.start_frame, reason, "reason")
    for marker in clip.markers:
        if event.first <= marker.frame < event.end:
            yield _at(event, marker.frame), marker


def unseen(clip_list: ClipList, clip: Clip) -> int:
    """How many of its markers lie on frames that are not exported."""
    first, end = clip_list.span(clip)
    return sum(not first <= marker.frame < end for marker in clip.markers)


def _at(event: Event, frame: int) -> int:
    # Where the rate varies several frames may have one number, and the last one that behind the clip.
    return min(max(event.source_in, counted(event.source, frame)), event.source_out - 1)
