"""The durable rendering of a list: what is finished stays when a worker is killed; another goes on with the rest."""

import hashlib
from collections.abc import Sequence
from typing import Any

from dbos import DBOS
from sqlmodel import Session, col, select

from backend.analysis.framing import Stored, stored_framing
from backend.analysis.stages import Context, Stages
from backend.analysis.workflow import FilmWork
from backend.errors import OutputError
from backend.exports.rendering import Rendered, RenderOptions, render_list
from backend.jobs import service as jobs
from backend.jobs.models import Job
from backend.jobs.service import RENDER, Cancelled
from backend.library.models import Movie
from backend.resources import Resources
from backend.store.media import publish
from labeling.lists.frozen import unpack
from labeling.lists.models import ListExport
from labeling.lists.removing import bound
from labeling.lists.rendered import archive, folder_of

GIB = 1 << 30
NAMED = 3
"""Clips that a failure or a remark says; the others are counted."""


class RenderWork(FilmWork):
    """Work on a list: of a film its stages know the project alone."""

    def film(self, job: Job) -> Movie:
        """See FilmWork."""
        return Movie(project_id=job.project_id, path="")


def register(resources: Resources, worker: str, give_up: Any) -> None:
    """Make the workflow known to DBOS; see `backend.analysis.workflow.register`."""
    work = RenderWork(resources, worker, give_up, STAGES)

    @DBOS.workflow(name=RENDER, max_recovery_attempts=None)
    def render(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


def clips(context: Context) -> str:
    """Render what is not there yet, and write down where each clip lies; gives what some of them lack.

    Raises OutputError where one could not be rendered.
    """
    row = _row(context)
    clip_list = unpack(row.made_of)
    count = len(clip_list.clips)
    made = render_list(
        clip_list,
        RenderOptions.from_json(row.options),
        folder_of(context.resources.home),
        stored_framing(context.resources.home, _films(context)),
        lambda share: context.progress("clips", share * count, count),
    )
    for path in {each.path for each in made if each.path}:
        publish(path)
    _require_all(made)
    files = [
        [each.path.name, each.start_frame, each.end_frame, *filter(None, [each.remark])] for each in made if each.path
    ]
    _keep(context, {"files": files})
    return _few([(number, each, each.remark) for number, each in enumerate(made, 1) if each.remark])


def seal(context: Context) -> str:
    """Read the archive once as it will be handed out: its length and its checksum."""
    seen, size = hashlib.sha256(), 0
    for piece in archive(context.resources, _row(context)):
        seen.update(piece)
        size += len(piece)
        context.progress("archive", float(size), 0.0)
    _keep(context, {"sha256": seen.hexdigest(), "size_bytes": size})
    bound(context.resources, context.resources.settings.media.rendered_gib * GIB, context.doing.job_id)
    return ""


STAGES: Stages = {"clips": (clips, 0.95), "archive": (seal, 0.05)}


def _row(context: Context) -> ListExport:
    """What is rendered; raises Cancelled where the list is gone."""
    with Session(context.resources.reading) as session:
        row = session.get(ListExport, int(context.asked["export"]))
        if row is None:
            raise Cancelled
        session.expunge(row)
    return row


def _films(context: Context) -> dict[str, Stored]:
    """What is stored of each film of the project, by checksum."""
    with Session(context.resources.reading) as session:
        movies = session.exec(select(Movie).where(col(Movie.project_id) == context.movie.project_id)).all()
        return {movie.sha256: (movie.scan_key, movie.vectors) for movie in movies if movie.sha256 and movie.scan_key}


def _keep(context: Context, values: dict[str, Any]) -> None:
    """Write down what a stage found, if the job is still this worker's."""
    with Session(context.resources.engine) as session:
        jobs.fence(session, context.doing)
        row = session.get(ListExport, int(context.asked["export"]), with_for_update=True)
        if row is None:
            raise Cancelled
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        session.commit()


def _require_all(made: Sequence[Rendered]) -> None:
    """Raise OutputError, with ffmpeg's own words, where clips could not be rendered."""
    failed = [(number, each, each.problem) for number, each in enumerate(made, 1) if each.path is None]
    if not failed:
        return
    kept = [f"The other {len(made) - len(failed)} are rendered and stay."] if len(made) > len(failed) else []
    raise OutputError(" ".join([_few(failed), *kept]))


def _few(said: Sequence[tuple[int, Rendered, str]]) -> str:
    """Clips and what is to be said of each: the first of them, and how many more."""
    words = [f"Clip {number} ({each.clip.name!r}): {what}" for number, each, what in said[:NAMED]]
    return " ".join([*words, *([f"And {len(said) - NAMED} more."] if len(said) > NAMED else [])])
