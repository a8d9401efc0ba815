"""Training runs: one of a slot at a time, watched, cancelled, limited; and gone on with where a worker was killed."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from backend.errors import Conflict, InputError
from backend.jobs.liveness import bury, enrol
from backend.jobs.queue import migrate_jobs
from backend.jobs.service import Cancelled, Doing, Fenced
from backend.members.service import owner, principal
from backend.scoring.models import Live, ModelVersion, Promotion
from tests.command import COMMAND, ROOT, environment
from tests.curating import studio
from tests.databases import sqlite_in
from tests.service import Service, running
from tests.training import planted
from tests.workers import wait_until
from trainer.fitting import FitFailed, Progress, progress_of, run_to_end
from trainer.models import TrainingRun
from trainer.news import labels_since, last_run
from trainer.runs import service as runs
from trainer.runs.service import Said
from trainer.runs.shapes import RunNew

WORKER = "a worker"


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, database_url) as made:
        migrate_jobs(made.resources.settings.jobs_url)
        yield made


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
    runs.report(session, first, Said("fit", 0.5, 3, 20, 0.4, 12.0))
    session.refresh(run)
    assert (run.state, run.stage, run.fraction, run.epoch, run.epochs, run.loss) == ("running", "fit", 0.5, 3, 20, 0.4)
    runs.claim(session, second, "train", 0.1)
    with pytest.raises(Fenced):
        runs.report(session, first, Said("fit", 0.6))
    with pytest.raises(Fenced):
        runs.fence(session, first)
    runs.finish(session, first, "failed", problem="not mine")
    bury(session, "first")
    with pytest.raises(Fenced):
        runs.finish(session, first, "failed")
    runs.finish(session, second, "done", note="fine")
    session.refresh(run)
    assert (run.state, run.problem, run.note, run.fraction) == ("done", "", "fine", 1.0)


def test_what_is_cancelled_stops_at_its_next_word(session: Session, service: Service) -> None:
    run = started(session, service.project())
    doing = Doing(run.id, run.workflow, WORKER)
    enrol(session, WORKER, ["gpu"])
    runs.claim(session, doing, "train", 0.1)
    who = principal(owner(session))
    runs.cancel(session, service.resources.queue, who, run)
    with pytest.raises(Cancelled):
        runs.report(session, doing, Said("fit", 0.5))
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
    cancelled = client.post(f"/api/training/runs/{run['id']}/cancel").json()
    assert (cancelled["state"], cancelled["note"]) == ("cancelled", "cancelled by owner")
    lines = client.get(f"/api/training/runs/{run['id']}/events").text.splitlines()
    assert [json.loads(line.removeprefix("data: "))["state"] for line in lines if line] == ["cancelled"]
    listed = client.get("/api/training/runs", params={"project": project, "state": "cancelled"}).json()
    assert [each["id"] for each in listed["items"]] == [run["id"]]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_progress_is_heard_and_nonsense_is_not(tmp_path: Path) -> None:
    said = list[Progress]()
    line = '{"stage": "fit", "fraction": 0.5, "epoch": 2, "epochs": 9, "loss": 0.25, "left_s": 3.5}'
    run_to_end(python(f"print('hello'); print('{line}', flush=True); import time; time.sleep(1)"), 60, said.append)
    assert said[-1] == Progress("fit", 0.5, 2, 9, 0.25, 3.5)
    for nonsense in (b"", b"[]", b'{"stage": "fit", "loss": "much"}', b'"fit"', b"\xff"):
        assert progress_of(nonsense) is None
    assert progress_of(b'{"stage": "fit", "fraction": 7, "loss": NaN}') == Progress("fit", 1.0)


def test_how_a_training_fails() -> None:
    with pytest.raises(InputError, match=r"^One film only\.$"):
        run_to_end(python("import sys; sys.stderr.write('One film only.'); sys.exit(2)"), 60, lambda _: None)
    with pytest.raises(FitFailed, match="code 7: oh"):
        run_to_end(python("import sys; sys.stderr.write('oh'); sys.exit(7)"), 60, lambda _: None)
    with pytest.raises(FitFailed, match=r"code -9"):
        run_to_end(python("import os; os.kill(os.getpid(), 9)"), 60, lambda _: None)


@pytest.mark.parametrize("quiet", [False, True], ids=["it talks", "it closes its output"])
def test_a_training_that_takes_too_long_is_ended(tmp_path: Path, quiet: bool) -> None:
    mark = tmp_path / "pid"
    words = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid()))"
    close = "; os.close(1); os.close(2)" if quiet else ""
    with pytest.raises(FitFailed, match=r"longer than 1\.5 seconds"):
        run_to_end(python(f"{words}{close}; time.sleep(60)"), 1.5, lambda _: None)
    assert not Path(f"/proc/{mark.read_text()}").exists()


def test_who_hears_of_it_can_end_it(tmp_path: Path) -> None:
    def told(_: Progress) -> None:
        raise Cancelled

    began = time.monotonic()
    with pytest.raises(Cancelled):
        run_to_end(python("import time; time.sleep(60)"), 60, told)
    assert time.monotonic() - began < 5


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

            wait_until(lambda: client.get(run).json()["stage"] in ("read", "fold", "fit"), 90, trainers.logs)
            (training,) = trainings(tmp_path)
            first.send_signal(signal.SIGKILL)
            first.wait()
            wait_until(lambda: training not in trainings(tmp_path), 10)
            trainers.start()
            wait_until(lambda: client.get(run).json()["state"] not in ("queued", "running"), 240, trainers.logs)
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
        assert list((tmp_path / "training").iterdir()) == []
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
