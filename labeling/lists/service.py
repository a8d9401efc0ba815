"""Clip lists: made, shown, renamed, approved, removed. The list's row is the lock of whoever changes it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import Conflict, NotFound
from backend.jobs.models import Job
from backend.jobs.service import public
from backend.members.models import Role
from backend.members.service import Principal, require_part
from labeling.lists.models import ListExport, StoredList
from labeling.lists.rows import pictures, standing_of, standings
from labeling.lists.shapes import ListChange, ListNew, ListPublic
from labeling.lists.standing import Standing, blocked

CHANGED = "Somebody has changed this list meanwhile (it is at version {now}); look at it again."


def today() -> date:
    """The day by which embargoes go: that of UTC."""
    return utc_now().date()


def create(
    session: Session, project_id: int, new: ListNew, by: str, rule: Mapping[str, Any] | None = None
) -> StoredList:
    """A new list, flushed; the caller commits."""
    values = new.model_dump(include={"name", "note", "target_s", "rate"})
    made = StoredList(project_id=project_id, **values, rule=dict(rule) if rule else None, created_by=by)
    session.add(made)
    session.flush()
    return made


def list_named(session: Session, who: Principal, list_id: int, role: Role = "viewer") -> StoredList:
    """A list that the asker may see (or more); raises NotFound or NotAllowed."""
    return require_part(session, who, session.get(StoredList, list_id), f"list {list_id}", role)


def locked(session: Session, clip_list: StoredList, version: int | None = None) -> StoredList:
    """The same list as it is now, kept from others until the end of the transaction.

    Raises NotFound where it is gone, Conflict where it has another `version` than the one given.
    """
    now = session.get(StoredList, clip_list.id, with_for_update=True, populate_existing=True)
    if now is None:
        raise NotFound(f"The list {clip_list.name!r} is gone.")
    if version is not None and version != now.version:
        raise Conflict(CHANGED.format(now=now.version))
    return now


def changed(session: Session, clip_list: StoredList) -> None:
    """The list is another one now: a new version, and a draft again. The caller commits."""
    clip_list.version += 1
    clip_list.updated_at = utc_now()
    clip_list.state, clip_list.approved_by, clip_list.approved_at = "draft", "", None
    session.add(clip_list)
    session.flush()


def list_lists(
    session: Session, project_id: int, text: str, state: str, limit: int, offset: int
) -> tuple[list[ListPublic], int]:
    """Lists of a project, the one changed last first, and how many there are."""
    where = [col(StoredList.project_id) == project_id]
    if text:
        where.append(func.lower(StoredList.name).contains(text.lower(), autoescape=True))
    if state:
        where.append(col(StoredList.state) == state)
    total = session.exec(select(func.count()).select_from(StoredList).where(*where)).one()
    order = (col(StoredList.updated_at).desc(), col(StoredList.id).desc())
    found = session.exec(select(StoredList).where(*where).order_by(*order).limit(limit).offset(offset)).all()
    return shown(session, found), total


def shown(session: Session, lists: Sequence[StoredList]) -> list[ListPublic]:
    """Lists as the API shows them."""
    clips, jobs = standings(session, lists), _jobs(session, lists)
    first = [found[0] for found in clips.values() if found]
    seen = pictures(session, first)
    return [_shown(each, clips.get(each.id or 0, []), jobs.get(each.id or 0), seen) for each in lists]


def _shown(clip_list: StoredList, clips: Sequence[Standing], job: Job | None, seen: Mapping[int, str]) -> ListPublic:
    now = today()
    return ListPublic.model_validate(
        clip_list.model_dump()
        | {
            "total_s": sum(clip.duration_s for clip in clips),
            "clips": len(clips),
            "blocked": sum(bool(blocked(clip, now)) for clip in clips),
            "films": list(dict.fromkeys(clip.title for clip in clips)),
            "picture": seen.get(clips[0].entry.id or 0) if clips else None,
            "job": public(job) if job else None,
        }
    )


def _jobs(session: Session, lists: Sequence[StoredList]) -> dict[int, Job]:
    """The newest job that renders each."""
    rows = session.exec(
        select(ListExport.list_id, Job)
        .join(Job, col(Job.id) == col(ListExport.job_id))
        .where(col(ListExport.list_id).in_([each.id for each in lists]))
        .order_by(col(ListExport.id))
    ).all()
    return dict(rows)


def change(session: Session, clip_list: StoredList, wanted: ListChange, version: int | None) -> None:
    """Set what people say of a list. Commits."""
    now = locked(session, clip_list, version)
    values = wanted.model_dump(exclude_unset=True, mode="json")
    free = ("target_s", "rule")
    fresh = {name: value for name, value in values.items() if value is not None or name in free}
    fresh = {name: value for name, value in fresh.items() if getattr(now, name) != value}
    for name, value in fresh.items():
        setattr(now, name, value)
    if fresh:
        changed(session, now)
    session.commit()


def approve(session: Session, clip_list: StoredList, by: str, version: int | None) -> bool:
    """Say that a list may go out; False where that was said already. The caller commits.

    Raises Conflict for a list without clips, and for one with a clip that may not go out.
    """
    now = locked(session, clip_list, version)
    if now.state == "approved":
        return False
    clips = standing_of(session, now)
    if not clips:
        raise Conflict("The list has no clips; add some, then approve it.")
    day = today()
    stopped = [(clip, why) for clip in clips if (why := blocked(clip, day))]
    if stopped:
        clip, why = stopped[0]
        more = f" ({len(stopped)} of {len(clips)} clips may not.)" if len(stopped) > 1 else ""
        raise Conflict(f"Clip {clip.entry.position + 1} may not go out: {why[0]}{more}")
    now.state, now.approved_by, now.approved_at = "approved", by, utc_now()
    session.add(now)
    session.flush()
    return True


def reopen(session: Session, clip_list: StoredList, version: int | None) -> None:
    """Make an approved list a draft again. Commits."""
    now = locked(session, clip_list, version)
    if now.state != "draft":
        now.state, now.approved_by, now.approved_at = "draft", "", None
        session.add(now)
    session.commit()
