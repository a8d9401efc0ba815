"""References as they come in, are listed and withdrawn; what they label."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Integer, func, update
from sqlalchemy import cast as as_type
from sqlmodel import Session, col, select

from backend.database import insert_ignoring, utc_now
from backend.errors import Conflict, NotFound
from backend.jobs.models import OPEN, Job
from backend.jobs.service import REFERENCE, new_job, public
from backend.library.models import Movie
from backend.library.places import uploads_lock
from backend.members.models import Role
from backend.members.service import Principal, require_part
from backend.resources import Resources
from backend.store.media import there
from labeling.references.models import Reference, ReferenceInterval
from labeling.references.places import kind_of, references_home, tidy
from labeling.references.shapes import IntervalPublic, ReferencePublic, ReferenceState

STATES = {"queued": "waiting", "running": "working", "cancelling": "working", "done": "working"}
OUTDATED = "The film's file is another one by now; add the reference again."


@dataclass(frozen=True)
class NewReference:
    """A file that comes in."""

    path: Path
    source: str
    sha256: str
    size_bytes: int
    film_called: str = ""


def require_analysed(movie: Movie) -> None:
    """Raise Conflict for a film of which nothing is stored to align with."""
    if not movie.sha256 or not movie.scan_key:
        raise Conflict(f"{movie.title!r} is not analysed (it is {movie.state}); add the reference when it is.")


def add(session: Session, movie: Movie, new: NewReference, by: str) -> tuple[Reference, Job | None, bool]:
    """The row, the job that aligns it (None if that is done), and whether it was known. Commits; the caller enqueues.

    The same file is one reference of a film; one that failed, or that was aligned with another file of the film, is
    aligned anew. Raises Conflict for a film that is not analysed, and for the film itself.
    """
    require_analysed(movie)
    if new.sha256 == movie.sha256:
        raise Conflict(f"{new.path.name!r} is the film itself, no reference of it.")
    session.execute(insert_ignoring(session, Reference, ["movie_id", "sha256"]).values(_row(movie, new, by)))
    same = col(Reference.movie_id) == movie.id, col(Reference.sha256) == new.sha256
    reference = session.exec(select(Reference).where(*same).with_for_update()).one()
    job = session.get(Job, reference.job_id)
    known = job is not None
    if job is not None and (reference.aligned_at or job.state in OPEN) and _is_current(reference, movie, new):
        session.commit()
        return reference, None if reference.aligned_at else job, True
    if not there(Path(reference.path)):  # it was moved
        reference.path, reference.source = str(new.path), new.source
    reference.movie_sha256, reference.film_called, reference.aligned_at = movie.sha256 or "", new.film_called, None
    job = new_job(session, movie.project_id, movie.id, REFERENCE, {"reference": reference.id}, by)
    reference.job_id = job.id
    session.add(reference)
    session.commit()
    session.refresh(reference)
    session.refresh(job)
    return reference, job, known


def _row(movie: Movie, new: NewReference, by: str) -> dict[str, Any]:
    return Reference(
        project_id=movie.project_id,
        movie_id=movie.id or 0,
        movie_sha256=movie.sha256 or "",
        kind=kind_of(new.path),
        name=new.path.name,
        path=str(new.path),
        source=new.source,
        sha256=new.sha256,
        size_bytes=new.size_bytes,
        film_called=new.film_called,
        created_by=by,
    ).model_dump(exclude={"id"})


def _is_current(reference: Reference, movie: Movie, new: NewReference) -> bool:
    return (reference.movie_sha256, reference.film_called) == (movie.sha256, new.film_called)


def reference_named(session: Session, who: Principal, reference_id: int, role: Role = "viewer") -> Reference:
    """A reference that the asker may see (or more); raises NotFound or NotAllowed."""
    return require_part(session, who, session.get(Reference, reference_id), f"reference {reference_id}", role)


def list_references(
    session: Session, project_id: int, movie_id: int | None, limit: int, offset: int
) -> tuple[list[ReferencePublic], int]:
    """References of a project, or of one of its films, the newest first, and how many there are."""
    wanted = [col(Reference.project_id) == project_id]
    if movie_id is not None:
        wanted.append(col(Reference.movie_id) == movie_id)
    total = session.exec(select(func.count()).select_from(Reference).where(*wanted)).one()
    newest = select(Reference).where(*wanted).order_by(col(Reference.created_at).desc(), col(Reference.id).desc())
    return shown(session, session.exec(newest.limit(limit).offset(offset)).all()), total


def shown(session: Session, references: Sequence[Reference]) -> list[ReferencePublic]:
    """References as the API shows them."""
    ids = [reference.id for reference in references]
    withdrawn = func.sum(as_type(col(ReferenceInterval.withdrawn), Integer))
    counted = select(col(ReferenceInterval.reference_id), func.count(), withdrawn).where(
        col(ReferenceInterval.reference_id).in_(ids)
    )
    counts = {row[0]: row[1:] for row in session.exec(counted.group_by(col(ReferenceInterval.reference_id)))}
    found = select(Job).where(col(Job.id).in_([reference.job_id for reference in references]))
    jobs = {job.id: job for job in session.exec(found)}
    movies = {movie.id: movie for movie in session.exec(select(Movie).where(col(Movie.id).in_(_movies(references))))}
    return [
        _shown(reference, movies[reference.movie_id], jobs.get(reference.job_id), counts.get(reference.id or 0, (0, 0)))
        for reference in references
    ]


def _movies(references: Sequence[Reference]) -> set[int]:
    return {reference.movie_id for reference in references}


def _shown(reference: Reference, movie: Movie, job: Job | None, counts: Sequence[int]) -> ReferencePublic:
    state = STATES.get(job.state, job.state) if job else "waiting"
    problem = job.problem if job else ""
    if reference.movie_sha256 != movie.sha256:
        state, problem = "outdated", OUTDATED
    elif reference.aligned_at is not None:
        state, problem = "ready", ""
    return ReferencePublic.model_validate(
        reference.model_dump()
        | {
            "state": cast("ReferenceState", state),
            "problem": problem,
            "intervals": counts[0],
            "withdrawn": counts[1],
            "job": public(job, movie.title) if job else None,
        }
    )


def list_intervals(session: Session, reference: Reference, limit: int, offset: int) -> tuple[list[IntervalPublic], int]:
    """What a reference shows, withdrawn intervals too, in its order; and how many there are."""
    own = col(ReferenceInterval.reference_id) == reference.id
    total = session.exec(select(func.count()).select_from(ReferenceInterval).where(own)).one()
    ordered = select(ReferenceInterval).where(own).order_by(col(ReferenceInterval.number))
    rows = session.exec(ordered.limit(limit).offset(offset)).all()
    return [IntervalPublic.model_validate(row) for row in rows], total


def withdraw(
    session: Session, reference: Reference, interval_id: int, by: str, *, withdrawn: bool = True
) -> IntervalPublic:
    """Let an interval label nothing any more, or count again. Raises NotFound. Commits."""
    interval = session.get(ReferenceInterval, interval_id)
    if interval is None or interval.reference_id != reference.id:
        raise NotFound(f"The reference has no interval {interval_id}.")
    if interval.withdrawn != withdrawn:
        interval.withdrawn = withdrawn
        interval.withdrawn_by, interval.withdrawn_at = (by, utc_now()) if withdrawn else ("", None)
        session.add(interval)
        session.commit()
        session.refresh(interval)
    return IntervalPublic.model_validate(interval)


def remove(session: Session, resources: Resources, reference: Reference) -> None:
    """Remove a reference with all its labels, the server's own copy of it, and what was made of it. Commits."""
    job = col(Job.id) == reference.job_id
    ended = {"state": "cancelled", "finished_at": utc_now()}
    session.execute(update(Job).where(job, col(Job.state) == "queued").values(ended))
    session.execute(update(Job).where(job, col(Job.state) == "running").values(state="cancelling"))
    session.delete(reference)
    session.commit()
    with uploads_lock(references_home(resources.home)):
        tidy_references(resources)


def tidy_references(resources: Resources) -> None:
    """Remove files of references that no row names. Hold the lock of uploads."""
    with Session(resources.reading) as session:
        named = set(session.exec(select(Reference.sha256)).all())
    tidy(resources.home, named)
