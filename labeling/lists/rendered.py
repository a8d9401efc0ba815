"""Rendered clips of a list: which export has them whole, where the files lie, and the archive of them."""

from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Session, col, select

from backend.errors import Conflict
from backend.exports.base import Concern
from backend.exports.clips import write_clips
from backend.exports.rendering import Rendered, RenderOptions
from backend.jobs.models import OPEN, Job
from backend.jobs.service import RENDER
from backend.resources import Resources
from backend.store.media import present, there
from labeling.lists.freezing import freeze
from labeling.lists.frozen import key_of, unpack
from labeling.lists.models import ListExport, StoredList

CLIPS = "clips"
LOOKED_AT = 20
"""So many of the newest are looked through."""
LAST_ASKED = (col(ListExport.made_at).desc(), col(ListExport.id).desc())
"""What was rendered before and is asked for again is the newest."""
HOW = "POST /api/lists/{id}/render"


def folder_of(home: Path) -> Path:
    """Where the files lie; their names say what is in them, so that lists share them."""
    return home / "rendered"


def rendered_of(resources: Resources, row: ListExport) -> list[Rendered]:
    """What was rendered for an export, in the list's order."""
    folder, clips = folder_of(resources.home), unpack(row.made_of).clips
    return [
        Rendered(clip, start, end, present(folder / name), remark="".join(remark))
        for clip, (name, start, end, *remark) in zip(clips, row.files, strict=True)
    ]


def remarks_of(row: ListExport) -> list[Concern]:
    """What rendered clips lack, in words."""
    clips = unpack(row.made_of).clips
    return [
        Concern(remark, clip=clip.key)
        for clip, (_, _, _, *said) in zip(clips, row.files, strict=True)
        for remark in said
    ]


def archive(resources: Resources, row: ListExport) -> Iterator[bytes]:
    """The ZIP in pieces: the same bytes each time."""
    options = RenderOptions.from_json(row.options)
    return write_clips(unpack(row.made_of), options, rendered_of(resources, row))


def is_whole(resources: Resources, row: ListExport) -> bool:
    """Whether all of its files are there."""
    folder = folder_of(resources.home)
    return bool(row.sha256 and row.files) and all(there(folder / name) for name, *_ in row.files)


def require_whole(resources: Resources, row: ListExport) -> None:
    """Raise Conflict unless all of its files are there."""
    if not is_whole(resources, row):
        raise Conflict("Files of these rendered clips are gone; render the list again.")


def newest_whole(session: Session, resources: Resources, clip_list: StoredList) -> ListExport | None:
    """The rendering of exactly what the list is now that was asked for last, with all of its files; None without."""
    keys: dict[int, str] = {}
    for row in _renderings(session, clip_list):
        handles = RenderOptions.from_json(row.options).handles
        if handles not in keys:
            keys[handles] = key_of(freeze(session, resources, clip_list, handles=handles))
        if row.list_key == keys[handles] and is_whole(resources, row):
            return row
    return None


def why_none(session: Session, clip_list: StoredList) -> str:
    """What to do where the list is not rendered as it is now."""
    rows = _renderings(session, clip_list)
    jobs = session.exec(select(Job).where(col(Job.id).in_([row.job_id for row in rows]))).all()
    open_ = next((job for job in jobs if job.kind == RENDER and job.state in OPEN), None)
    how = HOW.format(id=clip_list.id)
    if open_ is not None:
        return f"It is being rendered ({open_.fraction:.0%}); wait for the job {open_.id}."
    if any(row.sha256 for row in rows):
        return (
            f"The list was changed since it was rendered; render it again ({how}): what is the same is not done twice."
        )
    return f"Its clips are not rendered; render it first ({how})."


def _renderings(session: Session, clip_list: StoredList) -> list[ListExport]:
    own = (col(ListExport.list_id) == clip_list.id, col(ListExport.format) == CLIPS)
    return list(session.exec(select(ListExport).where(*own).order_by(*LAST_ASKED).limit(LOOKED_AT)))
