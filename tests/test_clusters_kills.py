"""`kill -9` of the worker that clusters all anew, while people correct: done once, and what was said holds."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from backend.clusters.doctor import astray
from backend.clusters.figures import off
from backend.clusters.models import KINDS, Clustering
from backend.jobs.models import OPEN, Job, JobStage
from tests.databases import sqlite_in
from tests.grouped import Table, painted, table
from tests.vectors import Server
from tests.workers import LIMIT_S, Works, wait_until, works

SIZES = [150] * 12
NOISE_ITEMS = 600


@pytest.fixture
def killed_house(chroma: Server, sqlite_template: bytes, tmp_path: Path) -> Iterator[Works]:
    with works(tmp_path, sqlite_in(tmp_path, sqlite_template), chroma) as made:
        yield made


def kill_busy(house: Works, workers: list["subprocess.Popen[bytes]"], job_id: str, wait_s: float) -> None:
    """Kill the worker that has the job, a moment after it began or took over; another is there already."""
    names = {house.name_of(each): each for each in workers}
    wait_until(lambda: house.job(job_id).state != "queued" and house.job(job_id).worker in names, LIMIT_S, house.logs)
    time.sleep(wait_s)
    assert house.job(job_id).state in OPEN, "it was too fast to be killed"
    busy = names[house.job(job_id).worker]
    busy.send_signal(signal.SIGKILL)
    busy.wait()
    workers.remove(busy)


def test_a_worker_that_is_killed_while_it_clusters(killed_house: Works) -> None:
    house, rng = killed_house, random.Random(11)
    desk, (first, second, *_, noise) = table(house.service.resources, SIZES, NOISE_ITEMS)
    # Half of each cluster looks like the next one: what is clustered anew lies otherwise than before.
    painted(desk, [(at // 150 + at % 2) % 12 for at in range(1800)] + [12 + at % 300 for at in range(600)])
    one, other, *_ = sorted(desk.clusters())
    desk.rename(one, "Kitchen")
    desk.move(other, first[3], noise[5])
    desk.remove(other, second[8])
    taken_back = desk.move(one, second[0])
    workers = [house.start_worker() for _ in range(3)]
    asked = house.client.post("/api/clusters/refresh", params={"project": desk.project}).json()["id"]
    with ThreadPoolExecutor(1) as pool:
        moving = pool.submit(move_until_ended, house, desk, asked, (other, noise[20:-20]))
        kill_busy(house, workers, asked, rng.random() * 0.4)
        desk.move(one, second[1])  # nobody works at it now
        desk.undo(taken_back)
        kill_busy(house, workers, asked, rng.random() * 0.4)
        attic = desk.new(*noise[-3:], name="Attic").correction.cluster
        ended, moved = house.ended(asked), moving.result()
    assert (ended.state, ended.problem, ended.attempts) == ("done", "", 0)
    lies, clusters = desk.lies(), desk.clusters()
    assert {lies[item] for item in moved} == {(other, True)}, f"{len(moved)} were moved meanwhile"
    assert (lies[first[3]], lies[noise[5]], lies[second[1]]) == ((other, True), (other, True), (one, True))
    assert lies[second[8]][0] != other
    assert lies[second[0]] != (one, True)
    assert [lies[item] for item in noise[-3:]] == [(attic, True)] * 3
    assert (clusters[one].name, clusters[attic or 0].name) == ("Kitchen", "Attic")
    assert len(lies) == sum(SIZES) + NOISE_ITEMS
    once(house, desk, asked)


def move_until_ended(house: Works, desk: Table, job_id: str, said: tuple[int, list[int]]) -> list[int]:
    """Move items to a cluster, one after the other, until the job has ended; those that were moved."""
    to, items = said
    for count, item in enumerate(items):
        if house.job(job_id).state not in OPEN:
            return items[:count]
        desk.move(to, item)
        time.sleep(0.05)
    return items


def once(house: Works, desk: Table, asked: str) -> None:
    """Nothing was done twice, and what is said of clusters is so."""
    with Session(house.service.resources.reading) as session:
        assert [off(session, desk.project, kind) for kind in KINDS] == [[], []]
        assert astray(session) == []
        stages = [(row.job_id, row.stage) for row in session.exec(select(JobStage)).all()]
        jobs: list[Any] = list(session.exec(select(Job.id)).all())
        clustering = session.get_one(Clustering, (desk.project, desk.kind))
    assert sorted(stages) == [(asked, "clusters character"), (asked, "clusters scene")]
    assert jobs == [asked]
    assert (clustering.full, clustering.space) == (sum(SIZES) + NOISE_ITEMS, "efficientnet")
