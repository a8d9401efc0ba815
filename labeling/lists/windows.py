"""Frames of a film that people set by hand: where they lie in time, and the candidate that stands for them."""

import uuid
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from sqlmodel import Session, col, select

from backend.database import in_parts
from backend.errors import Conflict, InputError
from backend.library.models import Candidate, Movie, Scene
from backend.members.service import Principal
from backend.resources import Resources
from labeling.decisions.service import keep
from labeling.decisions.shapes import DecisionNew
from labeling.decisions.trims import Cut, Windows, seconds_in, windows_of
from labeling.lists.standing import SAID


def cut_in(resources: Resources, movie: Movie, start_frame: int, end_frame: int) -> Cut:
    """Frames of a film with their seconds. Raises Conflict for a film that is not analysed, InputError for others."""
    if not movie.sha256 or not movie.rate or not movie.frames:
        raise Conflict(f"{movie.title!r} is {movie.state}; clips of it can be used when it is ready.")
    if start_frame >= end_frame:
        raise InputError("A clip must end after it starts.")
    if end_frame > movie.frames:
        raise InputError(f"The film has {movie.frames} frames; the clip cannot end at frame {end_frame}.")
    found = seconds_in(resources, movie, (start_frame, end_frame))
    rate = Fraction(movie.rate)
    start_s, end_s = found or (float(start_frame / rate), float(end_frame / rate))
    return Cut(start_frame, end_frame, start_s, end_s)


def windows_by_hand(session: Session, wanted: Iterable[tuple[Movie, Cut]], by: str) -> Windows:
    """The candidates with exactly these windows; "manual" where they are new. Does not commit.

    To be called before any candidate is locked; `windows_of` says why.
    """
    return windows_of(session, [(_film(session, movie, cut), cut) for movie, cut in wanted], by)


def lock(session: Session, candidates: Iterable[int]) -> None:
    """Lock candidates in one order, as those do who decide about several."""
    for part in in_parts(sorted(candidates)):
        named = select(Candidate.id).where(col(Candidate.id).in_(part)).order_by(col(Candidate.id))
        session.exec(named.with_for_update()).all()


def _film(session: Session, movie: Movie, cut: Cut) -> dict[str, Any]:
    here = (col(Scene.start_frame) <= cut.start_frame, col(Scene.end_frame) > cut.start_frame)
    scene = session.exec(select(Scene.number).where(col(Scene.movie_id) == movie.id, *here)).first()
    film = {"project_id": movie.project_id, "movie_id": movie.id, "movie_sha256": movie.sha256}
    return film | {"movie_title": movie.title, "source": "manual", "scene": scene or 0}


def approve_by_hand(session: Session, who: Principal, candidate: Candidate) -> None:
    """Say that who set a window approves it, where nobody does yet. Does not commit.

    Raises Conflict where curators said otherwise of it, NotAllowed.
    """
    if candidate.verdict == "approve":
        return
    if said := SAID.get(candidate.verdict):
        raise Conflict(f"Exactly these frames were {said} before; approve them in the review page, then add the clip.")
    keep(session, who, [DecisionNew(candidate=candidate.id or 0, verdict="approve", key=uuid.uuid4().hex)], [None])
    session.refresh(candidate)
