"""Which candidates are listed, and which stay when ranking or film go: those of people, and those they judged."""

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import Session, col

from backend.library.models import Candidate


def listed() -> ColumnElement[bool]:
    """Those of the last ranking, those made by hand, and those that people have judged and not taken back."""
    return col(Candidate.rank).is_not(None) | (col(Candidate.source) == "manual") | (col(Candidate.verdict) != "")


def let_go(session: Session, movie_id: int | None) -> None:
    """Remove the candidates of a film that nobody made or decided about; the others stay, without the film."""
    of_film = col(Candidate.movie_id) == movie_id
    session.execute(delete(Candidate).where(of_film, col(Candidate.source) == "ranking", col(Candidate.decided) == 0))
    session.execute(update(Candidate).where(of_film).values(movie_id=None, rank=None))


def leave_out(session: Session, movie_id: int, ids: list[int]) -> None:
    """Candidates of a film that a new ranking does not have: those that nobody made, judged or was asked about go."""
    without = col(Candidate.id).in_(ids)
    # One statement, so that a question or a decision of this very moment is seen.
    session.execute(
        delete(Candidate).where(
            without, col(Candidate.source) == "ranking", col(Candidate.decided) == 0, col(Candidate.asked).is_(False)
        )
    )
    # Those that were kept when the film was deleted come back to it.
    session.execute(update(Candidate).where(without).values(movie_id=movie_id))
    session.execute(update(Candidate).where(without, col(Candidate.source) == "ranking").values(rank=None))
