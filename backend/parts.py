"""The parts that Selects is made of on one machine, and what must be there before they start."""

import sys
from pathlib import Path

from filelock import FileLock, Timeout
from sqlmodel import Session, select

from backend.errors import Conflict
from backend.jobs.queue import migrate_jobs
from backend.library.models import Project
from backend.members.service import owner
from backend.migrations.run import migrate
from backend.resources import Resources
from backend.search.chroma import chroma_child
from backend.settings import Settings
from backend.supervisor import Part

FIRST_PROJECT = "Library"


def prepare(resources: Resources) -> int:
    """Bring both databases up to date and give the id of the first project, which is made where there is none."""
    resources.home.mkdir(parents=True, exist_ok=True)
    migrate(resources.engine)
    migrate_jobs(resources.settings.jobs_url)
    with Session(resources.engine) as session:
        owner(session)
        project = session.exec(select(Project).order_by(Project.id)).first()  # type: ignore[arg-type]
        if project is None:
            project = Project(name=FIRST_PROJECT)
            session.add(project)
            session.commit()
            session.refresh(project)
        return project.id or 0


def hold(settings: Settings) -> FileLock:
    """The lock of whoever runs the parts of this home; raises Conflict where another process has it."""
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.home / "up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Conflict(f"Selects is running already with {str(settings.home)!r}; use that, or stop it first.") from None
    return lock


def chroma_part(settings: Settings) -> list[Part]:
    """The vector server, unless the settings name one that is run elsewhere."""
    child = chroma_child(settings.vectors, settings.home)
    if child is None:
        return []
    log = settings.home / "logs" / "vectors.log"
    return [Part("vectors", child.arguments, child.environment, log=log, lock=settings.home / "vectors.lock")]


def worker_part(number: int, queues: str, log: Path | None = None) -> Part:
    """A worker; what it says goes into `log` where that is given."""
    return Part(f"worker {number}", (*_selects(), "worker", "--queues", queues), log=log)


def trainer_part() -> Part:
    """What trains, and knows when to."""
    return Part("trainer", (*_selects(), "trainer"))


def server_part(settings: Settings) -> Part:
    """API and pages, where the settings say, which the command line may have changed."""
    where = {"SELECTS_SERVER__HOST": settings.server.host, "SELECTS_SERVER__PORT": str(settings.server.port)}
    return Part("server", (*_selects(), "serve"), where)


def _selects() -> tuple[str, ...]:
    return sys.executable, "-m", "backend"
