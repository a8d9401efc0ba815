"""What a page knows before it asks the API anything: who looks, at which project, and the names of the menus."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from backend.library.models import ProjectPublic
from backend.library.service import projects_of
from backend.members.service import Principal
from backend.members.signin import principal_of
from backend.resources import Resources
from backend.scoring.presets import CONTENT, GENRES

PROJECT_COOKIE = "selects_project"


@dataclass(frozen=True)
class Boot:
    """Handed to the page as JSON. `project` is None for who is a member of none; `roots`: folders of films by path."""

    static: str
    person: str
    superuser: bool
    project: int | None
    projects: tuple[dict[str, Any], ...]
    content: dict[str, Any]
    genres: dict[str, Any]
    roots: tuple[str, ...]
    upload_limit_bytes: int

    @property
    def as_json(self) -> str:
        """Fit to stand inside a script element."""
        return json.dumps(asdict(self)).replace("<", "\\u003c")


def boot_of(request: Request, resources: Resources, static: str) -> Boot:
    """What the page for a request is to know; raises NotSignedIn."""
    who = principal_of(request)
    with Session(resources.reading) as session:
        projects = projects_of(session, who)
    settings = resources.settings
    return Boot(
        static=static,
        person=who.name,
        superuser=who.superuser,
        project=_current(request, projects),
        projects=tuple({"id": each.id, "name": each.name, "role": each.role} for each in projects),
        content={name: asdict(preset) for name, preset in CONTENT.items()},
        genres={name: asdict(preset) for name, preset in GENRES.items()},
        roots=tuple(str(root) for root in settings.media.roots) if _may_add(who, projects) else (),
        upload_limit_bytes=settings.upload_limit_bytes,
    )


def _current(request: Request, projects: list[ProjectPublic]) -> int | None:
    chosen = request.cookies.get(PROJECT_COOKIE, "")
    ids = [project.id for project in projects]
    return next((number for number in ids if str(number) == chosen), ids[0] if ids else None)


def _may_add(who: Principal, projects: list[ProjectPublic]) -> bool:
    return who.superuser or any(project.role != "viewer" for project in projects)
