"""Figures of training for /metrics, counted from the rows when they are asked for."""

from collections.abc import Iterable
from typing import get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.library.models import Project
from trainer.runs.models import TrainingRun
from trainer.runs.news import labels_since, last_run
from trainer.runs.shapes import RunState

ENDED = ("done", "refused")


def training_figures(session: Session) -> Iterable[Metric]:
    """Runs by state, seconds of the last run of each project and slot, labels since then."""
    counted = dict(session.exec(select(TrainingRun.state, func.count()).group_by(col(TrainingRun.state))).all())
    runs = GaugeMetricFamily("selects_training_runs", "Training runs by state.", labels=["state"])
    for state in get_args(RunState):
        runs.add_metric([state], counted.get(state, 0))
    yield runs
    yield _seconds(session)
    fresh = GaugeMetricFamily("selects_training_labels", "Labels since the last training run.", labels=["project"])
    for project_id in session.exec(select(Project.id)).all():
        last = last_run(session, project_id or 0)
        fresh.add_metric([str(project_id)], labels_since(session, project_id or 0, last))
    yield fresh


def _seconds(session: Session) -> Metric:
    of = (col(TrainingRun.project_id), col(TrainingRun.slot))
    newest = select(*of, func.max(TrainingRun.finished_at)).where(col(TrainingRun.state).in_(ENDED)).group_by(*of)
    took = GaugeMetricFamily(
        "selects_training_seconds", "How long the last finished training took.", labels=["project", "slot"]
    )
    for project_id, slot, at in session.exec(newest).all():
        same = (of[0] == project_id, of[1] == slot, col(TrainingRun.finished_at) == at)
        run = session.exec(select(TrainingRun).where(*same)).first()
        if run is not None and run.started_at and run.finished_at:
            took.add_metric([str(project_id), slot], (run.finished_at - run.started_at).total_seconds())
    return took
