"""The durable alignment of a reference with its film: stages that another worker goes on with where one was killed."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from dbos import DBOS
from sqlalchemy import delete, insert
from sqlmodel import Session, col

from backend.analysis.cache import FilmCache
from backend.analysis.stages import Context, Stages
from backend.analysis.workflow import FilmWork
from backend.database import utc_now
from backend.errors import Conflict, FilmUnreadable
from backend.jobs import service as jobs
from backend.jobs.service import REFERENCE, Cancelled
from backend.library.models import Movie
from backend.media.timeline import Timeline
from backend.resources import Resources
from backend.store.media import present, publish_all, there
from labeling.references.align import align as find_segments
from labeling.references.editlist import EditedFilm, read_edit
from labeling.references.footage import Footage
from labeling.references.models import Reference, ReferenceInterval
from labeling.references.places import references_home
from labeling.references.watching import stored, watch

Interval = dict[str, Any]


def register(resources: Resources, worker: str, give_up: Callable[[], None]) -> None:
    """Make the workflow known to DBOS; see `backend.analysis.workflow.register`."""
    work = FilmWork(resources, worker, give_up, STAGES)

    @DBOS.workflow(name=REFERENCE, max_recovery_attempts=None)
    def reference(job_id: str, workflow: str) -> str:
        return work.run(job_id, workflow)


def film(context: Context) -> str:
    """Make sure that a scan of the whole film is stored: after an analysis with `fast` it is decoded here, once."""
    if _reference(context).kind == "trailer" and _stored_film(context) is None:
        watch(present(Path(context.movie.path)), context.resources.home, context.progress)
    return ""


def trailer(context: Context) -> str:
    """Decode the trailer once."""
    reference = _reference(context)
    if reference.kind == "trailer":
        _require_there(reference)
        base = references_home(context.resources.home)
        watch(present(Path(reference.path)), base, context.progress)
        publish_all(base / "films" / reference.sha256)
    return ""


def align(context: Context) -> str:
    """Find what the reference shows, and keep that in place of what was found before."""
    reference = _reference(context)
    _require_there(reference)
    found, duration_s = _of_edit(context, reference) if reference.kind == "edit" else _of_trailer(context, reference)
    with Session(context.resources.engine) as session:
        jobs.fence(session, context.doing)
        kept = session.get(Reference, reference.id, with_for_update=True)
        if kept is None or kept.job_id != context.doing.job_id:
            raise Cancelled
        session.execute(delete(ReferenceInterval).where(col(ReferenceInterval.reference_id) == kept.id))
        if found:
            session.execute(insert(ReferenceInterval), [row | {"reference_id": kept.id} for row in found])
        kept.aligned_at, kept.duration_s = utc_now(), duration_s
        session.add(kept)
        session.commit()
    return "" if found else "no part of it was found in the film for sure"


STAGES: Stages = {"film": (film, 0.3), "trailer": (trailer, 0.6), "align": (align, 0.1)}


def _reference(context: Context) -> Reference:
    """The row that the job is for; raises Cancelled where it is gone, or is aligned by another job by now."""
    with Session(context.resources.reading) as session:
        found = session.get(Reference, int(context.asked["reference"]))
        if found is None or found.job_id != context.doing.job_id or found.movie_sha256 != context.movie.sha256:
            raise Cancelled
        session.expunge(found)
    return found


def _require_there(reference: Reference) -> None:
    if not there(Path(reference.path)):
        raise FilmUnreadable(reference.name, "it is not where it was; add it again")


def _cache(context: Context) -> FilmCache:
    return FilmCache(context.resources.home / "films" / (context.movie.sha256 or ""))


def _stored_film(context: Context) -> Footage | None:
    movie = context.movie
    return stored(_cache(context), movie.width / movie.height)


def _of_trailer(context: Context, reference: Reference) -> tuple[list[Interval], float]:
    """Rows of what a trailer shows, and how long it is."""
    whole = _stored_film(context)
    if whole is None:  # removed since the first stage
        whole = watch(present(Path(context.movie.path)), context.resources.home, context.progress)
    shown = watch(present(Path(reference.path)), references_home(context.resources.home), context.progress)
    segments = find_segments(whole, shown)
    rows = []
    for number, one in enumerate(segments):
        # The nearest ends of frames: seconds are derived from frames, never stored in their place.
        start, end = np.searchsorted(whole.middles_s, [one.film_start_s, one.film_end_s]).tolist()
        rows.append(
            _row(number, start, max(end, start + 1), whole.timeline)
            | {"trailer_start_s": one.trailer_start_s, "trailer_end_s": one.trailer_end_s}
            | {"confidence": round(one.confidence, 4)}
        )
    return rows, shown.timeline.duration_s


def _of_edit(context: Context, reference: Reference) -> tuple[list[Interval], float]:
    """Rows of what an edit takes from the film."""
    movie = context.movie
    scan = _cache(context).load_scan(movie.scan_key)
    if scan is None:
        raise Conflict(f"Stored parts of {movie.title!r} are missing; analyse it again.")
    called = reference.film_called or None
    ranges = read_edit(present(Path(reference.path)), _edited(movie, scan.timeline), called)
    alone = {"trailer_start_s": None, "trailer_end_s": None, "confidence": 1.0}
    spans: Sequence[tuple[int, int]] = list(dict.fromkeys((one.start_frame, one.end_frame) for one in ranges))
    return [_row(number, *span, scan.timeline) | alone for number, span in enumerate(spans)], 0.0


def _edited(movie: Movie, timeline: Timeline) -> EditedFilm:
    return EditedFilm(Path(movie.path).name, Fraction(movie.rate), timeline.frames, movie.start_timecode)


def _row(number: int, start: int, end: int, timeline: Timeline) -> Interval:
    start_s, end_s = timeline.seconds_of(np.array([start, end])).tolist()
    return {
        "number": number,
        "start_frame": start,
        "end_frame": end,
        "start_s": start_s,
        "end_s": end_s,
        "withdrawn": False,
        "withdrawn_by": "",
    }
