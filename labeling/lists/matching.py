"""Which of our films an edit means: by what we wrote, by path, by name, by reel."""

from collections.abc import Callable, Sequence

from backend.errors import InputError
from backend.exports.base import Source
from backend.exports.reels import LETTERS, eight, full_reel, wanted_reel
from labeling.lists.edits import Told
from labeling.references.cuts import plain_name


def film_of(told: Told, sources: Sequence[Source]) -> Source | None:
    """The film of a clip; None where it is none of them. Raises InputError where it could be several."""
    if told.stamp is not None and (found := [s for s in sources if s.sha256.startswith(told.stamp.film)]):
        return found[0]
    names = set(told.cut.names)
    ways: tuple[Callable[[Source], bool], ...] = (
        lambda film: bool(told.path) and told.path in (film.media_path, film.path),
        lambda film: plain_name(film.name) in names or plain_name(film.media_path) in names,
        lambda film: bool(film.title) and film.title.lower() in names,
        lambda film: bool(_reel(told)) and _reel(told) in _reels(film),
    )
    return _narrowed(sources, ways, told.name or next(iter(names), ""))


def film_with(sha256: str, called: Sequence[str], sources: Sequence[Source]) -> Source | None:
    """The film with this checksum, or with one of these paths and names."""
    if found := [film for film in sources if film.sha256 == sha256]:
        return found[0]
    wanted = {plain_name(name) for name in called if name}
    ways: tuple[Callable[[Source], bool], ...] = (
        lambda film: film.media_path in called or film.path in called,
        lambda film: plain_name(film.name) in wanted,
    )
    return _narrowed(sources, ways, next(iter(called), ""))


def _narrowed(sources: Sequence[Source], ways: Sequence[Callable[[Source], bool]], called: str) -> Source | None:
    """What the first way finds that finds any; the following ways choose among several."""
    left: list[Source] = []
    for way in ways:
        found = [film for film in left or sources if way(film)]
        left = found or left
        if len(left) == 1:
            return left[0]
    if left:
        same = ", ".join(repr(film.media_path) for film in left[:3])
        raise InputError(
            f"{called!r} could be from {same}: give the files different names or reels, and export it again."
        )
    return None


def _reel(told: Told) -> str:
    return told.reel.strip().lower()


def _reels(film: Source) -> set[str]:
    """Names of its reel, whole and as an EDL has room for."""
    whole = {wanted_reel(film), full_reel(film), film.stem}
    short = {name[:LETTERS] for name in whole} | {eight(name) for name in whole}
    return {name.lower() for name in whole | short if name}
