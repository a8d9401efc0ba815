"""Machines that share rows, vectors and a store of media, and no disk: two have the API, another the worker."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from backend.jobs.models import OPEN, Job, Worker
from backend.jobs.queue import migrate_jobs
from backend.search.doctor import examine
from backend.search.repair import repair
from backend.store import media
from backend.store.remote import Remote
from tests.command import COMMAND, ROOT, environment
from tests.databases import database
from tests.films import make_film
from tests.ports import free_port
from tests.service import Service, running
from tests.stores import Bucket, everything
from tests.trained import enter
from tests.vectors import Server
from tests.workers import wait_until

FRAMES = 250


@dataclass(frozen=True)
class Machines:
    """Machine A, which is here, and machines B and C, which are processes with other homes."""

    api: Service
    client: TestClient
    worker_home: Path
    store: str
    project: int
    settings: dict[str, str]

    def get(self, address: str, **params: Any) -> Any:
        """What A answers."""
        answer = self.client.get(f"/api{address}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ended(self, job_id: str) -> Job:
        """A job when it has ended."""

        def job() -> Job:
            with Session(self.api.resources.reading) as session:
                return session.get_one(Job, job_id)

        wait_until(lambda: job().state not in OPEN, why=lambda: (self.worker_home / "log").read_text()[-3000:])
        return job()

    def workers(self) -> list[str]:
        """Who has said that it is there."""
        with Session(self.api.resources.reading) as session:
            return list(session.exec(select(Worker.name)).all())


@pytest.fixture(scope="module")
def machines(
    tmp_path_factory: pytest.TempPathFactory, s3: Bucket, postgresql: str, postgresql_template: str, chroma: Server
) -> Iterator[Machines]:
    """Both machines, at work."""
    base = tmp_path_factory.mktemp("machines")
    store = s3.address(f"machines/{base.name}")
    with (
        database(postgresql, postgresql_template) as url,
        running(base / "a", url, vectors=chroma.section, media={"store": store}) as api,
    ):
        migrate_jobs(api.resources.settings.jobs_url)
        settings = {
            "SELECTS_DATABASE__URL": url,
            "SELECTS_VECTORS__PORT": str(chroma.port),
            "SELECTS_ANALYSIS__TRANSCRIBE": "false",
            "SELECTS_MEDIA__STORE": store,
        }
        made = Machines(api, api.client(api.token()), base / "b", store, api.project(), settings)
        with worker(made):
            yield made


@contextmanager
def process(home: Path, settings: dict[str, str], *words: str) -> Iterator[None]:
    """A command on a machine of its own."""
    home.mkdir()
    with (home / "log").open("wb") as log:
        started = subprocess.Popen(
            [*COMMAND, *words],
            cwd=ROOT,
            env=environment(home, **settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()


@contextmanager
def worker(machines: Machines) -> Iterator[None]:
    with process(machines.worker_home, machines.settings, "worker"):
        wait_until(lambda: bool(machines.workers()), why=(machines.worker_home / "log").read_text)
        yield


@pytest.fixture(scope="module")
def other(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Machine C: another API process, asked by the same person."""
    home, port = tmp_path_factory.mktemp("c") / "home", free_port()
    token = machines.api.token()
    with process(home, machines.settings | {"SELECTS_SERVER__PORT": str(port)}, "serve"):
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            wait_until(lambda: answers(client), why=(home / "log").read_text)
            yield client


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health").is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def film(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A film that browsers do not play, uploaded at A and analysed at B."""
    path = make_film(
        tmp_path_factory.mktemp("film") / "archive.mov",
        frames=FRAMES,
        cuts=(60, 130, 190),
        codec="prores_ks",
        pixel_format="yuv422p10le",
    )
    with path.open("rb") as file:
        form = {"project": str(machines.project), "title": "From the archive"}
        added = machines.client.post("/api/movies", data=form, files={"file": (path.name, file)})
    assert added.status_code == 202, added.text
    job = machines.ended(added.json()["job"]["id"])
    assert job.state == "done", job.problem
    return machines.get(f"/movies/{job.movie_id}")


def test_what_one_machine_makes_another_shows(machines: Machines, film: dict[str, Any]) -> None:
    home = machines.api.resources.home
    assert not (home / "films").exists(), "A has something of the film that it did not ask for"
    number = film["id"]
    assert (film["state"], film["frames"], film["shots"]) == ("ready", FRAMES, 4)
    shots = machines.get(f"/movies/{number}/shots")["items"]
    picture = machines.client.get(shots[0]["picture"])
    assert (picture.status_code, picture.content[:3]) == (200, b"\xff\xd8\xff")
    whole = machines.client.get(f"/api/movies/{number}/media")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    part = machines.client.get(f"/api/movies/{number}/media", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole.content[1000:2000])
    assert machines.get(f"/movies/{number}/candidates")["items"][0]["rank"] == 1
    scored = machines.client.post("/api/score", json={"movie": number, "min": 2, "max": 8})
    assert scored.status_code == 200, scored.text
    assert scored.json()["clips"]
    found = machines.get("/similar", movie=number, shot=0, project=machines.project)
    assert [each["shot"] for each in found["items"]] != []


