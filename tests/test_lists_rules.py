"""What a rule picks, what it would change before it changes it, and what people put there in spite of it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from labeling.lists.rules import Clip, Wish, pick
from tests.curating import decide
from tests.listing import Desk, desk
from tests.service import Service

CLIPS = some.builds(
    lambda film, scene, start, length, score: (film, scene, start, start + length, score),
    some.integers(1, 3),
    some.integers(0, 4),
    some.integers(0, 500).map(float),
    some.integers(1, 120).map(float),
    some.none() | some.floats(0, 1),
)
WISHES = some.builds(
    Wish,
    count=some.integers(1, 8),
    per_scene=some.none() | some.integers(1, 3),
    per_film=some.none() | some.integers(1, 4),
    total_s=some.none() | some.integers(10, 600).map(float),
    min_score=some.none() | some.floats(0, 1),
    min_s=some.none() | some.integers(1, 60).map(float),
    max_s=some.none() | some.integers(30, 120).map(float),
    apart_s=some.sampled_from([0.0, 10.0]),
    order=some.sampled_from(["score", "film"]),
)


@given(wish=WISHES, found=some.lists(CLIPS, max_size=25), by_hand=some.integers(0, 3))
def test_what_is_picked_keeps_to_the_rule(wish: Wish, found: list[Any], by_hand: int) -> None:
    clips = [Clip(number, *each) for number, each in enumerate(found)]
    hand, free = clips[:by_hand], clips
    made = pick(wish, free, hand)
    whole = [*hand, *made.clips]
    assert len({clip.id for clip in whole}) == len(whole)
    assert len(made.clips) + sum(made.left_out.values()) == len(free) - len(hand)
    for clip in made.clips:
        others = [each for each in whole if each.id != clip.id and each.film == clip.film]
        assert all(clip.end_s <= each.start_s or clip.start_s >= each.end_s for each in others)
        assert wish.min_score is None or (clip.score is not None and clip.score >= wish.min_score)
        assert wish.min_s is None or clip.duration_s >= wish.min_s
        assert wish.max_s is None or clip.duration_s <= wish.max_s
        assert wish.per_scene is None or sum(each.scene == clip.scene for each in others) < max(wish.per_scene, by_hand)
    if made.clips:
        assert len(whole) <= wish.count
        assert wish.total_s is None or sum(clip.duration_s for clip in whole) <= wish.total_s
    by_film = [(clip.film, clip.start_s) for clip in made.clips]
    assert wish.order == "score" or by_film == sorted(by_film)


def test_the_best_come_first_and_a_later_one_may_fit() -> None:
    clips = [
        Clip(1, 1, 1, 0, 90, 0.9),
        Clip(2, 1, 1, 100, 200, 0.8),
        Clip(3, 1, 2, 300, 360, 0.7),
        Clip(4, 1, 1, 50, 95, 0.6),
    ]
    made = pick(Wish(total_s=150), clips)
    assert [clip.id for clip in made.clips] == [1, 3]
    assert made.left_out == {"the list would be longer than 150 s": 1, "it overlaps one that is in the list": 1}
    assert [clip.id for clip in pick(Wish(per_scene=1), clips).clips] == [1, 3]
    assert [clip.id for clip in pick(Wish(apart_s=20), clips).clips] == [1, 3]


@pytest.fixture
def ada(service: Service) -> Desk:
    return desk(service, films=3, clips=6)


def test_a_list_by_rule_and_what_running_it_again_would_change(ada: Desk) -> None:
    approved = ada.approved(18)
    rule = {"movies": list(ada.studio.movies[:2]), "count": 4, "per_scene": 2, "total_s": 360}
    body = {"project": ada.project, "rule": rule}
    seen = ada.ask("POST", "/lists/by-rule/preview", json=body)
    assert (seen["clips"], seen["total_s"], seen["keep"], seen["remove"]) == (4, 240, 0, [])
    made = ada.ask("POST", "/lists/by-rule", 201, json=body | {"name": "Best"})
    number, clips = made["clip_list"]["id"], made["entries"]
    assert [clip["candidate_id"] for clip in clips] == [each["candidate_id"] for each in seen["add"]]
    assert {clip["movie_id"] for clip in clips} == set(ada.studio.movies[:2])
    assert all(clip["by_rule"] for clip in clips)
    scores = [clip["score"] for clip in clips]
    assert scores == sorted(scores, reverse=True)
    again = ada.ask("POST", f"/lists/{number}/rule/preview", json={})
    assert (again["add"], again["remove"], again["keep"]) == ([], [], 4)
    # One is not approved any more, another is trimmed, one is put there by hand.
    decide(ada.client, clips[0]["candidate_id"], "reject")
    ada.ask(
        "PATCH", f"/lists/{number}/entries/{clips[1]['id']}", json={"note": "Mine", "start_frame": 10, "end_frame": 60}
    )
    third = next(row for row in approved if row.movie_id == ada.studio.movies[2])
    ada.ask(
        "POST", f"/lists/{number}/entries", 201, json={"entries": [{"candidate": third.id}], "before": clips[1]["id"]}
    )
    again = ada.ask("POST", f"/lists/{number}/rule/preview", json={})
    assert [each["id"] for each in again["remove"]] == [clips[0]["id"]]
    assert again["add"] == []  # the one by hand is the fourth
    assert again["keep"] == 4
    entries = ada.entries(number)
    run = f"/lists/{number}/rule/run"
    assert "Somebody" in ada.refused("POST", run, 409, json={}, headers={"If-Match": f'"{again["version"] - 1}"'})
    assert ada.entries(number) == entries
    ada.ask("POST", run, json={}, headers={"If-Match": f'"{again["version"]}"'})
    after = ada.entries(number)
    assert [each["id"] for each in after] == [each["id"] for each in entries if each["id"] != clips[0]["id"]]
    assert next(each for each in after if each["id"] == clips[1]["id"])["note"] == "Mine"
    wider = rule | {"count": 5, "order": "film"}
    changed = ada.ask("POST", run, json={"rule": wider, "reorder": True})
    assert changed["clip_list"]["rule"]["count"] == 5
    assert len(changed["entries"]) == 1
    films = [(each["movie_id"], each["start_s"]) for each in ada.entries(number)]
    assert films == sorted(films)
    version = changed["clip_list"]["version"]
    assert ada.ask("POST", run, json={})["clip_list"]["version"] == version  # nothing to do: nothing done


def test_films_that_may_not_be_used_are_passed_over(ada: Desk) -> None:
    ada.approved(18)
    ada.set_film(ada.studio.movies[0], rights="blocked")
    ada.set_film(ada.studio.movies[1], genres=["Drama"])
    seen = ada.ask("POST", "/lists/by-rule/preview", json={"project": ada.project, "rule": {"count": 18}})
    assert {each["movie_id"] for each in seen["add"]} == set(ada.studio.movies[1:])
    assert {"why": "its film may not be used, or not yet", "clips": 6} in seen["left_out"]
    drama = {"project": ada.project, "rule": {"count": 18, "genres": ["drama"]}}
    only = ada.ask("POST", "/lists/by-rule/preview", json=drama)["add"]
    assert {each["movie_id"] for each in only} == {ada.studio.movies[1]}
    other = desk(ada.service, 1, 1).studio.movies[0]
    named = {"project": ada.project, "rule": {"movies": [other]}}
    assert f"no film {other}" in ada.refused("POST", "/lists/by-rule/preview", 422, json=named)
    made = ada.new_list()
    assert "has no rule" in ada.refused("POST", f"/lists/{made}/rule/preview", 422, json={})
    ada.ask("PATCH", f"/lists/{made}", json={"rule": {"count": 2}})
    assert ada.entries(made) == []  # kept, not run
    assert len(ada.ask("POST", f"/lists/{made}/rule/run", json={})["entries"]) == 2
