"""Projects and films: what is there, what comes in, what is changed and what is removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.clusters.removal import remove_items
from backend.database import utc_now
from backend.errors import NotFound
from backend.jobs.models import OPEN, Job
from backend.jobs.service import INGEST, new_job, public
from backend.library.genres import has_genre
from backend.library.kept import let_go, listed
from backend.library.models import Candidate, DialogueLine, Movie, MovieFacts, Project, ProjectPublic, Scene, Shot
from backend.library.places import derived_folders, poster_path, title_of, uploads_folder, uploads_lock
from backend.library.shapes import MovieChange, MoviePublic
from backend.members.models import Membership, Role
from backend.members.service import Principal, require_part, require_role, role_in
from backend.resources import Resources
from backend.store.media import local, remove, there

SORTS = {
    "newest": (col(Movie.created_at).desc(), col(Movie.id).desc()),
    "oldest": (col(Movie.created_at), col(Movie.id)),
    "title": (func.lower(Movie.title), col(Movie.id)),
    "year": (col(Movie.year).desc().nulls_last(), func.lower(Movie.title), col(Movie.id)),
    "longest": (col(Movie.duration_s).desc(), col(Movie.id)),
}


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


@dataclass(frozen=True)
class Wanted:
    """Which films are asked for, and in what order."""

    project_id: int
    text: str = ""
    genre: str = ""
    state: str = ""
    sort: str = "newest"


def list_movies(session: Session, wanted: Wanted, limit: int, offset: int) -> tuple[list[MoviePublic], int]:
    """Films of a project, and how many there are."""
    where = [col(Movie.project_id) == wanted.project_id]
    if wanted.text:
        where.append(func.lower(Movie.title).contains(wanted.text.lower(), autoescape=True))
    if wanted.state:
        where.append(col(Movie.state) == wanted.state)
    if wanted.genre:
        where.append(has_genre(col(Movie.genres), [wanted.genre], session.get_bind().dialect.name))
    total = session.exec(select(func.count()).select_from(Movie).where(*where)).one()
    found = select(Movie).where(*where).order_by(*SORTS[wanted.sort]).limit(limit).offset(offset)
    return shown(session, session.exec(found).all()), total


def shown(session: Session, movies: Sequence[Movie]) -> list[MoviePublic]:
    """Films as the API shows them, with what belongs to them counted in a few queries for all."""
    ids = [movie.id for movie in movies]
    counts = {table: _counts(session, table, ids) for table in (Shot, Scene, Candidate)}
    approvals = select(col(Candidate.movie_id), func.count()).where(
        col(Candidate.movie_id).in_(ids), col(Candidate.verdict) == "approve"
    )
    approved = dict(session.exec(approvals.group_by(col(Candidate.movie_id))).all())
    newest: dict[int | None, Job] = {}
    ingests = select(Job).where(col(Job.movie_id).in_(ids), col(Job.kind) == INGEST)
    for job in session.exec(ingests.order_by(col(Job.created_at))):
        newest[job.movie_id] = job
    made = []
    for movie in movies:
        of_movie = {table: of.get(movie.id, 0) for table, of in counts.items()}
        made.append(_shown(movie, of_movie, approved.get(movie.id, 0), newest.get(movie.id)))
    return made


def _shown(movie: Movie, counts: Mapping[Any, int], approved: int, job: Job | None) -> MoviePublic:
    analysed = bool(movie.scan_key)
    picture = f"/api/movies/{movie.id}/picture" if movie.poster or analysed else None
    return MoviePublic.model_validate(
        movie.model_dump()
        | {
            "file": Path(movie.path).name,
            "plays": bool(movie.rate),
            "has_poster": bool(movie.poster),
            "picture": picture,
            "shots": counts[Shot],
            "scenes": counts[Scene],
            "candidates": counts[Candidate],
            "approved": approved,
            "job": public(job, movie.title) if job else None,
        }
    )


def _counts(session: Session, table: type[Shot | Scene | Candidate], ids: Sequence[int | None]) -> dict[Any, int]:
    counted = select(col(table.movie_id), func.count()).where(col(table.movie_id).in_(ids))
    if table is Candidate:
        counted = counted.where(listed())
    return dict(session.exec(counted.group_by(col(table.movie_id))).all())


def count(session: Session, table: type[Shot | Scene | DialogueLine], movie: Movie) -> int:
    """How many rows of this kind a film has."""
    return session.exec(select(func.count()).select_from(table).where(col(table.movie_id) == movie.id)).one()


def _newest_ingest(session: Session, movie_id: int) -> Job | None:
    ingests = select(Job).where(col(Job.movie_id) == movie_id, col(Job.kind) == INGEST)
    return session.exec(ingests.order_by(col(Job.created_at).desc())).first()
