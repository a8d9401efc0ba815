"""References with a real worker and a real film: a trailer made from it, and an edit of it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from backend.jobs.models import Job
from backend.library.models import Movie
from labeling.references.weak import labels_of_movie, labels_of_project
from tests.command import selects
from tests.films import run_ffmpeg
from tests.workers import Works

RATE = 24
TAKEN = ((14.0, 2.5), (30.0, 2.5), (37.5, 2.5))
"""Where in the film, in seconds, and for how long; before the last one comes a shot of another film."""
OTHER_S = 2.0
EDL = """TITLE: A PROMO
FCM: NON-DROP FRAME

001  AX       V     C        00:00:14:00 00:00:16:12 00:00:00:00 00:00:02:12
* FROM CLIP NAME: {film}
002  AX       V     C        00:00:30:00 00:00:32:00 00:00:02:12 00:00:04:12
* FROM CLIP NAME: {film}
"""


@pytest.fixture(scope="module")
def movie_id(house: Works, films: Path, root: Path) -> int:
    """A real film, whose file is out of reach by now: it is not decoded again."""
    file = Path(shutil.copy(films / "sintel_trailer_204p.mp4", root / "with_references.mp4"))
    made = house.done(house.add(file, title="Referred to"))
    with house.service.session() as session:
        movie = session.get_one(Movie, made)
        movie.path = str(root / "with_references_away.mp4")
        session.add(movie)
        session.commit()
    return made


@pytest.fixture(scope="module")
def promo(films: Path, root: Path) -> Path:
    """Three pieces of the film, smaller, at another rate, with a piece of another film among them."""
    path, film = root / "promo.mp4", films / "sintel_trailer_204p.mp4"
    pieces: list[str | int | float | Path] = []
    for start_s, length_s in TAKEN:
        pieces += ["-ss", start_s, "-t", length_s, "-i", film]
    pieces += ["-ss", 3, "-t", OTHER_S, "-i", films / "people_walking_432p.mp4"]
    same = "".join(f"[{i}:v]fps=25,scale=320:136,setsar=1,format=yuv420p[v{i}];" for i in range(4))
    joined = f"{same}[v0][v1][v3][v2]concat=n=4:v=1[out]"
    picture = ["-map", "[out]", "-c:v", "libx264", "-preset", "veryfast", "-crf", 28]
    run_ffmpeg(*[str(piece) for piece in pieces], "-filter_complex", joined, *picture, path)
    return path


@pytest.fixture(scope="module")
def trailer(house: Works, movie_id: int, promo: Path) -> dict[str, Any]:
    """The trailer's reference when its job is done."""
    answer = house.client.post("/api/references", json={"movie": movie_id, "path": str(promo)})
    assert answer.status_code == 202, answer.text
    return done(house, answer.json())


def done(house: Works, added: dict[str, Any]) -> dict[str, Any]:
    job = house.ended(added["job"]["id"])
    assert job.state == "done", (job.problem, house.logs())
    return get(house, f"/references/{added['reference']['id']}")


