"""Training runs: one of a slot at a time, watched, cancelled, limited; and gone on with where a worker was killed."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from backend.errors import Conflict
from backend.jobs.liveness import bury, enrol
from backend.jobs.queue import migrate_jobs
from backend.jobs.service import Cancelled, Doing, Fenced
from backend.members.service import owner, principal
from backend.scoring.models import Live, ModelVersion, Promotion
from tests.command import COMMAND, ROOT, environment
from tests.curating import studio
from tests.databases import sqlite_in
from tests.service import Service, running
from tests.trained import enter
from tests.training import planted
from tests.workers import wait_until
from trainer.registry import promote
from trainer.runs import service as runs
from trainer.runs.fitting import Progress
from trainer.runs.models import TrainingRun
from trainer.runs.news import labels_since, last_run
from trainer.runs.shapes import RunNew
from trainer.workflow import snapshot

WORKER = "a worker"


@pytest.fixture
def service(job_store: Service) -> Service:
    return job_store


@pytest.fixture
def session(service: Service) -> Iterator[Session]:
    with service.session() as made:
        yield made


def started(session: Session, project: int, **wanted: Any) -> TrainingRun:
    run, new = runs.start(session, project, RunNew(**wanted), "me")
    assert new
    return run


def test_one_run_of_a_slot_is_open_at_a_time(session: Session, service: Service) -> None:
    project = service.project()
    first = started(session, project)
    again, new = runs.start(session, project, RunNew(seed=5), "another")
    assert (again.id, again.seed, new) == (first.id, 0, False)
    other = started(session, project, slot="compelling/drama")
    assert other.id != first.id
    runs.cancel(session, service.resources.queue, principal(owner(session)), first)
    assert started(session, project).id != first.id


def test_two_who_ask_at_the_same_moment_get_the_same_run(service: Service) -> None:
    project, found = service.project(), list[str]()
    together = threading.Barrier(4)

    def ask() -> None:
        together.wait()
        with service.session() as session:
            found.append(runs.start(session, project, RunNew(), "me")[0].id)

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_the_same_moment_of_the_schedule_is_one_run(session: Session, service: Service) -> None:
    project = service.project()
    run, new = runs.start(session, project, RunNew(), "schedule", "cron", "0123")
    assert new
    runs.cancel(session, service.resources.queue, principal(owner(session)), run)
    again, new = runs.start(session, project, RunNew(), "schedule", "cron", "0123")
    assert (again.id, again.state, new) == ("0123", "cancelled", False)


def test_only_the_worker_that_has_a_run_says_anything_of_it(session: Session, service: Service) -> None:
    run = started(session, service.project())
    first, second = Doing(run.id, run.workflow, "first"), Doing(run.id, run.workflow, "second")
    for worker in ("first", "second"):
        enrol(session, worker, ["gpu"])
    runs.claim(session, first, "train", 0.1)
    runs.report(session, first, Progress("fit", 0.5, 3, 20, 0.4, 12.0))
    session.refresh(run)
    assert (run.state, run.stage, run.fraction, run.epoch, run.epochs, run.loss) == ("running", "fit", 0.5, 3, 20, 0.4)
    runs.claim(session, second, "train", 0.1)
    with pytest.raises(Fenced):
        runs.report(session, first, Progress("fit", 0.6))
    with pytest.raises(Fenced):
        runs.fence(session, first)
    runs.finish(session, first, "failed", problem="not mine")
    bury(session, "first")
    with pytest.raises(Fenced):
        runs.finish(session, first, "failed")
    runs.finish(session, second, "done", note="fine")
    session.refresh(run)
    assert (run.state, run.problem, run.note, run.fraction) == ("done", "", "fine", 1.0)


def test_a_genre_without_a_model_must_beat_what_scores_its_films(service: Service) -> None:
    house = studio(service, films=2, clips=2)
    planted(house)
    enter(service, house.project, "general", 1)
    with service.session() as session:
        promote(session, house.project, "general", None, "me", "")
        run = started(session, house.project, slot="compelling/drama")
        enrol(session, WORKER, ["gpu"])
        doing = Doing(run.id, run.workflow, WORKER)
        runs.claim(session, doing, "snapshot", 0.0)
    facts = snapshot(service.resources, doing, {})
    assert (facts["champion"], facts["generation"]) == ("general", 0)


def test_what_is_cancelled_stops_at_its_next_word(session: Session, service: Service) -> None:
    run = started(session, service.project())
    doing = Doing(run.id, run.workflow, WORKER)
    enrol(session, WORKER, ["gpu"])
    runs.claim(session, doing, "train", 0.1)
    who = principal(owner(session))
    runs.cancel(session, service.resources.queue, who, run)
    with pytest.raises(Cancelled):
        runs.report(session, doing, Progress("fit", 0.5))
    with pytest.raises(Cancelled):
        runs.claim(session, doing, "register", 0.9)
    with pytest.raises(Conflict, match="cancelled already"):
        runs.cancel(session, service.resources.queue, who, run)


def test_a_run_that_was_lost_is_enqueued_again(session: Session, service: Service) -> None:
    queue = service.resources.queue
    run = started(session, service.project())  # and whoever started it died before it was enqueued
    session.execute(update(TrainingRun).values(created_at=run.created_at.replace(year=2020)))
    session.commit()
    runs.find_lost(session, queue)
    assert queue.states([run.workflow]) == {run.workflow: "ENQUEUED"}
    queue.cancel(run.workflow)  # as a workflow that ended without its run
    runs.find_lost(session, queue)
    session.refresh(run)
    assert run.workflow == f"{run.id}-1"
    assert queue.states([run.workflow]) == {run.workflow: "ENQUEUED"}


def test_a_run_by_the_api(service: Service) -> None:
    client, project = service.client(service.token()), service.project()
    answer = client.post("/api/training/runs", json={"project": project, "seed": 3})
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert (run["state"], run["slot"], run["seed"], run["trigger"]) == ("queued", "compelling", 3, "asked")
    assert client.post("/api/training/runs", json={"project": project}).status_code == 200
    assert service.resources.queue.states([run["id"]]) == {run["id"]: "ENQUEUED"}
    refused = client.post("/api/training/runs", json={"project": project, "slot": "compelling/../x"})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("slot: 'compelling/../x' is none; ")
    cancelled = client.post(f"/api/training/runs/{run['id']}/cancel").json()
    assert (cancelled["state"], cancelled["note"]) == ("cancelled", "cancelled by owner")
    lines = client.get(f"/api/training/runs/{run['id']}/events").text.splitlines()
    assert [json.loads(line.removeprefix("data: "))["state"] for line in lines if line] == ["cancelled"]
    listed = client.get("/api/training/runs", params={"project": project, "state": "cancelled"}).json()
    assert [each["id"] for each in listed["items"]] == [run["id"]]


def test_labels_are_counted_since_the_last_run(service: Service) -> None:
    house = studio(service, films=1, clips=3)
    with service.session() as session:
        assert labels_since(session, house.project, None) == 0
    assert planted(house) == 3
    with service.session() as session:
        assert labels_since(session, house.project, last_run(session, house.project)) == 3
        started(session, house.project)
        assert labels_since(session, house.project, last_run(session, house.project)) == 0


class Trainers:
    """Processes that train."""

    def __init__(self, home: Path, url: str) -> None:
        self._home, self._env = home, environment(home, SELECTS_DATABASE__URL=url)
        self.all: list[subprocess.Popen[bytes]] = []

    def start(self) -> "subprocess.Popen[bytes]":
        with (self._home / f"trainer-{len(self.all)}.log").open("wb") as log:
            words = [*COMMAND, "worker", "--queues", "gpu"]
            made = subprocess.Popen(words, cwd=ROOT, env=self._env, stdout=log, stderr=log, start_new_session=True)
        self.all.append(made)
        return made

    def logs(self) -> str:
        return "\n".join(path.read_text()[-3000:] for path in sorted(self._home.glob("trainer-*.log")))


def test_killed_in_the_middle_another_goes_on(sqlite_template: bytes, tmp_path: Path) -> None:
    """From labels to what is live: once, though the first worker was killed while it trained."""
    url = sqlite_in(tmp_path, sqlite_template)
    with running(tmp_path, url) as service:
        migrate_jobs(service.resources.settings.jobs_url)
        house = studio(service, films=6, clips=20)
        assert planted(house) == 120
        trainers, client = Trainers(tmp_path, url), house.owner()
        try:
            first = trainers.start()
            answer = client.post("/api/training/runs", json={"project": house.project, "propose": "linear"})
            run = f"/api/training/runs/{answer.json()['id']}"

            wait_until(lambda: client.get(run).json()["stage"] in ("read", "fold", "fit"), why=trainers.logs)
            (training,) = trainings(tmp_path)
            first.send_signal(signal.SIGKILL)
            first.wait()
            wait_until(lambda: training not in trainings(tmp_path))
            trainers.start()
            wait_until(lambda: client.get(run).json()["state"] not in ("queued", "running"), why=trainers.logs)
            # It clears up after it has said that it is done.
            wait_until(lambda: not list((tmp_path / "training").iterdir()), why=trainers.logs)
        finally:
            for each in trainers.all:
                each.kill()
                each.wait()
        ended = client.get(run).json()
        assert ended["state"] == "done", (ended, trainers.logs())
        with service.session() as session:
            (version,) = session.exec(select(ModelVersion)).all()
            (live,) = session.exec(select(Live)).all()
            (row,) = session.exec(select(Promotion)).all()
        assert ended["version"] == version.version == live.version == row.version
        assert (version.run_id, live.generation) == (ended["id"], 1)
        assert [path.name for path in (tmp_path / "models").iterdir()] == [version.version]
        assert [path.name for path in (tmp_path / "snapshots").iterdir()] == [ended["snapshot"]]


def trainings(home: Path) -> list[int]:
    """Processes that train for this home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if words[1:4] == ["-m", "trainer", "fit"] and str(home) in words[4]:
            found.append(int(folder.name))
    return found
