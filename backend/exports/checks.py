"""What keeps a list from going out, in whatever format."""

from collections.abc import Callable, Iterable, Iterator

from backend.errors import ExportRefused
from backend.exports.base import ClipList, Concern

NAMED = 3
"""Reasons that a refusal says; the others are counted."""


def unusable(clip_list: ClipList) -> list[Concern]:
    """Nothing in it, or clips that their film does not have: such a list cannot even be laid out."""
    if not clip_list.clips:
        return [Concern("The list has no clips; add some.", stops=True)]
    if clip_list.rate <= 0:
        return [Concern("The list has no rate; choose its frames per second.", stops=True)]
    found = []
    for clip in clip_list.clips:
        if not 0 <= clip.start_frame < clip.end_frame <= clip.source.frames:
            there = f"frames {clip.start_frame} to {clip.end_frame}, and its film has {clip.source.frames}"
            found.append(Concern(f"The clip has {there}; trim it, or remove it.", stops=True, clip=clip.key))
    return found


def blocked(clip_list: ClipList) -> list[Concern]:
    """Clips that may not leave, and why."""
    return [Concern(why, stops=True, clip=clip.key) for clip in clip_list.clips for why in clip.blocked]


def refuse(clip_list: ClipList, concerns: Iterable[Concern]) -> None:
    """Raise ExportRefused, in words, where one of the concerns stops."""
    stops = [concern for concern in concerns if concern.stops]
    if not stops:
        return
    called = {clip.key: f"Clip {number} ({clip.name!r}): " for number, clip in enumerate(clip_list.clips, 1)}
    said = [called.get(concern.clip or "", "") + concern.words for concern in stops[:NAMED]]
    more = [f"And {len(stops) - NAMED} more."] if len(stops) > NAMED else []
    raise ExportRefused(" ".join([*said, *more]))


def guarded(
    pieces: Callable[[ClipList], Iterator[bytes]], concerns: Callable[[ClipList], list[Concern]] = lambda _: []
) -> Callable[[ClipList], Iterator[bytes]]:
    """An exporter's `write`: refused at the call, before the first piece, where something stops it."""

    def write(clip_list: ClipList) -> Iterator[bytes]:
        refuse(clip_list, [*blocked(clip_list), *(unusable(clip_list) or concerns(clip_list))])
        return pieces(clip_list)

    return write
