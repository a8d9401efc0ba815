"""/ready and /metrics say who serves what: films and trainings are served by workers of their own."""

import pytest
from sqlalchemy import update

from backend.jobs.liveness import enrol
from backend.jobs.models import Worker
from tests.service import Service


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
