"""Labels of stills: the file, what is committed of the given films, and the page that asks for them."""

import socket
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from backend.analysis.checksum import film_checksum
from backend.analysis.stills import FramesRequest, write_stills
from backend.errors import InputError, OutputError
from backend.features.framing.judge import SPACE, Judge
from backend.features.framing.scale import Framing
from labeling.framing.desk import Desk
from labeling.framing.labels import Label, read_labels, write_labels
from labeling.framing.serving import create_app
from tests.command import selects

COMMITTED = Path(__file__).parent / "data" / "framing_labels.csv"
SECRET = "s"


def test_labels_come_back_in_an_order_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    labels = {
        ("b", 9): Label(Framing(False, "none"), "Film, one"),
        ("b", 1): Label(Framing(True, "medium"), "Film, one"),
        ("a", 5): Label(Framing(False, "extreme close-up"), "Film two"),
    }
    write_labels(path, labels)
    assert read_labels(path) == labels
    first = path.read_bytes()
    write_labels(path, dict(reversed(labels.items())))
    assert path.read_bytes() == first
    assert first.decode().splitlines()[1:] == [
        "a,Film two,5,no,extreme close-up",
        'b,"Film, one",1,yes,medium',
        'b,"Film, one",9,no,none',
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,x,1,perhaps,medium", "line 2: medium_close_up is yes or no"),
        ("a,x,1,yes,huge", "line 2: the scale is one of extreme close-up"),
        ("a,x,1,yes,none", "line 2: a medium close-up shows somebody"),
        ("a,x,-1,yes,medium", "line 2: a label names a film"),
        ("a,x,1,yes,medium\na,x,1,no,medium", "line 3: this frame has a label already"),
        ('a,"' + "x" * 200_000, "line 2: no CSV"),
    ],
)
def test_what_is_no_label_is_named_by_its_line(tmp_path: Path, row: str, said: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"film,title,frame,medium_close_up,scale\n{row}\n")
    with pytest.raises(InputError, match=said):
        read_labels(path)
    path.write_text("film,frame\n")
    with pytest.raises(InputError, match="lack the column 'medium_close_up'"):
        read_labels(path)


def test_the_committed_labels_are_of_the_given_films(films: Path, tmp_path: Path) -> None:
    labels = read_labels(COMMITTED)
    given = {
        film_checksum(path, tmp_path / "sums.json"): path.stem
        for path in films.iterdir()
        if path.suffix in (".mp4", ".webm")
    }
    assert {film for film, _ in labels} == set(given)
    assert all(given[film] == label.title for (film, _), label in labels.items())
    assert Counter(label.framing.medium_close_up for label in labels.values()) == {False: 130, True: 18}
    assert all(
        label.framing.scale in ("medium", "close-up") for label in labels.values() if label.framing.medium_close_up
    )


@pytest.fixture
def desk(stills: Path, tmp_path: Path, extractor) -> Desk:
    return Desk(stills, tmp_path / "labels.csv", {name: extractor(name) for name in ("efficientnet", "faces")})


def test_the_rules_medium_close_ups_are_asked_first(desk: Desk) -> None:
    """Of the five only the singer at four and six seconds is one person, near."""
    asked = [(each.still.frame, each.guess.medium_close_up) for each in desk.asked]
    yes = [frame for frame, medium in asked if medium]
    assert set(yes) <= {120, 180}
    assert yes
    assert [medium for _, medium in asked] == sorted([medium for _, medium in asked], reverse=True)


def test_a_label_is_in_the_file_when_it_is_saved(desk: Desk) -> None:
    write_labels(desk.path, {})
    page = TestClient(create_app(desk, SECRET))
    shown = page.get(f"/{SECRET}/api/framing/stills").json()
    assert shown["scales"] == ["extreme close-up", "close-up", "medium", "full", "long", "none"]
    assert [item["label"] for item in shown["items"]] == [None] * 5
    said = {"medium_close_up": True, "scale": "medium"}
    first = desk.asked[0].still
    assert page.put(f"/{SECRET}/api/framing/stills/0/label", json=said).json() == said
    assert read_labels(desk.path) == {(first.film, first.frame): Label(Framing(True, "medium"), first.title)}
    assert page.get(f"/{SECRET}/api/framing/stills").json()["items"][0]["label"] == said
    assert page.delete(f"/{SECRET}/api/framing/stills/0/label").status_code == 204
    assert read_labels(desk.path) == {}


