"""Entries as the API shows them."""

from collections.abc import Collection, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from sqlmodel import Session

from backend.clock import clock
from backend.exports.base import Source
from backend.exports.rates import standard_rate, ticks, timecodes
from backend.library.models import Movie
from labeling.lists.models import ListEntry, StoredList
from labeling.lists.rows import pictures, standing_of
from labeling.lists.service import shown, today
from labeling.lists.shapes import Changed, EntryPublic
from labeling.lists.standing import Standing, blocked

EVEN_S = Fraction(1, 1000)
"""What is farther than this from where a constant rate has it is of a film whose rate varies."""
FINEST = 1_000_000
"""No clock of a file ticks more often a second."""
SCORED = ("scene", "score", "viral", "compelling", "band", "reasons", "model", "verdict")
UNSCORED: dict[str, Any] = {
    "scene": 0,
    "score": None,
    "viral": None,
    "compelling": None,
    "band": "",
    "reasons": [],
    "model": "",
}


def entries(
    session: Session, clip_list: StoredList, limit: int | None = None, offset: int = 0
) -> tuple[list[EntryPublic], int]:
    """The clips of a list in order, and how many there are."""
    found = standing_of(session, clip_list)
    return public(session, found[offset : None if limit is None else offset + limit]), len(found)


def public(session: Session, clips: Sequence[Standing]) -> list[EntryPublic]:
    """Entries with what there is to say of each."""
    seen, day = pictures(session, clips), today()
    return [_public(clip, seen.get(clip.entry.id or 0), day) for clip in clips]


def answer(session: Session, clip_list: StoredList, touched: Collection[int]) -> Changed:
    """The list after a change, with the entries that it was about."""
    session.refresh(clip_list)
    about = [clip for clip in standing_of(session, clip_list) if clip.entry.id in touched]
    return Changed(clip_list=shown(session, [clip_list])[0], entries=public(session, about))


def name_of(clip: Standing) -> str:
    """What a clip is called: as people said, else its film's title and where it begins."""
    return clip.entry.name or f"{clip.title} {clock(clip.entry.start_s)}"


def _counted(movie: Movie | None, entry: ListEntry) -> dict[str, Any]:
    """Where it lies on its film's clock, as exports say it, by the seconds that it keeps: no file is read."""
    if movie is None or not movie.rate:
        return {"counted_rate": "", "timecodes": None}
    rate, number = Fraction(movie.rate), (entry.start_frame, entry.end_frame)
    seconds = [Fraction(each).limit_denominator(FINEST) for each in (entry.start_s, entry.end_s)]
    if any(abs(second - frame / rate) > EVEN_S for second, frame in zip(seconds, number, strict=True)):
        rate = standard_rate(rate)
        number = ticks(seconds[0], seconds[1], rate)
    film = Source(entry.movie_sha256, "", "", "", "", rate, movie.frames, movie.start_timecode)
    return {"counted_rate": str(rate), "timecodes": timecodes(film, *number)}


def _public(clip: Standing, picture: str | None, day: date) -> EntryPublic:
    entry, candidate, movie = clip.entry, clip.candidate, clip.movie
    window = (candidate.start_frame, candidate.end_frame) if candidate else (None, None)
    scored = {name: getattr(candidate, name) for name in SCORED} if candidate else {**UNSCORED, "verdict": ""}
    return EntryPublic.model_validate(
        entry.model_dump(exclude={"name"})
        | scored
        | {
            "movie_id": movie.id if movie else None,
            "movie_title": clip.title,
            "rate": movie.rate if movie else "",
            **_counted(movie, entry),
            "duration_s": clip.duration_s,
            "candidate_start_frame": window[0],
            "candidate_end_frame": window[1],
            "trimmed": candidate is not None and window != (entry.start_frame, entry.end_frame),
            "name": name_of(clip),
            "named": bool(entry.name),
            "approved": clip.approved,
            "blocked": list(blocked(clip, day)),
            "picture": picture,
        }
    )
