"""Lists go, and rendered files that no export names any more."""

import time
from contextlib import suppress

from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.errors import Conflict
from backend.jobs.models import OPEN, Job
from backend.jobs.service import RENDER, cancel
from backend.resources import Resources
from backend.store.media import listed
from backend.store.media import remove as remove_file
from labeling.lists.models import ListExport, StoredList
from labeling.lists.rendered import CLIPS, LAST_ASKED, folder_of
from labeling.lists.service import locked

YOUNG_S = 3600.0


def remove(session: Session, resources: Resources, clip_list: StoredList, version: int | None = None) -> None:
    """Remove a list with its entries and exports, end its jobs, and tidy what they rendered. Commits."""
    locked(session, clip_list, version)
    ids = session.exec(select(ListExport.job_id).where(col(ListExport.list_id) == clip_list.id)).all()
    jobs = session.exec(select(Job).where(col(Job.id).in_([each for each in ids if each]), col(Job.state).in_(OPEN)))
    for job in jobs.all():
        with suppress(Conflict):  # it has ended in this moment
            cancel(session, resources.queue, job)
    now = session.get(StoredList, clip_list.id)
    if now is not None:
        session.delete(now)
    session.commit()
    tidy(resources)


def bound(resources: Resources, limit_bytes: float, job_id: str = "") -> list[int]:
    """Let go of renderings that were asked for longest ago, where all together are larger; gives ids of these exports.

    What they were made of stays, and rendering the list again makes them again. The newest stays, however large. Called
    at the end of a job that renders (`job_id`).
    """
    gone, together = [], 0
    with Session(resources.engine) as session:
        done = (col(ListExport.format) == CLIPS, col(ListExport.sha256) != "")
        kept = select(ListExport.id, ListExport.size_bytes, ListExport.files).where(*done).order_by(*LAST_ASKED)
        for number, size_bytes, files in session.exec(kept).all():
            together += size_bytes if files else 0
            if files and together > limit_bytes and together > size_bytes:
                gone.append(number or 0)
        session.execute(update(ListExport).where(col(ListExport.id).in_(gone)).values(files=[]))
        session.commit()
    tidy(resources, job_id=job_id)
    return gone


def tidy(resources: Resources, young_s: float = YOUNG_S, job_id: str = "") -> list[str]:
    """Remove rendered files that no export names, and give their names. While anything is being rendered all stay.

    Younger ones stay too: a job that begins in this moment may have found them. `job_id`: one that renders no more.
    """
    folder = folder_of(resources.home)
    files = {name: written_s for name, written_s in listed(folder).items() if name.endswith(".mp4")}
    rendering = (col(Job.kind) == RENDER, col(Job.state).in_(OPEN), col(Job.id) != job_id)
    with Session(resources.reading) as session:
        if session.exec(select(Job.id).where(*rendering)).first() is not None:
            return []
        named = {name for files_ in session.exec(select(ListExport.files)).all() for name, *_ in files_}
    old = [each for each, at_s in files.items() if each not in named and time.time() - at_s > young_s]
    for name in old:
        remove_file(folder / name)
    return old
