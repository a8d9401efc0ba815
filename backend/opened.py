"""The library as a command opens it, whoever runs it may do all with it; and where a command writes."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import InputError

if TYPE_CHECKING:
    from backend.resources import Resources


@contextmanager
def resources_opened() -> Iterator["Resources"]:
    """What a command works with; what goes wrong beside the work is said on standard error."""
    import logging

    from backend.logs import set_up_logs
    from backend.resources import Resources
    from backend.settings import load_settings

    set_up_logs("command", logging.WARNING)
    resources = Resources(load_settings())
    try:
        yield resources
    finally:
        resources.close()


@contextmanager
def library_opened() -> Iterator["Resources"]:
    """The library, which must be there; raises DatabaseUnready."""
    from backend.migrations.run import require_current

    with resources_opened() as resources:
        require_current(resources.engine)
        yield resources


@contextmanager
def project_opened(project: int) -> Iterator["Resources"]:
    """The library with this project in it; raises InputError, DatabaseUnready."""
    from sqlmodel import Session

    from backend.library.models import Project

    with library_opened() as resources:
        with Session(resources.reading) as session:
            if session.get(Project, project) is None:
                raise InputError(f"There is no project {project}.")
        yield resources


def write_lines(lines: Iterable[str], out: Path | None) -> None:
    """Into a file, whole or not at all, or printed. Raises OutputError."""
    if out is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        sys.stdout.writelines(lines)
        return
    from backend.files import file_atomically

    with file_atomically(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
