"""/health, /ready and /metrics: for whoever runs the service."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector
from pydantic import BaseModel
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select

from backend.database import database_now, utc_now
from backend.dependencies import ResourcesDep
from backend.errors import DatabaseUnready, SelectsError
from backend.jobs.liveness import serving
from backend.jobs.models import STATES, Job, JobStage, Worker
from backend.jobs.queue import FILMS, QUEUES, TRAININGS
from backend.jobs.service import INGEST
from backend.library.models import Movie
from backend.migrations.run import require_current
from backend.resources import Resources
from backend.search.missing import without_vectors
from backend.store.media import has_store, require_store

HOUR_S = 3600.0
LITTLE_ROOM = 256 << 20
"""Bytes. A film of two hours leaves tens of MiB of pictures, sound and features, a copy for browsers hundreds."""
FiguresOf = Callable[[Session], Iterable[Metric]]
"""Figures of a room above this one, which the roof brings."""

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Ready(BaseModel):
    """Whether work can be done. `checks`: part → "ok" or what is wrong; `notes` hinder nothing, yet want a look."""

    ready: bool
    checks: dict[str, str]
    notes: list[str]


@router.get("/health")
def health() -> Health:
    """Whether this process answers."""
    return Health()


@router.get("/ready", responses={503: {"model": Ready, "description": "Not ready, and why."}})
def ready(resources: ResourcesDep, response: Response) -> Ready:
    """Whether database, vectors and workers are there; the rest are notes."""
    checks, notes = {"database": _database(resources)}, []
    if checks["database"] == "ok":
        with Session(resources.reading) as session:
            served = serving(session)
            lacking = without_vectors(session)
        unserved = "no worker serves films; they wait until one does (`selects worker`)"
        checks["workers"] = "ok" if served[FILMS] else unserved
        if not served[TRAININGS]:
            notes.append("no worker serves trainings; they wait until one does (`selects trainer`)")
        notes += [
            f"{alarm.version} of project {alarm.project_id} cannot be used, "
            f"{alarm.instead} is used instead; the log says why"
            for alarm in resources.live.alarms()
        ]
        if lacking:
            films = "film is" if lacking == 1 else "films are"
            notes.append(f"{lacking} {films} ready but not wholly in the index; `selects doctor` says which")
    if little := _little_room(resources.home):
        notes.append(little)
    if has_store(resources.home):
        checks["media"] = _media(resources)
    checks["vectors"] = "ok" if resources.chroma.healthy() else "the vector server does not answer"
    fine = all(said == "ok" for said in checks.values())
    if not fine:
        response.status_code = 503
    return Ready(ready=fine, checks=checks, notes=notes)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request, resources: ResourcesDep) -> Response:
    """Figures for Prometheus: queue depth, stage times, films per hour, index lag, models that cannot be used."""
    registry = CollectorRegistry()
    registry.register(_Figures(resources, request.app.state.figures))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _media(resources: Resources) -> str:
    try:
        require_store(resources.home)
    except SelectsError as problem:
        return problem.detail
    return "ok"


def _little_room(home: Path) -> str:
    try:
        room = shutil.disk_usage(home).free
    except OSError:  # not made yet
        return ""
    return "" if room >= LITTLE_ROOM else f"{room >> 20} MiB are left on the disk of SELECTS_HOME; films may need more"


def _database(resources: Resources) -> str:
    try:
        require_current(resources.engine)
    except DatabaseUnready as problem:
        return problem.detail
    except SQLAlchemyError:
        return "the database does not answer"
    return "ok"


class _Figures(Collector):
    """Counted from the rows when they are asked for: all processes of the service together, but for models."""

    def __init__(self, resources: Resources, more: Sequence[FiguresOf]) -> None:
        self._resources, self._more = resources, more

    def collect(self) -> Iterable[Metric]:
        """All figures."""
        yield _models(self._resources)
        with Session(self._resources.reading) as session:
            yield from _jobs(session)
            yield from _stages(session)
            yield from _films(session)
            yield from _workers(session)
            for figures in self._more:
                yield from figures(session)

    def describe(self) -> Iterable[Metric]:
        """Nothing: no query is made when the collector is registered."""
        return ()


def _models(resources: Resources) -> Metric:
    """Of this process: each holds its own."""
    said = "1 where this server cannot use the model that was promoted, and uses the one before."
    alarm = GaugeMetricFamily("selects_model_alarm", said, labels=["project", "slot"])
    alarms = {(each.project_id, each.slot) for each in resources.live.alarms()}
    for project_id, slot in resources.live.held():
        alarm.add_metric([str(project_id), slot], float((project_id, slot) in alarms))
    return alarm


def _jobs(session: Session) -> Iterable[Metric]:
    counted = dict(session.exec(select(Job.state, func.count()).group_by(col(Job.state))).all())
    jobs = GaugeMetricFamily("selects_jobs", "Jobs by state.", labels=["state"])
    for state in STATES:
        jobs.add_metric([state], counted.get(state, 0))
    yield jobs
    oldest = session.exec(select(func.min(Job.created_at)).where(col(Job.state) == "queued")).one()
    waited = (utc_now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("selects_queue_oldest_seconds", "How long the oldest queued job has waited.", value=waited)


def _stages(session: Session) -> Iterable[Metric]:
    rows = session.exec(
        select(JobStage.stage, func.count(), func.sum(JobStage.seconds)).group_by(col(JobStage.stage))
    ).all()
    times = SummaryMetricFamily("selects_stage_seconds", "Time that stages of jobs took.", labels=["stage"])
    for stage, count, seconds in rows:
        times.add_metric([stage], count_value=count, sum_value=float(seconds))
    yield times


def _films(session: Session) -> Iterable[Metric]:
    films = GaugeMetricFamily("selects_films", "Films by state.", labels=["state"])
    for state, count in session.exec(select(Movie.state, func.count()).group_by(col(Movie.state))).all():
        films.add_metric([state], count)
    yield films
    analysed = col(Job.kind) == INGEST, col(Job.state) == "done"
    done = session.exec(select(func.count()).select_from(Job).where(*analysed)).one()
    yield CounterMetricFamily("selects_films_analysed", "Analyses of films that were finished.", value=done)
    ended = session.exec(select(Job.finished_at).where(*analysed, col(Job.finished_at).is_not(None)))
    recent = sum((utc_now() - at).total_seconds() < HOUR_S for at in ended if at)
    yield GaugeMetricFamily("selects_films_per_hour", "Analyses finished within the last hour.", value=recent)
    lag = without_vectors(session)
    yield GaugeMetricFamily("selects_films_without_vectors", "Ready films that are not wholly indexed.", value=lag)


def _workers(session: Session) -> Iterable[Metric]:
    workers = GaugeMetricFamily("selects_workers", "Workers heard of just now, by queue served.", labels=["queue"])
    served = serving(session)
    for queue in QUEUES:
        workers.add_metric([queue], served[queue])
    yield workers
    silence = select(func.max(database_now() - col(Worker.beat))).where(col(Worker.state) == "alive")
    value = session.exec(silence).one() or 0.0
    yield GaugeMetricFamily("selects_worker_silence_seconds", "Longest time since a heartbeat.", value=value)
