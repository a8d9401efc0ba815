"""A film comes in, by upload or by path: all stages with a real worker, a real vector server and real films."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from backend.jobs.models import JobStage
from backend.library.models import Movie
from backend.search.doctor import examine
from tests.films import make_film, read_film, run_ffmpeg
from tests.prints import files_of, print_of
from tests.workers import Works

STAGES = {"probe", "proxy", "scan", "features", "index", "clusters", "candidates"}
FRAMES = 250


@pytest.fixture(scope="module")
def film(root: Path) -> Path:
    return make_film(root / "a_walk.mp4", frames=FRAMES, cuts=(60, 130, 190), clicks_s=(1, 4, 7))


@pytest.fixture(scope="module")
def taken_in(house: Works, film: Path) -> int:
    """The id of the film, uploaded and analysed."""
    return house.done(house.upload(film, title="A walk", year="2024", genres="Drama, Nature"))


def get(house: Works, address: str, **params: Any) -> Any:
    answer = house.client.get(f"/api{address}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_an_upload_goes_through_all_stages(house: Works, taken_in: int, film: Path) -> None:
    shown = get(house, f"/movies/{taken_in}")
    assert (shown["title"], shown["year"], shown["genres"]) == ("A walk", 2024, ["Drama", "Nature"])
    assert (shown["state"], shown["frames"], shown["rate"], shown["width"]) == ("ready", FRAMES, "25/1", 320)
    assert shown["job"]["state"] == "done"
    assert shown["job"]["fraction"] == 1.0
    shots = get(house, f"/movies/{taken_in}/shots")["items"]
    assert [shot["start_frame"] for shot in shots] == [0, 60, 130, 190]
    assert shown["shots"] == 4
    assert get(house, f"/movies/{taken_in}/scenes")["items"][-1]["end_shot"] == 4
    assert get(house, f"/movies/{taken_in}/candidates")["items"][0]["rank"] == 1
    picture = house.client.get(shots[0]["picture"])
    assert (picture.status_code, picture.content[:3]) == (200, b"\xff\xd8\xff")
    with Session(house.service.resources.reading) as session:
        stages = session.exec(select(JobStage.stage).where(JobStage.job_id == shown["job"]["id"])).all()
    assert sorted(stages) == sorted(STAGES)
    assert examine(house.service.resources).problems == ()
    assert len(print_of(house.service.resources, taken_in)["vectors"]["efficientnet"]) == 4


def test_the_same_file_is_one_film(house: Works, taken_in: int, film: Path, root: Path) -> None:
    with Session(house.service.resources.reading) as session:
        stored = Path(session.get_one(Movie, taken_in).path)
    known = house.upload(film)
    assert (known["known"], known["job"], known["movie"]["id"]) == (True, None, taken_in)
    copy = Path(shutil.copy(film, root / "another name.mp4"))
    by_path = house.add(copy)
    assert house.done(by_path) == taken_in
    assert "is the same file as 'A walk'" in house.job(by_path["job"]["id"]).note
    assert house.client.get(f"/api/movies/{by_path['movie']['id']}").status_code == 404
    again = house.add(copy)
    assert (again["known"], again["movie"]["id"]) == (True, taken_in), "its checksum is remembered"
    assert get(house, "/movies", project=house.project, text="A walk")["total"] == 1
    assert [path.name for path in stored.parent.iterdir()] == [film.name]


def test_two_at_once_are_one_film(house: Works, root: Path) -> None:
    twin = make_film(root / "twin.mp4", frames=120, cuts=(50,))
    added: list[dict[str, Any]] = []
    ways = (house.upload, house.upload, house.add, house.add)
    threads = [threading.Thread(target=lambda way=way: added.append(way(twin))) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(added) == len(ways)
    assert len({house.done(each) for each in added if each["job"]}) == 1
    assert get(house, "/movies", project=house.project, text="twin")["total"] == 1


def test_progress_is_told(house: Works, root: Path) -> None:
    longer = root / "longer.mp4"  # so that even a fast machine is seen at it
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=480x270:r=25:d=240", "-c:v", "libx264", "-preset", "ultrafast", longer)
    job_id = house.add(longer)["job"]["id"]
    with house.client.stream("GET", f"/api/jobs/{job_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]
    assert seen[-1] == get(house, f"/jobs/{job_id}")
    assert (seen[-1]["state"], seen[-1]["fraction"]) == ("done", 1.0)
    fractions = [each["fraction"] for each in seen]
    assert fractions == sorted(fractions)
    scans = [each for each in seen if each["stage"] == "scan" and each["unit"] == "frames" and each["speed"]]
    assert scans, [each["stage"] for each in seen]
    assert all(0 < each["done"] <= each["of"] and each["eta_s"] >= 0 for each in scans)


def test_what_cannot_be_read_fails_in_words(house: Works, root: Path) -> None:
    broken = root / "broken.mp4"
    broken.write_bytes(b"no film at all " * 1000)
    added = house.add(broken)
    job = house.ended(added["job"]["id"])
    assert job.state == "failed"
    assert job.problem.startswith("Cannot read 'broken.mp4': ")
    shown = get(house, f"/movies/{added['movie']['id']}")
    assert (shown["state"], shown["problem"]) == ("failed", job.problem)
    retried = house.client.post(f"/api/jobs/{job.id}/retry")
    assert retried.status_code == 200
    assert house.ended(job.id).state == "failed"
    make_film(broken, frames=100)
    assert house.client.post(f"/api/jobs/{job.id}/retry").status_code == 200
    assert house.ended(job.id).state == "done"
    assert house.client.post(f"/api/jobs/{job.id}/retry").status_code == 409


def test_what_browsers_do_not_play_gets_a_copy(house: Works, root: Path) -> None:
    film = make_film(root / "archive.mov", frames=80, cuts=(30,), codec="prores_ks", pixel_format="yuv422p10le")
    added = house.add(film)
    movie_id = house.done(added)
    assert "a copy for browsers was made" in house.job(added["job"]["id"]).note
    whole = house.client.get(f"/api/movies/{movie_id}/media")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
    part = house.client.get(f"/api/movies/{movie_id}/media", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole.content[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole.content)}"
    copy = root / "played.mp4"
    copy.write_bytes(whole.content)
    assert read_film(copy).numbers == tuple(range(80))
    assert read_film(copy).codec == "h264"


def test_another_audio_track_is_heard(house: Works, root: Path) -> None:
    """The second track has sound only in the second half; browsers play the first, so there is a copy with it."""
    film, two = make_film(root / "one.mp4", frames=150, clicks_s=None), root / "two.mp4"
    late = "aevalsrc='if(gt(t,3),0.5*sin(880*t),0)':d=6"
    sound = ["-f", "lavfi", "-i", "aevalsrc='0.5*sin(440*t)':d=6", "-f", "lavfi", "-i", late]
    run_ffmpeg("-i", film, *sound, "-map", 0, "-map", 1, "-map", 2, "-c:v", "copy", "-c:a", "aac", two)
    movie_id = house.done(house.add(two, audio_track=1))
    movie = house.movie(movie_id)
    assert movie is not None
    assert [track["number"] for track in movie.tracks] == [0, 1]
    assert movie.proxy.endswith("-1.mp4")
    loud = house.service.resources.shelf.get(movie).known.sound.loudness_db
    assert loud[1] < -50 < loud[4]
    wrong = house.add(film, audio_track=5)
    assert house.ended(wrong["job"]["id"]).problem == "Cannot read 'one.mp4': it has no audio track 5."


def test_the_original_is_never_touched(house: Works, root: Path) -> None:
    film = make_film(root / "kept.mp4", frames=60)
    before = (film.read_bytes(), film.stat().st_mtime_ns)
    movie_id = house.done(house.add(film))
    movie = house.movie(movie_id)
    assert movie is not None
    sha256 = movie.sha256 or ""
    assert files_of(house.home, sha256)
    assert house.client.delete(f"/api/movies/{movie_id}", params={"upload": True}).status_code == 204
    assert (film.read_bytes(), film.stat().st_mtime_ns) == before
    assert files_of(house.home, sha256) == {}
    assert house.client.get(f"/api/movies/{movie_id}").status_code == 404
    assert examine(house.service.resources).problems == ()