def get(house: Works, address: str, **params: Any) -> Any:
    answer = house.client.get(f"/api{address}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(house: Works, movie_id: int, name: str, content: bytes, **more: str) -> dict[str, Any]:
    form = {"movie": str(movie_id), **more}
    answer = house.client.post("/api/references", data=form, files={"file": (name, content)})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_a_trailer_is_found_in_its_film(house: Works, trailer: dict[str, Any], movie_id: int) -> None:
    assert (trailer["state"], trailer["kind"], trailer["source"]) == ("ready", "trailer", "path")
    assert trailer["duration_s"] == pytest.approx(sum(length for _, length in TAKEN) + OTHER_S, abs=0.3)
    intervals = get(house, f"/references/{trailer['id']}/intervals")["items"]
    assert len(intervals) == trailer["intervals"] >= 3
    places = [start_s + length_s / 2 for start_s, length_s in TAKEN]
    began = [0.0, TAKEN[0][1], TAKEN[0][1] + TAKEN[1][1] + OTHER_S]
    hit = set()
    for one in intervals:
        piece = min(range(3), key=lambda n: abs(places[n] - one["start_s"]))
        hit.add(piece)
        expected_s = TAKEN[piece][0] + one["trailer_start_s"] - began[piece]
        assert one["start_s"] == pytest.approx(expected_s, abs=0.2)
        assert one["end_s"] - one["start_s"] == pytest.approx(one["trailer_end_s"] - one["trailer_start_s"], abs=0.2)
        assert one["start_s"] == pytest.approx(one["start_frame"] / RATE)
        assert one["end_s"] == pytest.approx(one["end_frame"] / RATE)
        assert 0.725 <= one["confidence"] <= 1
    assert hit == {0, 1, 2}
    job = get(house, f"/jobs/{trailer['job']['id']}")
    assert (job["kind"], job["fraction"], job["movie_id"]) == ("reference", 1.0, movie_id)
    assert get(house, f"/movies/{movie_id}")["job"]["kind"] == "ingest"


def test_what_it_shows_labels_windows_until_it_is_withdrawn(
    house: Works, trailer: dict[str, Any], movie_id: int
) -> None:
    own = f"/references/{trailer['id']}"
    labels = get(house, f"{own}/labels")["items"]
    assert {label["source"] for label in labels if label["label"]} == {"reference"}
    resources = house.service.resources
    with Session(resources.reading) as session:
        movie = session.get_one(Movie, movie_id)
        found = [row for row in labels_of_project(session, resources, movie.project_id) if row.movie_id == movie_id]
        assert found[0].movie_sha256 == movie.sha256
        assert labels_of_movie(session, resources, movie) == found[0].labels
        assert [label.weight for label in found[0].labels] == [label["weight"] for label in labels]
    intervals = get(house, f"{own}/intervals")["items"]
    for one in intervals:
        house.client.post(f"/api{own}/intervals/{one['id']}/withdraw").raise_for_status()
    assert get(house, f"{own}/labels")["items"] == []
    for one in intervals:
        house.client.post(f"/api{own}/intervals/{one['id']}/restore").raise_for_status()
    assert get(house, f"{own}/labels")["items"] == labels


def test_an_edit_is_read_for_what_it_takes(house: Works, movie_id: int) -> None:
    edit = done(house, send(house, movie_id, "promo.edl", EDL.format(film="WITH_REFERENCES_AWAY.MP4").encode()))
    intervals = get(house, f"/references/{edit['id']}/intervals")["items"]
    assert [(one["start_frame"], one["end_frame"]) for one in intervals] == [(336, 396), (720, 768)]
    assert {(one["confidence"], one["trailer_start_s"]) for one in intervals} == {(1.0, None)}
    labels = get(house, f"/references/{edit['id']}/labels")["items"]
    assert max(label["weight"] for label in labels) == 0.5


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("broken.mp4", b"no film at all " * 500, "Cannot read 'broken.mp4'"),
        ("broken.otio", b'{"OTIO_SCHEMA": "Timeline.1", "tracks": 3}', "Cannot read 'broken.otio' as an edit list"),
        ("empty.edl", b"TITLE: nothing\n", "'empty.edl' shows no part of any film"),
    ],
    ids=["trailer", "otio", "edl"],
)
def test_what_cannot_be_read_fails_in_words(house: Works, movie_id: int, name: str, content: bytes, says: str) -> None:
    added = send(house, movie_id, name, content)
    job = house.ended(added["job"]["id"])
    assert job.state == "failed"
    assert says in job.problem
    shown = get(house, f"/references/{added['reference']['id']}")
    assert (shown["state"], shown["problem"], shown["intervals"]) == ("failed", job.problem, 0)
    assert get(house, f"/movies/{movie_id}")["state"] == "ready"


def test_a_removed_reference_stops_its_job(house: Works, movie_id: int, films: Path) -> None:
    added = send(house, movie_id, "bunny.webm", (films / "big_buck_bunny_trailer_360p.webm").read_bytes())
    assert house.client.delete(f"/api/references/{added['reference']['id']}").status_code == 204
    job: Job = house.ended(added["job"]["id"])
    assert job.state == "cancelled"


def test_the_command_adds_and_waits(house: Works, movie_id: int, promo: Path, trailer: dict[str, Any]) -> None:
    def add(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        return selects("reference", "add", *words, home=house.home, **house.settings)

    edit = house.home / "by command.edl"
    edit.write_text(EDL.format(film="A_MASTER.MOV"))
    added = add(str(movie_id), edit, "--json")
    assert added.returncode == 0, added.stderr
    assert [one["start_frame"] for one in json.loads(added.stdout)["intervals"]] == [336, 720]
    with house.service.session() as session:
        title = session.get_one(Movie, movie_id).title  # another test may have brought the same file in
    known = add(title, promo)
    assert known.returncode == 0, known.stderr
    assert len(known.stdout.splitlines()) == trailer["intervals"]
    for words, says in (
        (("99999", promo), "There is no film 99999"),
        (("No such film", promo), "There is no film 'No such film'"),
        ((str(movie_id), house.home / "none.mp4"), "Cannot read 'none.mp4'"),
        ((str(movie_id), house.home / "selects.db"), "does not end like a trailer or an edit list"),
    ):
        refused = add(*words)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert says in refused.stderr
