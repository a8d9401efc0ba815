"""The clips of a list are rendered by a real worker: whole, cancelled, gone on with after kill -9, and never twice."""

import hashlib
import io
import json
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, col, select, update

from backend.library.models import Movie
from labeling.lists.doctor import examine
from labeling.lists.models import ListExport
from labeling.lists.removing import bound, tidy
from labeling.lists.rendered import folder_of
from tests.command import selects
from tests.films import damaged, make_film, run_ffmpeg
from tests.listing import Desk, desk
from tests.vectors import new_server
from tests.workers import Works, wait_until, works

RATE = 25
CLIPS = 6


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty seconds that are worth some work."""
    path = tmp_path_factory.mktemp("film") / "Harbour „1“.mp4"
    picture = f"testsrc2=s=640x360:r={RATE}:d=40"
    sound = "sine=440:sample_rate=48000:d=40"
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest"]
    run_ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, *codec, path)
    return path


@pytest.fixture
def works_here(tmp_path: Path, database_url: str) -> Iterator[Works]:
    """A service of the test's own, without a worker yet."""
    with works(tmp_path, database_url, new_server(tmp_path / "server")) as made:
        yield made


def at_work(house: Works, film: Path) -> Desk:
    """A project with the film, and a curator; nothing is rendered yet."""
    made = desk(house.service, films=1, clips=0)
    facts = {"path": str(film), "frames": 40 * RATE, "width": 640, "height": 360}
    with house.service.session() as session:
        session.execute(update(Movie).where(col(Movie.id) == made.studio.movies[0]).values(**facts))
        session.commit()
    shutil.rmtree(folder_of(house.home), ignore_errors=True)
    return made


@pytest.fixture
def ada(house: Works, film: Path) -> Iterator[Desk]:
    """A curator in the house of all; the film, which is rows alone, goes again."""
    made = at_work(house, film)
    yield made
    for movie in made.studio.movies:
        assert house.client.delete(f"/api/movies/{movie}").status_code in (204, 404)


def by_hand(ada: Desk, clips: int = CLIPS, length: int = 5 * RATE) -> int:
    """A list of clips of the film; its id."""
    made, movie = ada.new_list("Best „of“"), ada.studio.movies[0]
    wanted = [{"movie": movie, "start_frame": 150 * n, "end_frame": 150 * n + length} for n in range(clips)]
    ada.ask("POST", f"/lists/{made}/entries", 201, json={"entries": wanted})
    return made


def render(ada: Desk, made: int, **options: object) -> str:
    return str(ada.ask("POST", f"/lists/{made}/render", 202, json=options)["id"])


def files(house: Works) -> dict[str, float]:
    """Name → when it was made."""
    return {path.name: path.stat().st_mtime for path in folder_of(house.home).glob("*.mp4")}


def test_a_rendering_goes_on_after_kill_9_and_is_the_same_bytes_again(works_here: Works, film: Path) -> None:
    house, ada = works_here, at_work(works_here, film)
    made = by_hand(ada)
    assert "render it first" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "clips"})
    first = house.start_worker()
    job = render(ada, made)
    assert render(ada, made) == job  # asked twice is one job
    wait_until(lambda: bool(files(house)), why=house.logs)
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = files(house)
    assert 0 < len(done) < CLIPS
    assert "being rendered" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "clips"})
    house.start_worker()
    ended = house.ended(job)
    assert (ended.state, ended.fraction, ended.kind) == ("done", 1.0, "render"), (ended.problem, house.logs())
    assert len(files(house)) == CLIPS
    assert {name: files(house)[name] for name in done} == done  # what was finished was not done again
    answer = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"})
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["etag"].strip('"') == hashlib.sha256(answer.content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert len([name for name in archive.namelist() if name.endswith(".mp4")]) == CLIPS
        manifest = json.loads(archive.read("clips.json"))
    assert [clip["key"] for clip in manifest["clips"]] == [str(each["id"]) for each in ada.entries(made)]
    kept, order = answer.headers["content-location"], ada.order(made)
    ada.ask("POST", f"/lists/{made}/entries/move", json={"entries": [order[-1]], "before": order[0]})
    ada.set_film(ada.studio.movies[0], title="Renamed")
    assert "changed since" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "clips"})
    assert ada.client.get(kept).content == answer.content
    again = house.ended(render(ada, made))
    assert again.state == "done"
    assert {name: files(house)[name] for name in done} == done
    assert len(files(house)) == CLIPS
    assert ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"}).content != answer.content


def test_a_rendering_is_cancelled_and_tried_again(house: Works, ada: Desk) -> None:
    made = by_hand(ada)
    job = render(ada, made, shape="square", fade_s=0.5, loudness=-14)
    wait_until(lambda: house.job(job).fraction > 0, why=house.logs)
    ada.ask("POST", f"/jobs/{job}/cancel")
    assert house.ended(job).state == "cancelled"
    assert len(files(house)) < CLIPS
    assert ada.ask("GET", f"/lists/{made}")["job"]["state"] == "cancelled"
    ada.ask("POST", f"/jobs/{job}/retry")
    assert house.ended(job).state == "done"
    formats = {each["name"]: each for each in ada.ask("GET", f"/lists/{made}/preflight")["formats"]}
    assert (formats["clips"]["rendered"], formats["clips"]["ready"]) == (True, True)


