"""When training starts by itself: enough new labels, the clock, one scheduler at a time, nothing twice."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import update
from sqlmodel import Session, col, select

from backend.errors import InputError
from backend.jobs.models import Lease
from backend.jobs.queue import migrate_jobs
from backend.library.models import Movie
from backend.settings import Settings, Training
from labeling.engagement.models import Engagement
from tests.curating import Studio, studio
from tests.service import running
from tests.training import planted
from tests.workers import wait_until
from trainer.runs.models import TrainingRun
from trainer.runs.news import CRON, LABELS, TABLE, is_due, next_by_clock, score_slots
from trainer.runs.service import start
from trainer.runs.shapes import RunNew
from trainer.schedule import fire, run_id, scheduler, triggers

MOMENT = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[Studio]:
    training = {"cron": "30 3 * * *", "new_labels": 6, "genre_labels": 3, "viral_clips": 2}
    with running(tmp_path, database_url, training=training) as service:
        migrate_jobs(service.resources.settings.jobs_url)
        yield studio(service, films=2, clips=3)


def all_runs(house: Studio) -> list[TrainingRun]:
    with Session(house.service.resources.reading) as session:
        return list(session.exec(select(TrainingRun).order_by(col(TrainingRun.slot))).all())


def ended(house: Studio, state: str = "refused") -> None:
    with house.service.session() as session:
        session.execute(update(TrainingRun).values(state=state))
        session.commit()


def due(house: Studio, trigger: str) -> bool:
    with house.service.session() as session:
        return is_due(session, house.project, trigger, house.service.resources.settings.training)


def test_a_project_is_due_when_there_is_something_new(house: Studio) -> None:
    assert not due(house, CRON)
    assert not due(house, LABELS)
    assert planted(house) == 6
    assert due(house, CRON)
    assert due(house, LABELS)
    fire(house.service.resources, CRON, MOMENT)
    assert not due(house, LABELS), "a run is open"
    ended(house)
    assert not due(house, CRON), "nothing is new"
    ended(house, "failed")
    assert due(house, CRON), "what failed is tried again by the clock"
    assert not due(house, LABELS)
    ended(house)
    with house.service.session() as session:
        of = {"project_id": house.project, "movie_sha256": "a" * 64, "start_frame": 0, "end_frame": 9}
        session.add(Engagement(**of, platform="youtube", clip="a", likes=3, measured_at=MOMENT))
        session.commit()
    assert due(house, CRON), "so are figures of published clips"


def test_figures(house: Studio) -> None:
    planted(house)
    client = house.owner()
    said = client.get("/metrics").text.splitlines()
    assert f'selects_training_labels{{project="{house.project}"}} 6.0' in said
    fire(house.service.resources, CRON, MOMENT)
    with house.service.session() as session:
        times = {"started_at": MOMENT, "finished_at": MOMENT + timedelta(seconds=40)}
        session.execute(update(TrainingRun).values(state="refused", **times))
        session.commit()
    said = client.get("/metrics").text.splitlines()
    assert f'selects_training_labels{{project="{house.project}"}} 0.0' in said
    assert 'selects_training_runs{state="refused"} 1.0' in said
    assert f'selects_training_seconds{{project="{house.project}",slot="compelling"}} 40.0' in said


def test_the_same_moment_twice_is_one_run(house: Studio) -> None:
    planted(house)
    resources = house.service.resources
    for _ in range(2):
        fire(resources, CRON, MOMENT)
    (run,) = all_runs(house)
    assert run.id == run_id(CRON, house.project, "compelling", MOMENT)
    assert (run.trigger, run.asked_by, run.state) == ("cron", "schedule", "queued")
    assert resources.queue.states([run.workflow]) == {run.workflow: "ENQUEUED"}
    ended(house, "failed")
    fire(resources, CRON, MOMENT)  # of one who was paused, and wakes when all is over
    assert len(all_runs(house)) == 1
    fire(resources, CRON, MOMENT + timedelta(days=1))
    assert len(all_runs(house)) == 2


def test_each_genre_with_enough_labels_has_a_model_of_its_own(house: Studio) -> None:
    planted(house)

    def slots(*genres: list[str]) -> list[str]:
        with house.service.session() as session:
            for movie, names in zip(house.movies, genres, strict=True):
                session.execute(update(Movie).where(col(Movie.id) == movie).values(genres=names))
            session.commit()
            return score_slots(session, house.project, house.service.resources.settings.training)

    assert slots(["Drama"], ["Science Fiction"]) == ["compelling"], "of one film nothing can be proved"
    assert slots(["Drama", "sci-fi"], ["drama", "Science Fiction"]) == [
        "compelling",
        "compelling/drama",
        "compelling/sci-fi",
    ]
    with house.service.session() as session:
        of = {"project_id": house.project, "movie_sha256": "a" * 64, "start_frame": 0, "end_frame": 9}
        for clip in ("a", "b"):
            session.add(Engagement(**of, platform="youtube", clip=clip, measured_at=MOMENT))
        session.commit()
    assert slots([], []) == ["compelling", "viral"]


def test_what_a_person_trains_by_hand_leaves_the_other_models_due(house: Studio) -> None:
    planted(house)
    resources = house.service.resources
    with house.service.session() as session:
        session.execute(update(Movie).where(col(Movie.project_id) == house.project).values(genres=["drama"]))
        session.commit()
        start(session, house.project, RunNew(slot="compelling"), "Ada")
    ended(house)
    fire(resources, LABELS, MOMENT)
    assert [run.slot for run in all_runs(house)] == ["compelling", "compelling/drama"]


def test_one_scheduler_works_and_the_next_takes_over(house: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the job store in the database: what was missed while nobody was there is made up for, once."""
    monkeypatch.setattr("trainer.schedule.LOOK_EVERY_S", 24 * 3600)  # the clock is meant, however long this takes
    planted(house)
    resources = house.service.resources
    first, second = scheduler(resources, "first"), scheduler(resources, "second")
    for each in (first, second):
        each.start()
    wait_until(lambda: _next(house) is not None)
    with Session(house.service.resources.reading) as session:
        holder = session.exec(select(Lease.holder).where(col(Lease.name) == "scheduler")).one()
    shown = house.owner().get("/api/training/schedule", params={"project": house.project}).json()
    assert (shown["running"], shown["labels"], shown["labels_wanted"]) == (True, 6, 6)
    assert shown["next_at"]
    gone, other = (first, second) if holder == "first" else (second, first)
    gone.stop()
    gone.join()
    assert all_runs(house) == []
    _lease(house, "nobody", 2e10)
    made = BackgroundScheduler(jobstores={"default": SQLAlchemyJobStore(engine=resources.engine, tablename=TABLE)})
    made.start(paused=True)
    made.modify_job(CRON, next_run_time=datetime.now(UTC) - timedelta(days=1))
    _lease(house, "nobody", 0.0)
    wait_until(lambda: bool(all_runs(house)))
    time.sleep(1)
    assert [run.trigger for run in all_runs(house)] == ["cron"]
    found = _next(house)
    assert found is not None
    assert found > datetime.now(UTC)
    other.stop()
    other.join()


def _lease(house: Studio, holder: str, until: float) -> None:
    with house.service.session() as session:
        session.execute(update(Lease).where(col(Lease.name) == "scheduler").values(holder=holder, until=until))
        session.commit()


def _next(house: Studio) -> datetime | None:
    with Session(house.service.resources.reading) as session:
        return next_by_clock(session)


@pytest.mark.parametrize("cron", ["every night", "61 3 * * *", "30 3 * *"])
def test_a_schedule_that_cannot_be_read(cron: str) -> None:
    with pytest.raises(InputError, match="SELECTS_TRAINING__CRON"):
        triggers(Training(cron=cron))


def test_what_can_be_switched_off(tmp_path: Path) -> None:
    off: dict[str, Any] = {"cron": "", "new_labels": 0, "new_corrections": 0}
    assert triggers(Settings(home=tmp_path, training=off).training) == {}
    assert set(triggers(Training())) == {CRON, LABELS}
