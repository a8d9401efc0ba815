"""`selects reference add`: a reference of a film of this library, from the terminal, waited for."""

from pathlib import Path

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from backend.analysis.checksum import checksums_file, film_checksum
from backend.errors import InputError, NotFound
from backend.ingesting import Show, follow
from backend.jobs.service import enqueue
from backend.library.models import Movie
from backend.media.probe import require_file
from backend.resources import Resources
from labeling.references import service
from labeling.references.models import Reference, ReferenceInterval
from labeling.references.places import references_home, require_reference_name
from labeling.references.shapes import IntervalPublic, ReferencePublic

Added = tuple[ReferencePublic, list[IntervalPublic]]


def add_reference(resources: Resources, film: str, path: Path, film_called: str, show: Show) -> Added:
    """Add a file of this machine to a film, named by number, title or path; gives what it shows when that is found.

    Raises NotFound, InputError, Conflict, and InputError with the reason where it cannot be aligned.
    """
    require_file(path)
    require_reference_name(path.name)
    path, base = path.resolve(), references_home(resources.home)
    base.mkdir(parents=True, exist_ok=True)
    with Session(resources.reading) as session:
        movie_id = find_movie(session, film).id
    sha256 = film_checksum(path, checksums_file(base))
    new = service.NewReference(path, "path", sha256, path.stat().st_size, film_called)
    with Session(resources.engine, expire_on_commit=False) as session:
        reference, job, _known = service.add(session, session.get_one(Movie, movie_id), new, "command line")
    if job is not None:
        enqueue(resources.queue, job)
        (ended,) = follow(resources, [job], lambda seen, _title: show(seen, path.name))
        if ended.state != "done":
            raise InputError(ended.problem or f"The job was {ended.state}.")
    return _found(resources, reference.id or 0)


def find_movie(session: Session, name: str) -> Movie:
    """The one film with this number, title or path; raises NotFound, InputError where several are meant."""
    by_id = col(Movie.id) == int(name) if name.isdecimal() and int(name) < 2**31 else None
    path = str(Path(name).resolve()) if "\0" not in name else ""
    by_name = or_(func.lower(Movie.title) == name.lower(), col(Movie.path) == path)
    found = session.exec(select(Movie).where(by_id)).all() if by_id is not None else []
    found = found or session.exec(select(Movie).where(by_name).order_by(col(Movie.id))).all()
    if not found:
        shown = name if by_id is not None else repr(name)
        raise NotFound(f"There is no film {shown} in the library; give its number, title or path.")
    if len(found) > 1:
        raise InputError(f"Several films are called {name!r}; give a number: {', '.join(str(m.id) for m in found)}.")
    return found[0]


def _found(resources: Resources, reference_id: int) -> Added:
    with Session(resources.reading) as session:
        reference = session.get_one(Reference, reference_id)
        own = select(ReferenceInterval).where(col(ReferenceInterval.reference_id) == reference_id)
        rows = session.exec(own.order_by(col(ReferenceInterval.number))).all()
        return service.shown(session, [reference])[0], [IntervalPublic.model_validate(row) for row in rows]
