"""References as rows, on both databases: who comes in twice, what is withdrawn, what goes with what."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.jobs.models import Job
from backend.jobs.queue import migrate_jobs
from backend.library.models import Movie
from backend.library.service import delete_movie
from labeling.references.models import Reference, ReferenceInterval
from tests.service import Service, running

FILM = "5e" * 32


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[Service]:
    for name in ("films", "home"):
        (tmp_path / name).mkdir()
    with running(tmp_path / "home", database_url, media={"roots": [tmp_path / "films"]}) as made:
        migrate_jobs(made.resources.settings.jobs_url)
        yield made


@pytest.fixture
def movie(service: Service) -> int:
    """The id of a film that is analysed, as far as its row says."""
    return new_movie(service, service.project())


def new_movie(service: Service, project: int, **facts: Any) -> int:
    row: dict[str, Any] = {"sha256": FILM, "scan_key": "s", "state": "ready", "rate": "24/1", "frames": 2400}
    with service.session() as session:
        movie = Movie(project_id=project, path="/films/a.mp4", title="A", **(row | facts))
        session.add(movie)
        session.commit()
        return movie.id or 0


def upload(service: Service, movie: int, name: str = "promo.mp4", content: bytes = b"promo", **more: str) -> Any:
    client = service.client(service.token())
    return client.post("/api/references", data={"movie": str(movie), **more}, files={"file": (name, content)})


def accepted(answer: httpx.Response, status: int = 202) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def get(service: Service, address: str, **params: Any) -> Any:
    return accepted(service.client(service.token()).get(f"/api{address}", params=params), 200)


def files(service: Service) -> list[str]:
    """What lies in the folder of references, but for locks and checksums."""
    base = service.resources.home / "references"
    found = (path for path in base.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(str(path.relative_to(base)) for path in found if path.name != "checksums.json")


def aligned(service: Service, reference: int, spans: list[tuple[int, int]]) -> None:
    """As its job leaves it."""
    with service.session() as session:
        row = session.get_one(Reference, reference)
        row.aligned_at = utc_now()
        session.add(row)
        for job in session.exec(select(Job).where(col(Job.id) == row.job_id)):
            job.state = "done"
            session.add(job)
        for number, (start, end) in enumerate(spans):
            seconds = {"start_s": start / 24, "end_s": end / 24}
            session.add(
                ReferenceInterval(reference_id=reference, number=number, start_frame=start, end_frame=end, **seconds)
            )
        session.commit()


def test_the_same_file_is_one_reference_of_a_film(service: Service, movie: int, tmp_path: Path) -> None:
    added = accepted(upload(service, movie))
    assert (added["known"], added["reference"]["state"], added["reference"]["kind"]) == (False, "waiting", "trailer")
    assert (added["job"]["kind"], added["job"]["movie_id"]) == ("reference", movie)
    (tmp_path / "films" / "copy.mp4").write_bytes(b"promo")
    body = {"movie": movie, "path": "copy.mp4"}
    again = accepted(service.client(service.token()).post("/api/references", json=body))
    assert (again["known"], again["job"]["id"]) == (True, added["job"]["id"])
    assert files(service) == [f"uploads/{again_sha(service)}/promo.mp4"]
    aligned(service, added["reference"]["id"], [(0, 48)])
    known = accepted(upload(service, movie), 200)
    assert (known["known"], known["job"], known["reference"]["state"]) == (True, None, "ready")
    assert get(service, "/references", movie=movie)["total"] == 1
    other = new_movie(service, service.project("Other"))
    assert accepted(upload(service, other))["reference"]["id"] != added["reference"]["id"]


def again_sha(service: Service) -> str:
    with Session(service.resources.reading) as session:
        return session.exec(select(Reference.sha256)).first() or ""


def test_a_reference_that_failed_or_is_asked_for_otherwise_is_aligned_anew(service: Service, movie: int) -> None:
    added = accepted(upload(service, movie, "cut.edl", b"TITLE: x"))
    assert added["reference"]["kind"] == "edit"
    with service.session() as session:
        job = session.get_one(Job, added["job"]["id"])
        job.state, job.problem = "failed", "It is no edit."
        session.add(job)
        session.commit()
    shown = get(service, f"/references/{added['reference']['id']}")
    assert (shown["state"], shown["problem"]) == ("failed", "It is no edit.")
    assert get(service, f"/movies/{movie}")["state"] == "ready", "the film has nothing to do with it"
    again = accepted(upload(service, movie, "cut.edl", b"TITLE: x"))
    assert again["known"]
    assert again["job"]["id"] != added["job"]["id"]
    aligned(service, added["reference"]["id"], [])
    renamed = accepted(upload(service, movie, "cut.edl", b"TITLE: x", film_called="REEL1"))
    assert renamed["reference"]["film_called"] == "REEL1"
    assert renamed["job"]["id"] not in (added["job"]["id"], again["job"]["id"])


def test_intervals_are_withdrawn_and_restored(service: Service, movie: int) -> None:
    reference = accepted(upload(service, movie))["reference"]["id"]
    aligned(service, reference, [(0, 48), (100, 200)])
    listed = get(service, f"/references/{reference}/intervals", limit=1)
    assert (listed["total"], listed["next"], listed["items"][0]["start_frame"]) == (2, 1, 0)
    client, own = service.client(service.token()), f"/api/references/{reference}/intervals"
    interval = listed["items"][0]["id"]
    for _ in range(2):
        gone = accepted(client.post(f"{own}/{interval}/withdraw"), 200)
        assert (gone["withdrawn"], bool(gone["withdrawn_by"]), bool(gone["withdrawn_at"])) == (True, True, True)
    assert get(service, f"/references/{reference}")["withdrawn"] == 1
    back = accepted(client.post(f"{own}/{interval}/restore"), 200)
    assert (back["withdrawn"], back["withdrawn_by"], back["withdrawn_at"]) == (False, "", None)
    assert client.post(f"{own}/9999/withdraw").status_code == 404
    other = accepted(upload(service, movie, content=b"another"))["reference"]["id"]
    assert client.post(f"/api/references/{other}/intervals/{interval}/withdraw").status_code == 404


def test_a_reference_goes_with_its_file_and_its_intervals(service: Service, movie: int) -> None:
    reference, kept = (accepted(upload(service, movie, content=c))["reference"]["id"] for c in (b"one", b"two"))
    aligned(service, reference, [(0, 48)])
    assert len(files(service)) == 2
    client = service.client(service.token())
    assert client.delete(f"/api/references/{reference}").status_code == 204
    assert client.get(f"/api/references/{reference}").status_code == 404
    assert len(files(service)) == 1
    with Session(service.resources.reading) as session:
        assert session.exec(select(ReferenceInterval)).all() == []
    with service.session() as session:
        delete_movie(session, service.resources, session.get_one(Movie, movie))
    assert client.get(f"/api/references/{kept}").status_code == 404
    later = new_movie(service, service.project("Later"))
    accepted(upload(service, later, content=b"three"))
    assert len(files(service)) == 1, "what went with its film goes when the next one comes"


def test_another_file_of_the_film_makes_a_reference_outdated(service: Service, movie: int) -> None:
    reference = accepted(upload(service, movie))["reference"]["id"]
    aligned(service, reference, [(0, 48)])
    with service.session() as session:
        row = session.get_one(Movie, movie)
        row.sha256 = "6f" * 32
        session.add(row)
        session.commit()
    shown = get(service, f"/references/{reference}")
    assert (shown["state"], "add the reference again" in shown["problem"]) == ("outdated", True)
    assert get(service, f"/references/{reference}/labels")["items"] == []
    anew = accepted(upload(service, movie))
    assert (anew["known"], anew["reference"]["id"], anew["reference"]["state"]) == (True, reference, "waiting")


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        ({"movie": "1", "name": "a.exe"}, 422, "does not end like a trailer or an edit list"),
        ({"movie": "1", "name": "../a.edl"}, 422, "without folders"),
        ({"movie": "x"}, 422, "movie"),
        ({"movie": "77"}, 404, "There is no film 77"),
        ({"movie": "1", "content": b""}, 422, "is empty"),
        ({"movie": "1", "film_called": "x" * 201}, 422, "film_called"),
    ],
    ids=["ending", "name", "movie", "no film", "empty", "called"],
)
def test_what_is_refused_leaves_nothing(
    service: Service, movie: int, sent: dict[str, Any], status: int, says: str
) -> None:
    answer = upload(service, **sent)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert files(service) == []


def test_a_film_that_is_not_analysed_and_the_film_itself(service: Service, tmp_path: Path) -> None:
    waiting = new_movie(service, service.project(), scan_key="", state="waiting")
    answer = upload(service, waiting)
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    own = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
    itself = new_movie(service, service.project("Itself"), sha256=own)
    answer = upload(service, itself, content=b"hello world")
    assert (answer.status_code, "is the film itself" in answer.json()["detail"]) == (409, True)
    (tmp_path / "elsewhere.mp4").write_bytes(b"promo")
    body = {"movie": itself, "path": str(tmp_path / "elsewhere.mp4")}
    outside = service.client(service.token()).post("/api/references", json=body)
    assert (outside.status_code, outside.json()["error"]) == (422, "PathNotAllowed")
    assert files(service) == []