def test_a_medium_close_up_of_nobody_is_no_label(desk: Desk) -> None:
    page = TestClient(create_app(desk, SECRET))
    wrong = page.put(f"/{SECRET}/api/framing/stills/0/label", json={"medium_close_up": True, "scale": "none"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "InputError")
    assert "choose a scale" in wrong.json()["detail"]
    assert not desk.path.exists()


def test_what_a_model_sees_and_faces_do_not_is_guessed_without_contradiction(stills: Path, tmp_path, extractor) -> None:
    """A head that says yes to all: where no face is found the scale is that of most medium close-ups."""
    zeros = {name: np.zeros(SPACE, np.float32) for name in ("mean", "weight")}
    tensors = {**zeros, "scale": np.ones(SPACE, np.float32), "bias": np.array(5.0, np.float32)}
    judge = Judge("head", 0.5, {}, tensors)
    extractors = {name: extractor(name) for name in ("efficientnet", "faces")}
    asked = Desk(stills, tmp_path / "labels.csv", extractors, judge).asked
    assert all(each.guess.medium_close_up and not each.guess.contradicts for each in asked)
    assert {each.guess.scale for each in asked if each.rule.scale == "none"} <= {"medium"}
    assert any(each.rule.scale == "none" for each in asked), "else this film tells nothing"


def test_labels_of_other_frames_stay(desk: Desk, stills: Path, extractor) -> None:
    other = {("f" * 64, 7): Label(Framing(False, "long"), "Another film")}
    write_labels(desk.path, other)
    again = Desk(stills, desk.path, {name: extractor(name) for name in ("efficientnet", "faces")})
    again.say(2, Framing(False, "full"))
    assert read_labels(desk.path).items() >= other.items()
    assert len(read_labels(desk.path)) == 2


def test_two_pages_on_one_file_keep_each_others_labels(desk: Desk, stills: Path, extractor) -> None:
    extractors = {name: extractor(name) for name in ("efficientnet", "faces")}
    other = Desk(stills, desk.path, extractors)
    desk.say(0, Framing(True, "medium"))
    other.say(1, Framing(False, "long"))
    desk.say(2, Framing(False, "full"))
    desk.say(2, None)
    said = {(label.framing.medium_close_up, label.framing.scale) for label in read_labels(desk.path).values()}
    assert said == {(True, "medium"), (False, "long")}


def test_labels_in_a_folders_place_are_refused_before_anybody_labels(stills: Path, tmp_path: Path, extractor) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Desk(stills, tmp_path, {name: extractor(name) for name in ("efficientnet", "faces")})


def test_labels_that_cannot_be_written_are_refused_before_anybody_labels(
    stills: Path, tmp_path: Path, extractor
) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", Path("/proc")):
        with pytest.raises(OutputError, match="Cannot write"):
            Desk(stills, place / "labels.csv", {name: extractor(name) for name in ("efficientnet", "faces")})


def test_the_page_lies_under_an_address_that_cannot_be_guessed(desk: Desk) -> None:
    page = TestClient(create_app(desk, SECRET))
    assert "selects-framing" in page.get(f"/{SECRET}/").text
    assert page.get(f"/{SECRET}/api/framing/stills/0.jpg").content == desk.picture(0).read_bytes()
    for path in ("/", "/api/framing/stills", "/x/api/framing/stills", "/docs", "/openapi.json"):
        assert page.get(path).status_code == 404
    wrong = page.put(f"/{SECRET}/api/framing/stills/99/label", json={"medium_close_up": True, "scale": "long"})
    assert (wrong.status_code, wrong.json()["error"]) == (404, "NotFound")
    assert (
        page.put(f"/{SECRET}/api/framing/stills/0/label", json={"medium_close_up": True, "scale": "huge"}).status_code
        == 422
    )


def test_a_port_that_is_taken_is_known_before_the_work(films: Path, tmp_path: Path) -> None:
    write_stills(FramesRequest((films / "faces_stage_360p.mp4",), tmp_path / "stills", 4.0), tmp_path / "home")
    before = sorted(tmp_path.rglob("*"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = selects("framing", "label", tmp_path / "stills", "--port", str(port), home=tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "choose another --port" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
