"""The queue over the API, on both databases: who gets what, for how long, and why."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from starlette.testclient import TestClient

from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.library.models import DialogueLine, Movie, Shot
from labeling.queue import precedents
from labeling.queue.drawer import Drawer, Here
from labeling.queue.drawing import Drawn
from labeling.queue.models import Question, Queue
from tests.curating import Studio, decide, questions, studio
from tests.service import running

SHOT_FRAMES = 500


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Studio]:
    with running(tmp_path / "home", database_url) as service:
        yield studio(service)


def ids(items: list[dict[str, Any]]) -> list[int]:
    return [item["candidate"]["id"] for item in items]


def test_asking_again_gives_the_same(desk: Studio) -> None:
    ada = desk.curator("Ada")
    first = questions(ada, desk, 4)
    assert len(first) == 4
    assert ids(questions(ada, desk, 4)) == ids(first)
    assert ids(questions(ada, desk, 6))[:4] == ids(first)


def test_every_question_says_why(desk: Studio) -> None:
    item = questions(desk.curator("Ada"), desk, 1)[0]
    assert item["strategy"] in ("random", "typical")
    assert 0 < item["propensity"] <= 1
    assert item["round"] == 1
    assert item["candidate"]["model"] == "prior"
    assert item["candidate"]["score"] is not None
    assert item["movie"]["rate"] == "25/1"
    assert item["movie"]["title"] == item["candidate"]["movie_title"]


def test_a_decision_keeps_why_it_was_asked(desk: Studio) -> None:
    ada = desk.curator("Ada")
    item = questions(ada, desk, 1)[0]
    kept = decide(ada, item["candidate"]["id"], "approve")
    same = ("strategy", "propensity", "round")
    assert [kept[name] for name in same] == [item[name] for name in same]
    assert (kept["model"], kept["score"]) == (item["candidate"]["model"], item["candidate"]["score"])
    again = decide(ada, item["candidate"]["id"], "reject")
    assert [again[name] for name in same] == [item[name] for name in same], "she was asked once, by that draw"


def test_two_get_the_same_only_on_purpose(desk: Studio) -> None:
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    both = set(ids(questions(ada, desk, 20))) & set(ids(questions(ben, desk, 20)))
    assert both <= _overlap(desk)


def test_without_overlap_nothing_is_given_twice(desk: Studio) -> None:
    _set(desk, overlap=0)
    given = [ids(questions(desk.curator(name), desk, 20)) for name in ("Ada", "Ben", "Cleo")]
    assert len({name for part in given for name in part}) == sum(map(len, given)) == 60


def test_with_full_overlap_everything_is_asked_of_two_and_no_third(desk: Studio) -> None:
    _set(desk, overlap=1)
    given = dict[int, set[str]]()
    for name in ("Ada", "Ben", "Cleo"):
        for asked in _all(desk.curator(name), desk):
            given.setdefault(asked, set()).add(name)
    assert {len(who) for who in given.values()} == {2}
    assert len(given) == 60


def test_a_tenth_is_asked_of_two(database_url: str, tmp_path: Path) -> None:
    with running(tmp_path / "home", database_url) as service:
        many = studio(service, films=4, clips=40)
        _all(many.curator("Ada"), many)
        share = len(_overlap(many)) / 160
    assert 0.04 < share < 0.18, "of 160 clips, 10 % in the mean: binomial bounds of one in a thousand"


def test_a_lease_expires(desk: Studio) -> None:
    _set(desk, overlap=0)
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    had = ids(questions(ada, desk, 50))
    _let_expire(desk)
    assert set(ids(questions(ben, desk, 50))) & set(had)
    assert ids(questions(ada, desk, 50)), "there is more for her"


def test_who_is_late_is_still_heard(desk: Studio) -> None:
    _set(desk, overlap=0)
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    late = ids(questions(ada, desk, 1))[0]
    _let_expire(desk)
    assert late in _all(ben, desk)
    assert decide(ada, late, "approve")["verdict"] == "approve"
    assert decide(ben, late, "reject")["verdict"] == "reject"


def test_what_is_given_back_goes_to_another(desk: Studio) -> None:
    _set(desk, overlap=0)
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    had = ids(questions(ada, desk, 5))
    given = ada.post("/api/queue/release", json={"project": desk.project, "candidates": had})
    assert given.json() == {"released": 5}
    assert set(had) <= set(_all(ben, desk))


def test_what_is_skipped_is_put_to_another_and_not_to_the_same(desk: Studio) -> None:
    _set(desk, overlap=0)
    ada, ben = desk.curator("Ada"), desk.curator("Ben")
    skipped = ids(questions(ada, desk, 1))[0]
    decide(ada, skipped, "skip")
    assert skipped not in _all(ada, desk)
    _let_expire(desk)
    assert skipped in _all(ben, desk)


def test_every_candidate_is_asked_about_and_then_there_is_nothing(desk: Studio) -> None:
    _set(desk, overlap=0)
    ada = desk.curator("Ada")
    judged = set[int]()
    while items := questions(ada, desk, 10):
        for asked in ids(items):
            assert asked not in judged
            decide(ada, asked, "reject")
            judged.add(asked)
    assert judged == {row.id for row in desk.candidates()}
    facts = ada.get("/api/queue", params={"project": desk.project}).json()
    assert [facts[name] for name in ("left", "waiting", "asked", "decided", "judged")] == [0, 0, 0, 60, 60]


def test_who_finds_a_draw_being_made_ahead_does_not_wait_for_it(desk: Studio) -> None:
    begun, go = Event(), Event()

    class Slow(Here):
        def make(self, project_id: int, seen_round: int) -> Drawn | bool:
            begun.set()
            assert go.wait(60), "somebody waits for this draw"
            return super().make(project_id, seen_round)

    def rounds() -> int:
        with desk.service.session() as session:
            return session.get_one(Queue, desk.project).round

    drawer = Drawer(desk.service.resources, Slow(desk.service.resources))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(drawer.draw_ahead, desk.project, 0)
        assert begun.wait(60)
        drawer.draw_ahead(desk.project, 0)
        go.set()
        first.result()
    assert rounds() == 1
    for _ in range(2):
        drawer.draw_ahead(desk.project, 1)
    assert rounds() == 2


def test_today_is_what_stands(desk: Studio) -> None:
    ada = desk.curator("Ada")
    first, second, third = (row.id or 0 for row in desk.candidates()[:3])
    decide(ada, first, "approve", start_frame=10, end_frame=1400)
    kept = decide(ada, second, "reject")
    decide(ada, third, "skip")
    ada.post(f"/api/decisions/{kept['id']}/undo").raise_for_status()
    facts = ada.get("/api/queue", params={"project": desk.project}).json()
    assert facts["today"] == {"approve": 1, "reject": 0, "skip": 1, "flag": 0}
    assert (facts["decided"], facts["judged"]) == (2, 2), "the clip and its trim"


def test_what_is_made_or_judged_by_hand_is_not_asked(desk: Studio) -> None:
    ada = desk.curator("Ada")
    judged = desk.candidates()[0].id or 0
    assert decide(ada, judged, "approve")["strategy"] == "chosen"
    assert judged not in _all(ada, desk)


def test_an_unknown_strategy_is_said(desk: Studio) -> None:
    answer = desk.owner().patch("/api/queue", params={"project": desk.project}, json={"strategy": "best"})
    assert answer.status_code == 422
    assert "known: diverse-uncertain, mix, random, top-score, typical, uncertainty" in answer.json()["detail"]
    _set(desk, strategy="top-score")
    best = ids(questions(desk.curator("Ada"), desk, 2))
    assert set(best) == {row.id for row in desk.candidates(rank=1)}


def test_what_stands_beside_a_clip(desk: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """The strip, what is said, and the judged clips that look most like it: film 0 is 0, 1, 2 … and film 1 the same."""
    monkeypatch.setattr(precedents, "READING_LIMIT_S", 60.0)  # a busy machine reads less in its time: not the question
    ada = desk.curator("Ada")
    for number in desk.movies:
        _analyse(desk, number)
    first, second = (desk.candidates(movie_id=movie) for movie in desk.movies)
    for row, verdict in zip(second[:4], ("approve", "reject", "approve", "reject"), strict=True):
        decide(ada, row.id or 0, verdict)
    decide(ada, first[0].id or 0, "approve")
    seen = ada.get(f"/api/candidates/{first[1].id}/context").json()
    assert [shot["number"] for shot in seen["shots"]] == list(range(15)), "shots 4 to 6, and eight on the longer side"
    assert (
        seen["shots"][4] | {"picture": f"/api/movies/1/frames/2000.jpg?of={first[0].movie_sha256[:8]}"}
        == seen["shots"][4]
    )
    assert [line["text"] for line in seen["lines"]] == ["said inside"]
    assert seen["movie"]["frames"] == 100_000
    assert seen["rejected"]["candidate"]["id"] == second[1].id
    assert seen["rejected"]["similarity"] == pytest.approx(1, abs=1e-3)
    assert seen["approved"]["candidate"]["id"] in {second[0].id, second[2].id, first[0].id}
    decide(ada, second[1].id or 0, "approve")
    later = ada.get(f"/api/candidates/{first[1].id}/context").json()
    assert later["approved"]["candidate"]["id"] == second[1].id
    assert later["rejected"]["candidate"]["id"] == second[3].id


def test_of_very_many_judged_clips_the_last_ones_are_compared(desk: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedents, "READING_LIMIT_S", 60.0)
    monkeypatch.setattr(precedents, "MOST_JUDGED", 2)
    ada = desk.curator("Ada")
    for number in desk.movies:
        _analyse(desk, number)
    first, second = (desk.candidates(movie_id=movie) for movie in desk.movies)
    for row, verdict in zip(second[1:4], ("reject", "approve", "reject"), strict=True):
        decide(ada, row.id or 0, verdict)
    seen = ada.get(f"/api/candidates/{first[1].id}/context").json()
    assert seen["rejected"]["candidate"]["id"] == second[3].id, "not the one that looks the same, which is older"
    assert seen["approved"]["candidate"]["id"] == second[2].id


def _analyse(desk: Studio, movie_id: int) -> None:
    """Give a film shots, a line in its second clip, and features in which clip n of any film looks like no other."""
    extractor = EXTRACTORS["efficientnet"]
    with desk.service.session() as session:
        movie = session.get_one(Movie, movie_id)
        movie.scan_key, movie.vectors = "scan", {"efficientnet": "made"}
        for number in range(120):
            start, end = number * SHOT_FRAMES, (number + 1) * SHOT_FRAMES
            frames: dict[str, Any] = {"start_frame": start, "end_frame": end, "start_s": start / 25, "end_s": end / 25}
            session.add(Shot(movie_id=movie_id, number=number, scene=number // 4, keyframes=[start], **frames))
        for number, text in enumerate(("said before", "said inside", "said after")):
            at = (70, 90, 141)[number]
            session.add(DialogueLine(movie_id=movie_id, number=number, shot=0, start_s=at, end_s=at + 2, text=text))
        vectors = np.random.default_rng(0).standard_normal((30, extractor.dimension)).repeat(4, axis=0)
        store = FeatureStore(desk.service.resources.home / "features")
        store.put(movie.sha256 or "", extractor, Extracted(vectors.astype(np.float32)), inputs="made")
        session.commit()


def _set(desk: Studio, **wanted: Any) -> None:
    desk.owner().patch("/api/queue", params={"project": desk.project}, json=wanted).raise_for_status()


def _all(client: TestClient, desk: Studio) -> list[int]:
    """Everything that somebody can get, 50 at a time, without an answer."""
    return ids(questions(client, desk, 50)) if len(desk.candidates()) <= 50 else _by_skipping(client, desk)


def _by_skipping(client: TestClient, desk: Studio) -> list[int]:
    """Everything that somebody is asked: what she has had is flagged, so that more comes."""
    had = list[int]()
    while items := questions(client, desk, 50):
        for asked in ids(items):
            had.append(asked)
            decide(client, asked, "flag")
    return had


def _let_expire(desk: Studio) -> None:
    with desk.service.session() as session:
        session.execute(update(Question).where(col(Question.until).is_not(None)).values(until=1.0))
        session.commit()


def _overlap(desk: Studio) -> set[int]:
    with desk.service.session() as session:
        return set(session.exec(select(Question.candidate_id).where(col(Question.overlap))).all())
