"""The clips of a list are asked to be rendered: a job, and the export that it will be."""

from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.exports.preflight import refuse_stopped
from backend.exports.rendering import RenderOptions
from backend.jobs.models import OPEN, Job
from backend.jobs.service import RENDER, new_job
from backend.resources import Resources
from labeling.lists.exporting import row_of
from labeling.lists.freezing import freeze
from labeling.lists.models import ListExport, StoredList
from labeling.lists.rendered import CLIPS, is_whole
from labeling.lists.service import locked


def start(
    session: Session, resources: Resources, clip_list: StoredList, options: RenderOptions, by: str
) -> tuple[Job, bool]:
    """The job that renders the list as it is now, and whether it is new: the same asked twice is one job. Commits.

    The caller enqueues a new one. Raises ExportRefused; then nothing is kept.
    """
    now = locked(session, clip_list)
    frozen = freeze(session, resources, now, handles=options.handles)
    refuse_stopped(frozen, CLIPS)
    row = row_of(now, CLIPS, frozen, by)
    row.options = options.as_json()
    known = _known(session, resources, row)
    if known is not None:
        session.commit()
        return known, False
    session.add(row)
    session.flush()
    job = new_job(session, now.project_id, None, RENDER, {"export": row.id, "list": now.id}, by)
    row.job_id = job.id
    session.add(row)
    session.commit()
    session.refresh(job)
    return job, True


def _known(session: Session, resources: Resources, wanted: ListExport) -> Job | None:
    """The job of the same rendering that is still at it, or has ended with all files there."""
    same = (col(getattr(ListExport, name)) == getattr(wanted, name) for name in ("list_id", "format", "list_key"))
    rows = session.exec(select(ListExport).where(*same).order_by(col(ListExport.id).desc())).all()
    for row in rows:
        job = session.get(Job, row.job_id)
        if job is not None and row.options == wanted.options and (job.state in OPEN or is_whole(resources, row)):
            row.made_at = utc_now()
            session.add(row)
            return job
    return None
