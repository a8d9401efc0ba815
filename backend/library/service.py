"""Projects and films: what is there, what comes in, what is changed and what is removed."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.clusters.removal import remove_items
from backend.database import utc_now
from backend.errors import NotFound
from backend.jobs.models import OPEN, Job
from backend.jobs.service import INGEST, new_job
from backend.library.kept import let_go
from backend.library.models import (
    Candidate,
    Movie,
    MovieFacts,
    Project,
    ProjectPublic,
)
from backend.library.places import derived_folders, poster_path, title_of, uploads_folder, uploads_lock
from backend.library.shapes import MovieChange
from backend.members.models import Membership, Role
from backend.members.service import Principal, require_part, require_role, role_in
from backend.resources import Resources
from backend.store.media import local, remove, there


def create_project(session: Session, who: Principal, name: str) -> Project:
    """A new project; whoever makes it is its admin."""
    project = Project(name=name)
    session.add(project)
    session.flush()
    if who.person_id and project.id:
        session.add(Membership(project_id=project.id, person_id=who.person_id, role="admin"))
    session.commit()
    session.refresh(project)
    return project


def projects_of(session: Session, who: Principal) -> list[ProjectPublic]:
    """The projects that a person is a member of, with the number of their films."""
    counted = select(Project, func.count(col(Movie.id))).join(
        Movie, col(Movie.project_id) == col(Project.id), isouter=True
    )
    rows = session.exec(counted.group_by(col(Project.id)).order_by(col(Project.id))).all()
    shown = []
    for project, movies in rows:
        role = role_in(session, who, project.id or 0)
        if role:
            shown.append(ProjectPublic.model_validate(project, update={"role": role, "movies": movies}))
    return shown


def project_for(session: Session, who: Principal, project_id: int | None, role: Role) -> int:
    """The project named, or the first in which the asker has at least `role`; raises NotFound or NotAllowed."""
    if project_id is None:
        own = projects_of(session, who)
        fitting = [p.id for p in own if p.role == "admin" or role == "viewer" or p.role == role]
        if not own:
            raise NotFound("You are not a member of any project; make one, or ask to be invited.")
        project_id = fitting[0] if fitting else own[0].id
    require_role(session, who, project_id, role)
    return project_id


def movie_named(session: Session, who: Principal, movie_id: int, role: Role = "viewer") -> Movie:
    """A film that the asker may see (or more); raises NotFound or NotAllowed."""
    return require_part(session, who, session.get(Movie, movie_id), f"film {movie_id}", role)


@dataclass(frozen=True)
class NewFilm:
    """A film that comes in. `sha256` is known of uploads and of files seen before; of others the job finds it."""

    path: Path
    source: str
    size_bytes: int
    facts: MovieFacts
    genres: tuple[str, ...] = ()
    sha256: str | None = None
    audio_track: int = 0
    profile: str = "embedded"


def add_movie(session: Session, project_id: int, film: NewFilm, by: str) -> tuple[Movie, Job | None, bool]:
    """The film's row, the job that will analyse it (None if that is done), and whether it was known.

    The same file is one film: by checksum where that is known, else by path until the job knows the checksum.
    """
    movie = _known_movie(session, project_id, film)
    known = movie is not None
    if movie is None:
        try:
            movie = _new_movie(session, project_id, film)
        except IntegrityError:  # the same file came in at the same moment
            session.rollback()
            movie, known = _known_movie(session, project_id, film), True
            if movie is None:
                raise
    if not there(Path(movie.path)):  # it was moved
        movie.path, movie.source = str(film.path), film.source
    job = _newest_ingest(session, movie.id or 0)
    same = movie.sha256 == film.sha256 if film.sha256 else movie.sha256 is None
    if known and same and (movie.state == "ready" or (job is not None and job.state in OPEN)):
        session.commit()
        return movie, None if movie.state == "ready" else job, True
    if movie.state != "ready":
        movie.state, movie.problem = "waiting", ""
    job = new_job(session, movie.project_id, movie.id, INGEST, {}, by)
    session.commit()
    session.refresh(movie)
    session.refresh(job)
    return movie, job, known


def _known_movie(session: Session, project_id: int, film: NewFilm) -> Movie | None:
    """The film at this path, whose file may be another one by now, else the one with this checksum."""
    here = col(Movie.path) == str(film.path)
    same = or_(here, col(Movie.sha256) == film.sha256) if film.sha256 else here
    found = session.exec(select(Movie).where(col(Movie.project_id) == project_id, same).with_for_update()).all()
    return min(found, key=lambda movie: (movie.path != str(film.path), movie.id), default=None)


def _new_movie(session: Session, project_id: int, film: NewFilm) -> Movie:
    facts = film.facts.model_dump()
    facts["title"] = facts["title"].strip() or title_of(film.path.name)
    movie = Movie(
        **facts,
        project_id=project_id,
        genres=list(film.genres),
        path=str(film.path),
        source=film.source,
        sha256=film.sha256,
        size_bytes=film.size_bytes,
        audio_track=film.audio_track,
        profile=film.profile,
    )
    session.add(movie)
    session.flush()
    return movie


def analyse_again(session: Session, movie: Movie, by: str) -> Job:
    """A job that analyses a film with today's settings; one that is open already is given instead."""
    job = _newest_ingest(session, movie.id or 0)
    if job is None or job.state not in OPEN:
        job = new_job(session, movie.project_id, movie.id, INGEST, {}, by)
        session.commit()
        session.refresh(job)
    return job


