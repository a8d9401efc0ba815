"""Whether a clip of a list may go out: a function over the entry, its candidate and its film, as they are now."""

from dataclasses import dataclass
from datetime import date

from backend.library.models import Candidate, Movie
from labeling.lists.models import ListEntry

SAID = {"reject": "rejected", "flag": "flagged", "skip": "skipped", "trimmed": "approved with other ends"}


@dataclass(frozen=True)
class Standing:
    """An entry with what there is of its candidate and of its film; either may be gone."""

    entry: ListEntry
    candidate: Candidate | None
    movie: Movie | None

    @property
    def approved(self) -> bool:
        """Whether curators approve it now, or an admin let it in."""
        return bool(self.entry.admitted_by) or (self.candidate is not None and self.candidate.verdict == "approve")

    @property
    def title(self) -> str:
        """The film's, as it is called now."""
        return self.movie.title if self.movie else self.entry.movie_title

    @property
    def duration_s(self) -> float:
        """How long it is."""
        return self.entry.end_s - self.entry.start_s


def blocked(one: Standing, today: date) -> tuple[str, ...]:
    """Why it may not go out, one sentence each; empty where it may. A film's rights count for each of its clips."""
    entry = one.entry
    own = (
        _rights("This clip", entry.rights, entry.rights_note),
        _embargo("This clip", entry.embargo_until, today),
        "" if one.approved else _not_approved(one),
    )
    return tuple(said for said in (*_of_film(one, today), *own) if said)


def _of_film(one: Standing, today: date) -> tuple[str, ...]:
    film = f"The film {one.title!r}"
    if one.movie is None:
        return (f"{film} is gone; add its file again, or take the clip out.",)
    if not one.movie.rate or not one.movie.frames:
        return (f"{film} is not analysed yet (it is {one.movie.state}); wait for it, or analyse it again.",)
    return (
        _rights(film, one.movie.rights, one.movie.rights_note),
        _embargo(film, one.movie.embargo_until, today),
    )


def _rights(what: str, rights: str, note: str) -> str:
    if rights != "blocked":
        return ""
    why = " ".join(note.split()).rstrip(".")
    return f"{what} may not be used: {why}." if why else f"{what} may not be used: its rights are blocked."


def _embargo(what: str, until: date | None, today: date) -> str:
    return f"{what} is under embargo until {until:%-d %B %Y}." if until and today < until else ""


def _not_approved(one: Standing) -> str:
    ways = "approve it, or take it out."
    if one.candidate is None:
        return f"Nobody approves it any more, its candidate is gone: {ways}"
    if said := SAID.get(one.candidate.verdict):
        return f"It is no longer approved, it was {said} since: {ways}"
    if one.candidate.decided:
        return f"It is no longer approved, that was taken back: {ways}"
    return f"Nobody has approved it yet: {ways}"
