"""Entries of lists with their candidates and films, in few queries for all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from backend.database import in_parts
from backend.library.models import Candidate, Movie, Shot
from backend.library.places import keyframe_address
from labeling.lists.models import ListEntry, StoredList
from labeling.lists.standing import Standing

CONDITIONS = 200
"""In one query: SQLite takes no expression that is nested deeper than 1,000."""


def standing_of(session: Session, clip_list: StoredList) -> list[Standing]:
    """All entries of a list in order."""
    return standings(session, [clip_list]).get(clip_list.id or 0, [])


def standings(session: Session, lists: Sequence[StoredList]) -> Mapping[int, list[Standing]]:
    """The entries of several lists, in the order of each, by the list's id."""
    found: dict[int, list[Standing]] = defaultdict(list)
    same_film = and_(
        col(Movie.sha256) == col(ListEntry.movie_sha256), col(Movie.project_id) == col(StoredList.project_id)
    )
    joined = (
        select(ListEntry, Candidate, Movie)
        .join(StoredList, col(StoredList.id) == col(ListEntry.list_id))
        .join(Candidate, col(Candidate.id) == col(ListEntry.candidate_id), isouter=True)
        .join(Movie, same_film, isouter=True)
        .order_by(col(ListEntry.list_id), col(ListEntry.position), col(ListEntry.id))
    )
    for ids in in_parts(each.id for each in lists):
        for entry, candidate, movie in session.exec(joined.where(col(ListEntry.list_id).in_(ids))).all():
            found[entry.list_id].append(Standing(entry, candidate, movie))
    return found


def keyframes(session: Session, clips: Iterable[Standing]) -> dict[int, tuple[Movie, int]]:
    """A keyframe from the middle of each clip, by the entry's id: its film and the frame; none without a film."""
    wanted: dict[int, tuple[Movie, int]] = {}
    for clip in clips:
        if clip.movie is not None:
            wanted[clip.entry.id or 0] = (clip.movie, (clip.entry.start_frame + clip.entry.end_frame) // 2)
    shots = _shots(session, {(movie.id or 0, frame) for movie, frame in wanted.values()})
    found = {}
    for entry, (movie, frame) in wanted.items():
        if near := shots.get((movie.id or 0, frame)):
            found[entry] = movie, min(near, key=lambda one: abs(one - frame))
    return found


def pictures(session: Session, clips: Iterable[Standing]) -> dict[int, str]:
    """Addresses of these keyframes, by the entry's id."""
    found = keyframes(session, clips)
    return {entry: keyframe_address(movie.id or 0, movie.sha256, frame) for entry, (movie, frame) in found.items()}


def _shots(session: Session, spots: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """The keyframes of the shots that these frames of films are in."""
    found = {}
    each = sorted(spots)
    for at in range(0, len(each), CONDITIONS):
        some = each[at : at + CONDITIONS]
        here = [
            and_(col(Shot.movie_id) == movie, col(Shot.start_frame) <= frame, col(Shot.end_frame) > frame)
            for movie, frame in some
        ]
        shots = session.exec(select(Shot).where(or_(*here))).all()
        for movie, frame in some:
            of = (shot for shot in shots if shot.movie_id == movie and shot.start_frame <= frame < shot.end_frame)
            found[movie, frame] = next((shot.keyframes for shot in of), [])
    return found