def change_movie(session: Session, movie: Movie, change: MovieChange) -> Movie:
    """Set what people say of a film."""
    values = change.model_dump(exclude_unset=True)
    for name, value in values.items():
        if value is not None or name in ("year", "embargo_until"):
            setattr(movie, name, value)
    session.add(movie)
    if "title" in values and movie.sha256:
        session.execute(update(Candidate).where(col(Candidate.movie_id) == movie.id).values(movie_title=movie.title))
    session.commit()
    session.refresh(movie)
    return movie


def delete_movie(session: Session, resources: Resources, movie: Movie, *, upload: bool = False) -> None:
    """Remove the rows of a film and what was made from it; never the film that a path names.

    Candidates that people made or decided about stay, with the film's checksum and title. The server's own copy of an
    uploaded film goes only where `upload` says so.
    """
    sha256, path, poster = movie.sha256, Path(movie.path), poster_path(resources.home, movie.id or 0)
    let_go(session, movie.id)
    session.execute(
        update(Job)
        .where(col(Job.movie_id) == movie.id, col(Job.state) == "queued")
        .values(state="cancelled", finished_at=utc_now())
    )
    session.execute(
        update(Job).where(col(Job.movie_id) == movie.id, col(Job.state) == "running").values(state="cancelling")
    )
    remove_items(session, resources, movie)
    session.delete(movie)
    session.commit()
    remove(poster)
    if sha256:
        remove_derived(resources, sha256)
    if upload:
        with uploads_lock(resources.home):
            remove_upload(resources, path)


def remove_derived(resources: Resources, sha256: str) -> None:
    """Remove what was made from a film that no row names any more."""
    with Session(resources.reading) as session:
        named = session.exec(select(Movie.id).where(col(Movie.sha256) == sha256)).first() is not None
    if not named:
        for folder in derived_folders(resources.home, sha256):
            remove(folder)


def remove_upload(resources: Resources, path: Path) -> None:
    """Remove the server's own copy of a film, unless a row names it; nothing else. Hold the lock of uploads."""
    path = local(path)
    if not path.is_relative_to(uploads_folder(resources.home)):
        return
    # Of a path, another machine's row has only the end in common with ours.
    ending = path.relative_to(resources.home).as_posix()
    with Session(resources.reading) as session:
        named = select(Movie.id).where(col(Movie.path).endswith(f"/{ending}", autoescape=True))
        if session.exec(named).first() is None:
            remove(path.parent)


def _newest_ingest(session: Session, movie_id: int) -> Job | None:
    ingests = select(Job).where(col(Job.movie_id) == movie_id, col(Job.kind) == INGEST)
    return session.exec(ingests.order_by(col(Job.created_at).desc())).first()
