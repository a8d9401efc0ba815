"""Films that are deleted, cancelled, moved or changed, at once or while they are analysed: nothing stays behind."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from backend.jobs.models import Job
from backend.library.models import Candidate, Movie
from backend.search.doctor import examine
from tests.films import make_film, run_ffmpeg
from tests.prints import files_of, vectors_of
from tests.workers import LIMIT_S, Works, wait_until


@pytest.fixture(scope="module")
def long_film(root: Path) -> Path:
    """A minute in a form that browsers do not play."""
    film = root / "long.mkv"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=480x270:r=25:d=60", "-c:v", "libx264", "-preset", "ultrafast", film)
    return film


def in_stage(house: Works, added: dict[str, Any], stage: str) -> str:
    """The id of the job when it is in the middle of a stage."""
    job_id: str = added["job"]["id"]

    def there() -> bool:
        job = house.job(job_id)
        assert job.state in ("queued", "running"), job
        return job.stage == stage and job.done > 0

    wait_until(there, LIMIT_S, house.logs)
    return job_id


def left_of(house: Works, sha256: str) -> list[Any]:
    """All that is left of a film."""
    with Session(house.service.resources.reading) as session:
        rows = session.exec(select(Movie.id).where(col(Movie.sha256) == sha256)).all()
    vectors = [ids for ids in vectors_of(house.service.resources, sha256).values() if ids]
    folders = [house.home / kind / sha256 for kind in ("films", "features")]
    return [*rows, *vectors, *files_of(house.home, sha256), *(folder for folder in folders if folder.exists())]


@pytest.mark.parametrize("stage", ["proxy", "scan"])
def test_deleted_while_it_is_analysed(house: Works, root: Path, long_film: Path, stage: str) -> None:
    added = house.add(long_film)
    job_id = in_stage(house, added, stage)
    sha256 = house.job(job_id).request["sha256"]
    assert house.client.delete(f"/api/movies/{added['movie']['id']}").status_code == 204
    assert house.ended(job_id).state == "cancelled", house.logs()
    wait_until(lambda: not left_of(house, sha256), why=lambda: str(left_of(house, sha256)))
    assert long_film.is_file()
    assert examine(house.service.resources).problems == ()


@pytest.mark.parametrize("stage", ["proxy", "scan"])
def test_cancelled_and_tried_again(house: Works, long_film: Path, stage: str) -> None:
    added = house.add(long_film)
    job_id = in_stage(house, added, stage)
    answer = house.client.post(f"/api/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelling")
    assert house.ended(job_id).state == "cancelled"
    shown = house.client.get(f"/api/movies/{added['movie']['id']}").json()
    assert (shown["state"], shown["job"]["problem"]) == ("cancelled", "")
    assert house.client.delete(f"/api/movies/{added['movie']['id']}").status_code == 204


def test_a_deleted_film_comes_back_with_what_people_made(house: Works, root: Path) -> None:
    film = make_film(root / "loved.mp4", frames=200, cuts=(50, 110))
    movie_id = house.done(house.upload(film, title="Loved"))
    clip = {"start_frame": 20, "end_frame": 90, "note": "the best"}
    assert house.client.post(f"/api/movies/{movie_id}/candidates", json=clip).status_code == 201
    movie = house.movie(movie_id)
    assert movie is not None
    sha256 = movie.sha256 or ""
    assert house.client.delete(f"/api/movies/{movie_id}").status_code == 204
    assert left_of(house, sha256) == []
    assert Path(movie.path).is_file(), "the server's own copy stays unless it is asked for"
    with Session(house.service.resources.reading) as session:
        (kept,) = session.exec(select(Candidate).where(col(Candidate.movie_sha256) == sha256)).all()
    assert (kept.source, kept.movie_id, kept.movie_title, kept.note) == ("manual", None, "Loved", "the best")

    again = house.done(house.add(film))
    items = house.client.get(f"/api/movies/{again}/candidates").json()["items"]
    (own,) = [each for each in items if each["source"] == "manual"]
    assert (own["id"], own["start_frame"], own["end_frame"]) == (kept.id, 20, 90)
    assert sum(each["source"] == "ranking" for each in items) > 0


def test_the_copy_of_an_upload_goes_when_asked_for(house: Works, root: Path) -> None:
    movie_id = house.done(house.upload(make_film(root / "sent.mp4", frames=90, cuts=(40,))))
    movie = house.movie(movie_id)
    assert movie is not None
    assert Path(movie.path).is_relative_to(house.home)
    assert house.client.delete(f"/api/movies/{movie_id}", params={"upload": True}).status_code == 204
    assert not Path(movie.path).parent.exists()


def test_a_film_that_was_moved(house: Works, root: Path) -> None:
    film = make_film(root / "here.mp4", frames=70, cuts=(30,))
    movie_id = house.done(house.add(film, title="Moved"))
    (root / "below").mkdir()
    moved = Path(shutil.move(film, root / "below" / "there.mp4"))
    gone = house.client.get(f"/api/movies/{movie_id}/media")
    assert (gone.status_code, "here.mp4" in gone.json()["detail"]) == (404, True)
    assert house.done(house.add(moved)) == movie_id
    assert house.client.get(f"/api/movies/{movie_id}/media").content == moved.read_bytes()
    moved.unlink()
    sent = make_film(root / "sent_again.mp4", frames=70, cuts=(30,))
    known = house.upload(sent)
    assert (known["movie"]["id"], known["known"], known["job"]) == (movie_id, True, None)
    assert house.client.get(f"/api/movies/{movie_id}/media").content == sent.read_bytes()


def test_another_film_at_the_same_path(house: Works, root: Path) -> None:
    film = make_film(root / "weekly.mp4", frames=100, cuts=(50,))
    movie_id = house.done(house.add(film))
    clip = {"start_frame": 0, "end_frame": 60}
    assert house.client.post(f"/api/movies/{movie_id}/candidates", json=clip).status_code == 201
    old = house.movie(movie_id)
    assert old is not None
    make_film(film, frames=140, cuts=(20, 80))
    assert house.done(house.add(film)) == movie_id
    new = house.movie(movie_id)
    assert new is not None
    assert (new.frames, new.sha256 != old.sha256, new.state) == (140, True, "ready")
    shown = house.client.get(f"/api/movies/{movie_id}/shots").json()["items"]
    assert [shot["start_frame"] for shot in shown] == [0, 20, 80]
    assert left_of(house, old.sha256 or "") == []
    with Session(house.service.resources.reading) as session:
        (kept,) = session.exec(select(Candidate).where(col(Candidate.movie_sha256) == old.sha256)).all()
    assert (kept.source, kept.movie_id) == ("manual", None)
    assert examine(house.service.resources).problems == ()


@pytest.mark.parametrize("stage", ["proxy", "scan"])
def test_another_film_takes_its_place_while_it_is_analysed(
    house: Works, root: Path, long_film: Path, stage: str
) -> None:
    """Nothing of the one is said of the other; tried again, it is the new one."""
    film = Path(shutil.copy(long_film, root / f"daily {stage}.mkv"))
    added = house.add(film)
    job_id = in_stage(house, added, stage)
    sha256 = house.job(job_id).request["sha256"]
    make_film(root / "next.mkv", frames=90, cuts=(40,)).replace(film)
    ended = house.ended(job_id)
    assert (ended.state, "was changed while it was analysed" in ended.problem) == ("failed", True), ended.problem
    assert house.client.post(f"/api/jobs/{job_id}/retry").status_code == 200
    assert house.ended(job_id).state == "done"
    movie = house.movie(added["movie"]["id"])
    assert movie is not None
    assert (movie.frames, movie.state, movie.sha256 == sha256) == (90, "ready", False)
    assert left_of(house, sha256) == []
    assert examine(house.service.resources).problems == ()
    assert house.client.delete(f"/api/movies/{movie.id}").status_code == 204


def test_a_file_that_went_away_before_its_turn(house: Works, root: Path) -> None:
    film = make_film(root / "gone.mp4", frames=30)
    added = house.add(film)
    film.unlink()
    job = house.ended(added["job"]["id"])
    if job.state != "done":  # it may have been quick
        assert (job.state, "gone.mp4" in job.problem, "Error" in job.problem) == ("failed", True, False)


def test_a_queued_film_that_is_deleted(house: Works, root: Path, long_film: Path) -> None:
    first = house.add(long_film)
    job_id = in_stage(house, first, "proxy")
    waiting = house.add(make_film(root / "waiting.mp4", frames=30))
    assert waiting["job"]["state"] == "queued"
    for added in (waiting, first):
        assert house.client.delete(f"/api/movies/{added['movie']['id']}").status_code == 204
    assert house.ended(job_id).state == "cancelled"
    ended = house.ended(waiting["job"]["id"])
    assert (ended.state, ended.movie_id, ended.finished_at is None) == ("cancelled", None, False)
    with Session(house.service.resources.reading) as session:
        assert session.exec(select(Job.id).where(col(Job.state) == "cancelling")).all() == []
