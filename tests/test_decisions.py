"""Decisions over the API, on both databases: kept once, taken back, listed, and kept when the film goes."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session
from starlette.testclient import TestClient

from backend.library.models import Candidate, Movie
from tests.curating import FILM_FRAMES, Studio, add_film, decide, questions, studio
from tests.service import running


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield studio(service)


def clip(desk: Studio, number: int = 0) -> int:
    return desk.candidates()[number].id or 0


def verdict_of(desk: Studio, candidate: int) -> str:
    return desk.candidates(id=candidate)[0].verdict


def listed(client: TestClient, desk: Studio, **wanted: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/decisions", params={"project": desk.project, **wanted})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    assert answer.json()["total"] == len(found)
    return found


def test_sent_twice_is_kept_once(desk: Studio) -> None:
    ada = desk.curator("Ada")
    said = {"candidate": clip(desk), "verdict": "approve", "key": uuid.uuid4().hex, "reasons": ["slow", "slow"]}
    first, second = (ada.post("/api/decisions", json=said) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first.json()["reasons"] == ["slow"]
    assert len(listed(ada, desk)) == 1
    other = ada.post("/api/decisions", json=said | {"candidate": clip(desk, 1)})
    assert (other.status_code, other.json()["error"]) == (409, "Conflict")
    ben = desk.curator("Ben")
    assert ben.post("/api/decisions", json=said).json()["id"] != first.json()["id"], "keys are of a curator"


def test_a_key_twice_in_one_list_is_the_first(desk: Studio) -> None:
    ada = desk.curator("Ada")
    said = {"candidate": clip(desk), "verdict": "reject", "key": uuid.uuid4().hex}
    trimmed = said | {"verdict": "approve", "start_frame": 5, "end_frame": 900}
    first, second = ada.post("/api/decisions", json=[said, trimmed]).json()
    assert first == second
    assert (first["verdict"], first["trim_start_frame"]) == ("reject", None)
    assert len(listed(ada, desk)) == 1, "and no other cut was made"


def test_what_no_database_keeps_is_refused(desk: Studio) -> None:
    said = {"candidate": clip(desk), "verdict": "reject", "key": uuid.uuid4().hex, "text": "slow\0"}
    refused = desk.curator("Ada").post("/api/decisions", json=said)
    assert (refused.status_code, refused.json()["error"]) == (422, "InvalidRequest")


def test_many_are_kept_all_or_none(desk: Studio) -> None:
    ada = desk.curator("Ada")
    many = [{"candidate": clip(desk, n), "verdict": "reject", "key": uuid.uuid4().hex} for n in range(3)]
    missing = ada.post("/api/decisions", json=[*many, many[0] | {"candidate": 999_999, "key": "nobody-there"}])
    assert missing.status_code == 404
    assert listed(ada, desk) == []
    kept = ada.post("/api/decisions", json=many).json()
    assert [row["key"] for row in kept] == [one["key"] for one in many]
    assert len(listed(ada, desk)) == 3


def test_one_clip_several_times_in_one_list_is_where_the_last_leaves_it(desk: Studio) -> None:
    ada, (first, second) = desk.curator("Ada"), desk.candidates()[:2]
    window = {"start_frame": second.start_frame, "end_frame": second.end_frame}

    def said(candidate: Candidate, verdict: str, **more: Any) -> dict[str, Any]:
        return {"candidate": candidate.id, "verdict": verdict, "key": uuid.uuid4().hex, **more}

    many = [said(first, "approve"), said(second, "flag"), said(first, "approve", **window), said(first, "reject")]
    for turn in (1, 2):
        kept = ada.post("/api/decisions", json=many).json()
        assert [row["candidate_id"] for row in kept] == [first.id, second.id, first.id, first.id]
        now = {row.id: (row.verdict, row.decided) for row in desk.candidates()[:2]}
        assert now == {first.id: ("reject", 3 * turn), second.id: ("approve", 2 * turn)}
        many = [one | {"key": uuid.uuid4().hex} for one in many]


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "maybe"},
        {"key": "short"},
        {"key": "with:colon-in-it"},
        {"reasons": ["boring"]},
        {"spent_s": -1},
        {"start_frame": 10},
        {"start_frame": 10, "end_frame": 10},
        {"start_frame": 10, "end_frame": FILM_FRAMES + 1},
        {"start_frame": 10, "end_frame": 20, "verdict": "reject"},
    ],
    ids=str,
)
def test_what_is_wrong_is_said(desk: Studio, wrong: dict[str, Any]) -> None:
    ada = desk.curator("Ada")
    said = {"candidate": clip(desk), "verdict": "approve", "key": uuid.uuid4().hex}
    answer = ada.post("/api/decisions", json=said | wrong)
    assert answer.status_code == 422, answer.text
    assert listed(ada, desk) == []


def test_undo_is_a_new_row(desk: Studio) -> None:
    ada = desk.curator("Ada")
    asked = questions(ada, desk, 1)[0]["candidate"]["id"]
    kept = decide(ada, asked, "approve", text="lovely")
    assert verdict_of(desk, asked) == "approve"
    undo = ada.post(f"/api/decisions/{kept['id']}/undo").json()
    assert (undo["verdict"], undo["undoes_id"]) == ("undo", kept["id"])
    assert ada.post(f"/api/decisions/{kept['id']}/undo").json() == undo
    assert verdict_of(desk, asked) == ""
    first, second = listed(ada, desk)
    assert first == undo
    assert second == kept | {"undone": True}
    assert questions(ada, desk, 1)[0]["candidate"]["id"] == asked, "it is put to her again"
    again = decide(ada, asked, "reject")
    assert again["strategy"] == kept["strategy"]
    assert verdict_of(desk, asked) == "reject"


def test_the_last_ten_can_be_taken_back(desk: Studio) -> None:
    ada = desk.curator("Ada")
    kept = [decide(ada, clip(desk, number), "reject")["id"] for number in range(11)]
    answer = ada.post(f"/api/decisions/{kept[0]}/undo")
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    for one in reversed(kept[1:]):
        assert ada.post(f"/api/decisions/{one}/undo").status_code == 201
    assert {verdict_of(desk, clip(desk, number)) for number in range(1, 11)} == {""}


def test_only_ones_own_can_be_taken_back(desk: Studio) -> None:
    kept = decide(desk.curator("Ada"), clip(desk), "reject")
    answer = desk.curator("Ben").post(f"/api/decisions/{kept['id']}/undo")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "Only Ada can take this decision back."


def test_an_undo_cannot_be_undone(desk: Studio) -> None:
    ada = desk.curator("Ada")
    kept = decide(ada, clip(desk), "reject")
    undo = ada.post(f"/api/decisions/{kept['id']}/undo").json()
    assert ada.post(f"/api/decisions/{undo['id']}/undo").status_code == 409


def test_a_trim_is_a_positive_of_its_own(desk: Studio) -> None:
    ada = desk.curator("Ada")
    kept = decide(ada, clip(desk), "approve", start_frame=100, end_frame=1400)
    assert (kept["trim_start_frame"], kept["trim_end_frame"]) == (100, 1400)
    assert verdict_of(desk, clip(desk)) == "trimmed"
    (cut,) = desk.candidates(source="trim")
    assert (cut.start_frame, cut.end_frame, cut.start_s, cut.end_s) == (100, 1400, 4.0, 56.0)
    assert (cut.verdict, cut.created_by) == ("approve", "Ada")
    (of_cut,) = listed(ada, desk, candidate=cut.id)
    assert (of_cut["verdict"], of_cut["strategy"], of_cut["trim_of_id"]) == ("approve", "trim", kept["id"])
    assert ada.post(f"/api/decisions/{of_cut['id']}/undo").json()["undoes_id"] == kept["id"], "both go together"
    assert (verdict_of(desk, clip(desk)), verdict_of(desk, cut.id or 0)) == ("", "")
    of_film = f"/api/movies/{cut.movie_id}/candidates"
    assert cut.id not in [each["id"] for each in ada.get(of_film).json()["items"]], "nobody wants it any more"


def test_a_trim_to_the_same_window_is_none(desk: Studio) -> None:
    row = desk.candidates()[0]
    ends = {"start_frame": row.start_frame, "end_frame": row.end_frame}
    assert decide(desk.curator("Ada"), row.id or 0, "approve", **ends)["trim_start_frame"] is None
    assert verdict_of(desk, row.id or 0) == "approve"


def test_a_trim_to_a_window_that_is_there_is_that_one(desk: Studio) -> None:
    row = desk.candidates()[1]
    ends = {"start_frame": row.start_frame, "end_frame": row.end_frame}
    decide(desk.curator("Ada"), clip(desk), "approve", **ends)
    assert verdict_of(desk, row.id or 0) == "approve"
    assert desk.candidates(source="trim") == []


def test_decisions_are_listed_by_what_is_asked_for(desk: Studio) -> None:
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    first, last = desk.candidates(movie_id=desk.movies[0])[0], desk.candidates(movie_id=desk.movies[1])[0]
    kept = decide(ada, first.id or 0, "approve")
    decide(ada, last.id or 0, "reject")
    decide(ben, last.id or 0, "flag")
    ada.post(f"/api/decisions/{kept['id']}/undo")
    for wanted, count in (
        ({}, 4),
        ({"curator": "me"}, 3),
        ({"curator": "Ben"}, 1),
        ({"movie": desk.movies[1]}, 2),
        ({"sha256": first.movie_sha256}, 2),
        ({"verdict": "undo"}, 1),
        ({"undone": True}, 1),
        ({"undone": False}, 3),
        ({"strategy": "chosen", "candidate": first.id}, 2),
    ):
        assert len(listed(ada, desk, **wanted)) == count, wanted
    page = ada.get("/api/decisions", params={"project": desk.project, "limit": 3}).json()
    assert (len(page["items"]), page["total"], page["next"]) == (3, 4, 3)


def test_decisions_outlive_the_film(desk: Studio) -> None:
    ada = desk.curator("Ada")
    movie = desk.movies[0]
    judged, other = desk.candidates(movie_id=movie)[:2]
    kept = decide(ada, judged.id or 0, "approve", start_frame=100, end_frame=1400)
    rejected = decide(ada, other.id or 0, "reject")
    assert ada.get(f"/api/movies/{movie}").json()["approved"] == 1, "its trim"
    before = listed(ada, desk)
    assert desk.owner().delete(f"/api/movies/{movie}").status_code == 204
    assert listed(ada, desk) == before
    assert {(row["movie_title"], row["movie_sha256"]) for row in before} == {("Film 0", judged.movie_sha256)}
    assert len(desk.candidates(movie_id=None)) == 3, "what nobody judged goes with the film"
    assert ada.post(f"/api/decisions/{rejected['id']}/undo").status_code == 201
    assert decide(ada, judged.id or 0, "reject")["movie_title"] == "Film 0"
    assert ada.get(f"/api/candidates/{judged.id}/context").json()["movie"] is None
    seen = {item["candidate"]["id"] for item in questions(ada, desk, 50)}
    assert not seen & {judged.id, other.id}, "there is nothing to look at"
    with desk.service.session() as session:
        back = _added_again(session, desk, judged.movie_sha256)
    assert len(listed(ada, desk, movie=back)) == len(before) + 2
    assert kept["id"] in {row["id"] for row in listed(ada, desk, movie=back)}


def _added_again(session: Session, desk: Studio, sha256: str) -> int:
    movie = session.get_one(Movie, add_film(session, desk.project, "The same again", 0))
    movie.sha256 = sha256
    session.commit()
    return movie.id or 0


def test_films_say_how_many_clips_are_approved(desk: Studio) -> None:
    ada, ben = desk.curator("Ada"), desk.curator("Ben")

    def approved() -> list[int]:
        films = ada.get("/api/movies", params={"project": desk.project, "sort": "oldest"}).json()["items"]
        return [film["approved"] for film in films]

    assert approved() == [0, 0]
    first, second = (row.id or 0 for row in desk.candidates(movie_id=desk.movies[0])[:2])
    kept = decide(ada, first, "approve")
    decide(ada, second, "approve")
    assert approved() == [2, 0]
    decide(ben, second, "reject")
    assert approved() == [1, 0], "the newest word counts"
    ada.post(f"/api/decisions/{kept['id']}/undo")
    assert approved() == [0, 0]
