"""What the commands of lists do: as the library's owner, on the machine that holds it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.answers import said_of
from backend.errors import InputError, NotFound
from backend.exports.rendering import RenderOptions
from backend.files import file_atomically
from backend.ingesting import follow
from backend.jobs.service import enqueue
from backend.members.service import Principal, owner, principal
from backend.resources import Resources
from labeling.lists import ruling
from labeling.lists.downloads import file_name
from labeling.lists.exporting import Made, export, preflight
from labeling.lists.importing import bring_in
from labeling.lists.models import StoredList
from labeling.lists.rendering import start
from labeling.lists.service import create, shown
from labeling.lists.shapes import ListByRule
from labeling.lists.showing import entries

BY = "command line"
TOLD = 12
Facts = dict[str, Any]


def find_list(resources: Resources, name: str) -> int:
    """The one list with this number or name; raises NotFound, InputError where several are meant."""
    by_id = col(StoredList.id) == int(name) if name.isdecimal() and int(name) < 2**31 else None
    with Session(resources.reading) as session:
        found = session.exec(select(StoredList).where(by_id)).all() if by_id is not None else []
        called = func.lower(StoredList.name) == name.lower()
        found = found or session.exec(select(StoredList).where(called).order_by(col(StoredList.id))).all()
        ids = [each.id or 0 for each in found]
    if not ids:
        raise NotFound(f"There is no list {name!r}; `selects lists list` says which there are.")
    if len(ids) > 1:
        raise InputError(f"Several lists are called {name!r}; give a number: {', '.join(map(str, ids))}.")
    return ids[0]


def told(resources: Resources, list_id: int, form: str) -> list[str]:
    """What the format cannot carry of the list, clip by clip; of many the first."""
    with Session(resources.reading) as session:
        found = preflight(session, resources, session.get_one(StoredList, list_id), [form]).formats[0].concerns
        places = {entry.id: entry.position + 1 for entry in entries(session, session.get_one(StoredList, list_id))[0]}
    said = [f"Clip {places[each.entry]}: {each.words}" if each.entry in places else each.words for each in found]
    return [*said[:TOLD], *([f"And {len(said) - TOLD} more."] if len(said) > TOLD else [])]


def rendered(resources: Resources, list_id: int, options: Mapping[str, Any]) -> None:
    """Render its clips and wait for it; raises InputError with the reason where that fails."""
    from backend.terminal_jobs import JobBars

    wanted = RenderOptions.from_json(options)
    with Session(resources.engine, expire_on_commit=False) as session:
        clip_list = session.get_one(StoredList, list_id)
        job, new = start(session, resources, clip_list, wanted, BY)
        name = clip_list.name
    if new:
        enqueue(resources.queue, job)
    with JobBars() as bars:
        (ended,) = follow(resources, [job], lambda seen, _title: bars(seen, name))
    if ended.state != "done":
        raise InputError(ended.problem or f"The job was {ended.state}.")


def exported(resources: Resources, list_id: int, form: str) -> Made:
    """The file; raises ExportRefused, Conflict."""
    return export(resources, list_id, form, BY)


def written(made: Made, out: Path | None, suffix: str) -> Path:
    """Write it, whole or not at all; gives where. `out`: a file or a folder, by default here. Raises OutputError."""
    folder = out if out is not None and out.is_dir() else Path()
    path = out if out is not None and not out.is_dir() else folder / file_name(made.name)
    path = path if path.suffix else path.with_suffix(suffix)
    with file_atomically(path) as part, part.open("wb") as file:
        for piece in made.pieces():
            file.write(piece)
    return path


def by_rule(resources: Resources, project_id: int, name: str, rule: Facts, *, dry_run: bool) -> Facts:
    """A list that a rule fills, or what would be in it: its clips and how long they are. Raises InputError."""
    try:
        new = ListByRule.model_validate({"name": name, "rule": rule})
    except ValidationError as wrong:
        raise InputError(said_of(wrong.errors())) from None
    if dry_run:
        with Session(resources.reading) as session:
            seen = ruling.preview(session, project_id, None, new.rule)
        return {"id": None, "total_s": seen.total_s, "clips": [each.model_dump(mode="json") for each in seen.add]}
    with Session(resources.engine) as session:
        made = create(session, project_id, new, BY)
        ruling.run(session, made, new.rule, BY, reorder=True)
        clips, _ = entries(session, made)
        total_s = shown(session, [made])[0].total_s
        return {"id": made.id, "total_s": total_s, "clips": [each.model_dump(mode="json") for each in clips]}


def brought(resources: Resources, project_id: int, path: Path, name: str, *, approve: bool) -> Facts:
    """A list that is made of an edit; raises InputError."""
    made = bring_in(resources, _owner(resources), project_id, path, name, approve=approve)
    return {
        "id": made.list_id,
        "approved": made.approved,
        "waiting": made.waiting,
        "left_out": list(made.left_out),
        "clips": [each.model_dump() for each in made.clips],
    }


def _owner(resources: Resources) -> Principal:
    """Who runs a command may do all."""
    with Session(resources.engine) as session:
        return principal(owner(session))
