"""/ready and /metrics say who serves what: films and trainings are served by workers of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from backend.jobs.liveness import enrol
from backend.jobs.models import Worker
from tests.databases import sqlite_in
from tests.service import Service, running
from tests.test_bad_calls import tiny_disk  # noqa: F401  a fixture


@pytest.mark.parametrize(
    ("queues", "films_wait", "trainings_wait"),
    [((), True, True), (("gpu",), True, False), (("cpu",), False, True), (("cpu", "gpu"), False, False)],
)
def test_what_nobody_serves_is_said(
    service: Service, queues: tuple[str, ...], films_wait: bool, trainings_wait: bool
) -> None:
    if queues:
        with service.session() as session:
            enrol(session, "a worker", queues)
            session.execute(update(Worker).values(beat=Worker.beat + 3600))  # heard of, however slow the machine
            session.commit()
    client = service.client(service.token())
    said = client.get("/ready").json()
    assert ("selects worker" in said["checks"]["workers"]) is films_wait
    assert any("selects trainer" in note for note in said["notes"]) is trainings_wait
    figures = client.get("/metrics").text
    assert f'selects_workers{{queue="cpu"}} {float("cpu" in queues)}' in figures
    assert f'selects_workers{{queue="gpu"}} {float("gpu" in queues)}' in figures


def test_a_disk_that_is_nearly_full_is_noted(
    tiny_disk: Callable[[str], Path],  # noqa: F811
    tmp_path: Path,
    sqlite_template: bytes,
) -> None:
    url = sqlite_in(tmp_path, sqlite_template)
    with running(tiny_disk("size=8m"), url) as service:
        assert any("MiB are left on the disk of SELECTS_HOME" in each for each in noted(service))
    if shutil.disk_usage(tmp_path).free > 1 << 30:
        with running(tmp_path, url) as service:
            assert not any("MiB are left" in each for each in noted(service))


def noted(service: Service) -> list[str]:
    notes: list[str] = service.client().get("/ready").json()["notes"]
    return notes