def test_a_film_is_found_by_the_search_of_all(machines: Machines, film: dict[str, Any], other: httpx.Client) -> None:
    asked = {"movie": film["id"], "shot": 0, "project": machines.project}
    here, there = machines.get("/similar", **asked), other.get("/api/similar", params=asked).json()
    assert [each["shot"] for each in here["items"]] == [each["shot"] for each in there["items"]] != []
    copy = other.get(f"/api/movies/{film['id']}/media", headers={"Range": "bytes=1000-1999"})
    assert copy.status_code == 206
    assert copy.content == machines.client.get(f"/api/movies/{film['id']}/media").content[1000:2000]


def test_a_decision_made_at_one_is_seen_at_the_other(
    machines: Machines, film: dict[str, Any], other: httpx.Client
) -> None:
    clip = machines.get(f"/movies/{film['id']}/candidates")["items"][0]
    said = {"candidate": clip["id"], "verdict": "approve", "key": "from-a-browser"}
    first = machines.client.post("/api/decisions", json=said)
    again = other.post("/api/decisions", json=said)  # the answer was lost, and the proxy sent it elsewhere
    assert first.is_success, first.text
    assert again.json()["id"] == first.json()["id"]
    assert other.get(f"/api/movies/{film['id']}").json()["approved"] == 1
    undone = other.post(f"/api/decisions/{first.json()['id']}/undo", json={"key": "and-back"})
    assert undone.is_success, undone.text
    assert machines.get(f"/movies/{film['id']}")["approved"] == 0


def test_a_question_is_given_out_once(machines: Machines, film: dict[str, Any], other: httpx.Client) -> None:
    ada, ben = (machines.api.member(machines.project, "curator", name) for name in ("Ada", "Ben"))
    wanted = {"project": machines.project, "k": 2}
    here = machines.api.client(ada).get("/api/queue/next", params=wanted)
    there = other.get("/api/queue/next", params=wanted, headers={"Authorization": f"Bearer {ben}"})
    given = [{each["candidate"]["id"] for each in answer.json()["items"]} for answer in (here, there)]
    assert given[0], here.text
    assert not given[0] & given[1]


def test_a_promoted_model_is_used_by_all(machines: Machines, film: dict[str, Any], other: httpx.Client) -> None:
    enter(machines.api, machines.project, "loud", 1)
    promoted = other.post("/api/models/loud/promote")
    assert promoted.is_success, promoted.text

    def used(client: Any) -> str:
        said = client.post("/api/score", json={"movie": film["id"], "min": 2, "max": 8})
        return str(said.json()["model"]) if said.status_code == 200 else said.text

    for client in (machines.client, other):
        wait_until(lambda: "loud" in used(client), why=lambda: used(client))  # noqa: B023  called at once
    scores = [
        client.post("/api/score", json={"movie": film["id"], "min": 2, "max": 8}).json()["clips"][0]["score"]
        for client in (machines.client, other)
    ]
    assert scores[0] == scores[1]


def test_a_session_is_known_everywhere_and_ends_everywhere(machines: Machines, other: httpx.Client) -> None:
    with httpx.Client(base_url=other.base_url) as browser:
        signed_in = browser.post("/signin", data={"token": machines.api.token()})
        assert signed_in.status_code in (200, 303), signed_in.text
        cookie = {"selects_session": browser.cookies["selects_session"]}
        here = machines.api.client(cookies=cookie)
        assert here.get("/api/projects").status_code == 200
        assert here.delete("/api/session").status_code == 204
        assert browser.get("/api/projects").status_code == 401


def test_the_doctor_compares_the_store_too(machines: Machines, film: dict[str, Any]) -> None:
    resources = machines.api.resources
    assert examine(resources).problems == ()
    stray = f"films/{'e' * 64}/sound-v2.npz"
    (names,) = [name for name in everything(machines.store) if name.startswith("features/") and "dynamics" in name]
    Remote(machines.store).put(resources.home / names, stray)
    Remote(machines.store).delete(names)
    report = examine(resources)
    assert [each.way for each in report.problems] == ["store", "store"]
    assert "is not in the media store" in report.problems[0].detail
    assert "e" * 64 in report.problems[1].detail
    _, after = repair(resources, report)
    assert after.problems == ()
    assert names in everything(machines.store)
    assert stray not in everything(machines.store)


def test_what_is_deleted_is_gone_from_the_store(machines: Machines, film: dict[str, Any]) -> None:
    poster = machines.client.put(f"/api/movies/{film['id']}/poster", content=b"\xff\xd8\xff rest")
    assert poster.status_code == 200
    held = everything(machines.store)
    assert {name.partition("/")[0] for name in held} == {"films", "features", "uploads", "posters", "models"}
    gone = machines.client.delete(f"/api/movies/{film['id']}", params={"upload": True})
    assert gone.status_code == 204, gone.text
    assert [name for name in everything(machines.store) if not name.startswith("models/")] == []
    assert examine(machines.api.resources).problems == ()
    assert not media.there(machines.api.resources.home / "uploads" / film["sha256"])