def test_what_ffmpeg_says_reaches_people(house: Works, ada: Desk, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film" * 1000)
    with house.service.session() as session:
        session.execute(update(Movie).where(col(Movie.id) == ada.studio.movies[0]).values(path=str(broken)))
        session.commit()
    made = by_hand(ada, 2)
    ended = house.ended(render(ada, made))
    assert ended.state == "failed"
    assert "Clip 1 (" in ended.problem
    assert "broken.mp4" in ended.problem
    assert "render it first" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "clips"})


def test_what_a_damaged_film_does_not_give_is_said(house: Works, ada: Desk, tmp_path: Path) -> None:
    film = damaged(make_film(tmp_path / "film.mp4", 60, gop=12, size=(160, 90)), 36, 60)
    with house.service.session() as session:
        facts = {"path": str(film), "sha256": f"{id(ada):064x}"}
        session.execute(update(Movie).where(col(Movie.id) == ada.studio.movies[0]).values(**facts))
        session.commit()
    made = by_hand(ada, 1, 48)
    ended = house.ended(render(ada, made))
    assert (ended.state, ended.problem) == ("done", "")
    assert ended.note.startswith("Clip 1 (")
    assert "of 48 frames, since the film's file 'damaged.mp4' is damaged there" in ended.note
    formats = {each["name"]: each for each in ada.ask("GET", f"/lists/{made}/preflight")["formats"]}
    (said,) = formats["clips"]["concerns"]
    assert (formats["clips"]["ready"], said["stops"], said["entry"]) == (True, False, ada.order(made)[0])
    assert said["words"] in ended.note
    answer = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"})
    assert answer.headers["etag"].strip('"') == hashlib.sha256(answer.content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (clip,) = json.loads(archive.read("clips.json"))["clips"]
    assert clip["remark"] == said["words"]


def test_the_command_renders_and_writes_the_archive(house: Works, ada: Desk) -> None:
    made = by_hand(ada, 2, 2 * RATE)
    words = ("export", str(made), "--to", "clips", "--shape", "square", "--out", house.home / "Clips.zip")
    done = selects(*words, home=house.home, **house.settings)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(house.home / "Clips.zip") as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("clips.json"))["options"]["shape"] == "square"
    answer = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"})
    assert (house.home / "Clips.zip").read_bytes() == answer.content
    refused = selects("export", str(made), "--to", "clips", "--shape", "round", home=house.home, **house.settings)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "round" in refused.stderr
    for shape in ("wide", "square"):  # the second was rendered before: it is what is asked for now
        assert house.ended(render(ada, made, shape=shape)).state == "done"
        again = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"})
        with zipfile.ZipFile(io.BytesIO(again.content)) as archive:
            assert json.loads(archive.read("clips.json"))["options"]["shape"] == shape
    assert again.content == answer.content


def test_a_removed_list_ends_its_job_and_takes_its_files_along(house: Works, ada: Desk) -> None:
    made, other = by_hand(ada, 2), by_hand(ada, 1, 2 * RATE)
    for each in (made, other):
        assert house.ended(render(ada, each)).state == "done"
    assert len(files(house)) == 3
    ada.ask("DELETE", f"/lists/{made}", 204)
    assert len(files(house)) == 3  # too young
    time.sleep(0.05)
    assert len(tidy(house.service.resources, young_s=0.0)) == 2
    assert tidy(house.service.resources, young_s=0.0) == []
    (left,) = files(house)
    with Session(house.service.resources.reading) as session:
        own = select(ListExport).where(col(ListExport.list_id) == other)
        assert [row.files[0][0] for row in session.exec(own).all()] == [left]
    long = by_hand(ada)
    job = render(ada, long)
    wait_until(lambda: house.job(job).state == "running", why=house.logs)
    ada.ask("DELETE", f"/lists/{long}", 204)
    assert house.ended(job).state == "cancelled"


def test_rendered_clips_have_room_up_to_a_limit(house: Works, ada: Desk) -> None:
    """What was asked for longest ago goes; the newest stays, however large; all can be had again."""
    resources, made = house.service.resources, by_hand(ada, 1, 10)
    kept = {}
    for shape in ("original", "square", "wide", "original"):  # the first is asked for again: it is the newest then
        assert house.ended(render(ada, made, shape=shape)).state == "done"
        answer = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"})
        kept[shape] = (answer.headers["content-location"], answer.content)
    sizes = {shape: len(content) for shape, (_, content) in kept.items()}
    numbers = {int(address.rsplit("/", 1)[1]): shape for shape, (address, _) in kept.items()}

    def let_go(limit_bytes: int) -> list[str]:
        return [numbers[each] for each in bound(resources, limit_bytes) if each in numbers]

    assert let_go(sum(sizes.values())) == []
    assert let_go(sizes["original"] + sizes["wide"]) == ["square"]
    assert let_go(1) == ["wide"]
    assert ada.client.get(kept["original"][0]).content == kept["original"][1]
    assert "render the list again" in ada.client.get(kept["wide"][0]).json()["detail"]
    assert len(tidy(resources, young_s=0.0)) >= 2
    assert [problem for problem in examine(resources) if f"list {made} " in problem.detail] == []
    assert house.ended(render(ada, made, shape="wide")).state == "done"
    again = ada.client.get(f"/api/lists/{made}/export", params={"format": "clips"}).content
    assert len(again) == sizes["wide"]
