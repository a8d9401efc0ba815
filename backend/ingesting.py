"""`selects ingest`: films of this machine into the library, with a bar for each, from the terminal."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlmodel import Session, col, select

from backend.analysis.checksum import checksums_file, remembered_checksum
from backend.errors import Conflict, FilmUnreadable, InputError
from backend.jobs.liveness import serving
from backend.jobs.models import OPEN, Job
from backend.jobs.queue import FILMS
from backend.jobs.service import enqueue
from backend.library.models import Movie, MovieFacts
from backend.library.places import films_in, require_text, title_of
from backend.library.service import NewFilm, add_movie
from backend.media.probe import require_file
from backend.parts import chroma_part, hold, prepare, worker_part
from backend.resources import Resources
from backend.supervisor import Supervisor

LOOK_EVERY_S = 0.5
Show = Callable[[Job, str], None]


def ingest(resources: Resources, paths: Sequence[Path], by: str, show: Show) -> list[Job]:
    """Add films to the first project and follow their jobs to the end; `show` is told of each job now and then.

    Gives one job for each film, also where nothing is left to do. Where no worker runs on this library, one is run for
    as long as this takes. Raises InputError for a path that is no film and no folder of films.
    """
    files = _files(paths)
    project = prepare(resources)
    jobs = [_add(resources, project, path, by, show) for path in files]
    ended = [job for job in jobs if job.state not in OPEN]
    return [*ended, *follow(resources, [job for job in jobs if job.state in OPEN], show)]


def follow(resources: Resources, jobs: Sequence[Job], show: Show) -> list[Job]:
    """Wait for jobs to end; where no worker runs on this library, run one for as long as this takes."""
    if not jobs:
        return []
    with ExitStack() as own:
        return _follow(resources, jobs, show, _Own(resources, own).look)


class _Own:
    """Parts of our own, for as long as no worker runs on this library: then nobody would do the jobs."""

    def __init__(self, resources: Resources, ending: ExitStack) -> None:
        self._resources, self._ending = resources, ending
        self._running: Supervisor | None = None

    def look(self) -> None:
        """Look after our parts, and start them where they are needed."""
        if self._running is not None:
            self._running.look()
        elif not self._is_served():
            settings = self._resources.settings
            try:
                self._ending.enter_context(hold(settings))
            except Conflict:  # `selects up` runs; its worker is being started again
                return
            vectors = [] if self._resources.chroma.healthy() else chroma_part(settings)
            worker = worker_part(1, "cpu,gpu", log=settings.home / "logs" / "worker.log")
            self._running = Supervisor([*vectors, worker])
            self._ending.callback(self._running.stop)

    def _is_served(self) -> bool:
        with Session(self._resources.reading) as session:
            return serving(session)[FILMS] > 0


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = films_in(path)
            if not found:
                raise InputError(f"There is no film in {str(path)!r}.")
            files += found
        else:
            require_file(path)
            files.append(path)
    return list(dict.fromkeys(path.resolve() for path in files))


def _add(resources: Resources, project: int, path: Path, by: str, show: Show) -> Job:
    """The film's job, also one that has ended already: of a film that is known, or that cannot be entered."""
    try:
        require_text(path)
        size_bytes, sha256 = path.stat().st_size, remembered_checksum(path, checksums_file(resources.home))
    except (FilmUnreadable, OSError) as problem:  # the others of its folder are taken in
        said = str(problem) if isinstance(problem, FilmUnreadable) else f"{path.name!r}: {problem.strerror}."
        refused = Job(id=f"refused-{path}", project_id=project, state="failed", problem=said)
        show(refused, title_of(path.name))
        return refused
    film = NewFilm(
        path=path,
        source="path",
        size_bytes=size_bytes,
        sha256=sha256,
        facts=MovieFacts(),
        profile=resources.settings.analysis.profile,
    )
    with Session(resources.engine, expire_on_commit=False) as session:
        movie, job, _known = add_movie(session, project, film, by)
        if job is None:
            known = Job(id=f"known-{movie.id}", project_id=project, state="done", fraction=1.0)
            show(known, f"{movie.title} (in the library already)")
            return known
    enqueue(resources.queue, job)
    show(job, movie.title)
    return job


def _follow(resources: Resources, jobs: Sequence[Job], show: Show, look: Callable[[], None]) -> list[Job]:
    ids = [job.id for job in jobs]
    while True:
        look()
        with Session(resources.reading) as session:
            wanted = select(Job, Movie.title).join(Movie, col(Movie.id) == col(Job.movie_id), isouter=True)
            rows = session.exec(wanted.where(col(Job.id).in_(ids))).all()
            session.expunge_all()
        for job, title in rows:
            show(job, title or "")
        if all(job.state not in OPEN for job, _ in rows):
            return [job for job, _ in rows]
        time.sleep(LOOK_EVERY_S)
