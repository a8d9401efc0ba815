"""Clip lists by the API: what may enter, in what order, who changes them at once, what keeps them from going out."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import col, delete

from backend.database import utc_now
from backend.library.models import Project
from labeling.lists.models import StoredList
from tests.curating import add_film, decide
from tests.listing import Desk, desk


def test_a_list_is_made_shown_changed_and_removed(ada: Desk) -> None:
    made, _ = ada.filled(3, name="Spring: 1/2 “ä”")
    shown = ada.ask("GET", f"/lists/{made}")
    assert (shown["name"], shown["state"], shown["clips"], shown["blocked"]) == ("Spring: 1/2 “ä”", "draft", 3, 0)
    assert shown["total_s"] == pytest.approx(180)
    assert shown["films"] == ["Film 0", "Film 1"]
    assert shown["created_by"] == "Ada"
    changed = ada.ask("PATCH", f"/lists/{made}", json={"name": "Summer", "target_s": 200, "rate": "29.97df"})
    assert (changed["name"], changed["target_s"], changed["rate"]) == ("Summer", 200, "29.97df")
    assert changed["version"] == shown["version"] + 1
    assert ada.ask("PATCH", f"/lists/{made}", json={"target_s": None})["target_s"] is None
    other = ada.new_list("Autumn")
    found = ada.ask("GET", "/lists", params={"project": ada.project})
    assert [each["id"] for each in found["items"]] == [other, made]
    assert [each["id"] for each in ada.ask("GET", "/lists", params={"project": ada.project, "q": "umm"})["items"]] == [
        made
    ]
    ada.ask("DELETE", f"/lists/{made}", 204)
    assert "There is no list" in ada.refused("GET", f"/lists/{made}", 404)
    assert len(ada.approved(3)) == 3  # decisions stay


def test_only_approved_clips_enter_and_the_answer_says_what_to_do(ada: Desk) -> None:
    made = ada.new_list()
    row = ada.studio.candidates()[0]
    wanted = {"entries": [{"candidate": row.id}]}
    assert "nobody has approved it yet: approve it first" in ada.refused(
        "POST", f"/lists/{made}/entries", 409, json=wanted
    )
    decide(ada.client, row.id or 0, "reject")
    assert "it was rejected" in ada.refused("POST", f"/lists/{made}/entries", 409, json=wanted)
    let_in = {"entries": [{"candidate": row.id, "unapproved": True}]}
    assert "Only admins" in ada.refused("POST", f"/lists/{made}/entries", 403, json=let_in)
    admin = Desk(ada.studio, ada.studio.owner())
    (entry,) = admin.ask("POST", f"/lists/{made}/entries", 201, json=let_in)["entries"]
    assert (entry["approved"], entry["admitted_by"], entry["blocked"], entry["verdict"]) == (
        True,
        "owner",
        [],
        "reject",
    )
    decide(ada.client, row.id or 0, "approve")
    assert ada.ask("POST", f"/lists/{made}/entries", 201, json=wanted)["entries"][0]["id"] == entry["id"]
    assert len(ada.entries(made)) == 1  # the same candidate is one entry


def test_frames_set_by_hand_become_an_approved_candidate(ada: Desk) -> None:
    made, movie = ada.new_list(), ada.studio.movies[0]
    hand = {"movie": movie, "start_frame": 100, "end_frame": 350, "name": "By hand"}
    (entry,) = ada.ask("POST", f"/lists/{made}/entries", 201, json={"entries": [hand]})["entries"]
    assert (entry["start_s"], entry["end_s"], entry["name"], entry["approved"]) == (4.0, 14.0, "By hand", True)
    (row,) = ada.studio.candidates(start_frame=100, end_frame=350)
    assert (row.source, row.verdict, row.decided, row.created_by) == ("manual", "approve", 1, "Ada")
    said = ada.ask("GET", "/decisions", params={"project": ada.project, "candidate": row.id})["items"]
    assert [(each["verdict"], each["curator"], each["strategy"]) for each in said] == [("approve", "Ada", "chosen")]
    beyond = {"entries": [{"movie": movie, "start_frame": 5, "end_frame": 100_001}]}
    assert "The film has 100000 frames" in ada.refused("POST", f"/lists/{made}/entries", 422, json=beyond)
    decide(ada.client, row.id or 0, "reject")
    other = ada.new_list("Other")
    assert "were rejected before" in ada.refused("POST", f"/lists/{other}/entries", 409, json={"entries": [hand]})
    assert ada.entries(other) == []  # all or none


def test_moves_of_one_and_many(ada: Desk) -> None:
    made, (a, b, c, d, e) = ada.filled(5)
    move = f"/lists/{made}/entries/move"
    ada.ask("POST", move, json={"entries": [e], "before": a})
    assert ada.order(made) == [e, a, b, c, d]
    ada.ask("POST", move, json={"entries": [d, a], "before": c})
    assert ada.order(made) == [e, b, d, a, c]
    ada.ask("POST", move, json={"entries": [e], "before": None})
    assert ada.order(made) == [b, d, a, c, e]
    version = ada.ask("GET", f"/lists/{made}")["version"]
    ada.ask("POST", move, json={"entries": [b], "before": d})  # where it is
    assert ada.ask("GET", f"/lists/{made}")["version"] == version
    ada.ask("DELETE", f"/lists/{made}/entries", params={"entries": [a, b]})
    assert ada.order(made) == [d, c, e]
    assert f"no entry {a}" in ada.refused("POST", move, 409, json={"entries": [d], "before": a})
    assert f"no entry {b}" in ada.refused("POST", move, 409, json={"entries": [b], "before": c})
    assert "before itself" in ada.refused("POST", move, 409, json={"entries": [c], "before": c})
    added = {"entries": [{"candidate": ada.approved(6)[-1].id}], "before": c}
    new = ada.ask("POST", f"/lists/{made}/entries", 201, json=added)["entries"][0]["id"]
    assert ada.order(made) == [d, new, c, e]


def test_who_has_not_seen_the_newest_version_is_told(ada: Desk) -> None:
    made, (a, b, _) = ada.filled(3)
    seen = ada.client.get(f"/api/lists/{made}").headers["ETag"]
    ben = Desk(ada.studio, ada.studio.curator("Ben"))
    ben.ask("POST", f"/lists/{made}/entries/move", json={"entries": [b], "before": a}, headers={"If-Match": seen})
    late = {"headers": {"If-Match": seen}}
    for method, path, body in (
        ("POST", "/entries/move", {"json": {"entries": [b]}}),
        ("PATCH", f"/entries/{a}", {"json": {"note": "x"}}),
        ("DELETE", "/entries", {"params": {"entries": [a]}}),
        ("PATCH", "", {"json": {"name": "x"}}),
        ("POST", "/approve", {}),
        ("DELETE", "", {}),
    ):
        assert "Somebody has changed this list" in ada.refused(method, f"/lists/{made}{path}", 409, **body, **late)
    assert len(ada.order(made)) == 3


def test_two_people_who_reorder_at_once_lose_nothing(ada: Desk) -> None:
    made, entries = ada.filled(10)
    people = [ada, Desk(ada.studio, ada.studio.curator("Ben"))]

    def work(number: int) -> int:
        chance, who, done = random.Random(number), people[number % 2], 0
        for _ in range(15):
            moved = chance.sample(entries, chance.randint(1, 3))
            before = chance.choice([None, *(each for each in entries if each not in moved)])
            who.ask("POST", f"/lists/{made}/entries/move", json={"entries": moved, "before": before})
            done += 1
        return done

    version = ada.ask("GET", f"/lists/{made}")["version"]
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 60
    assert sorted(ada.order(made)) == sorted(entries)
    assert version < ada.ask("GET", f"/lists/{made}")["version"] <= version + 60


def test_clips_that_come_in_and_go_while_others_are_moved(ada: Desk) -> None:
    made, entries = ada.filled(4)
    known = {entry["candidate_id"] for entry in ada.entries(made)}
    more = [row.id for row in ada.approved(10) if row.id not in known]
    ben = Desk(ada.studio, ada.studio.curator("Ben"))

    def add(candidate: int | None) -> int:
        wanted = {"entries": [{"candidate": candidate}], "before": entries[0]}
        return int(ben.ask("POST", f"/lists/{made}/entries", 201, json=wanted)["entries"][0]["id"])

    def move(number: int) -> None:
        ada.ask("POST", f"/lists/{made}/entries/move", json={"entries": [entries[number % 4]], "before": None})

    with ThreadPoolExecutor(4) as pool:
        moves = [pool.submit(move, number) for number in range(12)]
        added = list(pool.map(add, more))
        assert all(each.result() is None for each in moves)
    assert sorted(ada.order(made)) == sorted([*entries, *added])


def test_a_trim_stays_in_its_list_and_within_the_film(ada: Desk) -> None:
    made, (a, _) = ada.filled(2)
    before = ada.entries(made)[0]
    path = f"/lists/{made}/entries/{a}"
    frames = {"start_frame": before["start_frame"] + 25, "end_frame": before["end_frame"] - 50}
    (entry,) = ada.ask("PATCH", path, json=frames | {"note": "Tighter."})["entries"]
    assert (entry["trimmed"], entry["note"], entry["approved"]) == (True, "Tighter.", True)
    assert entry["duration_s"] == pytest.approx(before["duration_s"] - 3)
    assert (entry["candidate_start_frame"], entry["start_s"]) == (before["start_frame"], before["start_s"] + 1)
    assert ada.studio.candidates(id=before["candidate_id"])[0].start_frame == before["start_frame"]
    long = {"start_frame": 0, "end_frame": 100_001}
    assert "100000 frames" in ada.refused("PATCH", path, 422, json=long)
    assert "both start_frame and end_frame" in ada.refused("PATCH", path, 422, json={"start_frame": 1})
    assert "no entry 999999" in ada.refused("PATCH", f"/lists/{made}/entries/999999", 404, json={"note": ""})


def test_rights_and_embargo_of_clip_and_film_block_with_a_reason(ada: Desk) -> None:
    made, (a, b) = ada.filled(2)
    film = ada.studio.movies[1]
    ada.ask("PATCH", f"/lists/{made}/entries/{a}", json={"rights": "blocked", "rights_note": "the song is not ours."})
    ada.set_film(film, embargo_until="2999-12-01")
    first, second = ada.entries(made)
    assert first["blocked"] == ["This clip may not be used: the song is not ours."]
    assert second["blocked"] == ["The film 'Film 1' is under embargo until 1 December 2999."]
    assert ada.ask("GET", f"/lists/{made}")["blocked"] == 2
    said = ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "edl"})
    assert "the song is not ours" in said
    assert "under embargo until 1 December 2999" in said
    assert ada.ask("GET", f"/lists/{made}/exports")["total"] == 0  # nothing is kept of what was refused
    assert "Clip 1 may not go out: This clip may not be used" in ada.refused("POST", f"/lists/{made}/approve", 409)
    ada.ask("PATCH", f"/lists/{made}/entries/{a}", json={"rights": "cleared"})
    ada.ask("PATCH", f"/lists/{made}/entries/{b}", json={"embargo_until": utc_now().date().isoformat()})
    ada.set_film(film, embargo_until="2020-01-01")
    assert [entry["blocked"] for entry in ada.entries(made)] == [[], []]
    ada.set_film(film, rights="blocked", rights_note="Sold to others")
    assert ada.entries(made)[1]["blocked"] == ["The film 'Film 1' may not be used: Sold to others."]
    ada.set_film(film, rights="", embargo_until=None)
    assert ada.ask("POST", f"/lists/{made}/approve")["state"] == "approved"


def test_an_approval_that_is_taken_back_blocks_and_the_entry_stays(ada: Desk) -> None:
    row = ada.studio.candidates()[0]
    said = decide(ada.client, row.id or 0, "approve")
    made = ada.new_list()
    ada.ask("POST", f"/lists/{made}/entries", 201, json={"entries": [{"candidate": row.id}]})
    ada.ask("POST", f"/decisions/{said['id']}/undo", 201)
    (entry,) = ada.entries(made)
    assert (entry["approved"], entry["verdict"]) == (False, "")
    assert entry["blocked"] == ["It is no longer approved, that was taken back: approve it, or take it out."]
    decide(ada.client, row.id or 0, "reject")
    assert "it was rejected since" in ada.entries(made)[0]["blocked"][0]
    assert "it was rejected since" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "json"})
    decide(ada.client, row.id or 0, "approve")
    assert ada.entries(made)[0]["blocked"] == []


def test_an_approved_list_is_a_draft_again_when_it_changes(ada: Desk) -> None:
    made, (a, b) = ada.filled(2)
    assert "has no clips" in ada.refused("POST", f"/lists/{ada.new_list('Empty')}/approve", 409)
    for method, path, more in (
        ("POST", f"/lists/{made}/entries/move", {"json": {"entries": [b], "before": a}}),
        ("PATCH", f"/lists/{made}/entries/{a}", {"json": {"note": "New"}}),
        ("PATCH", f"/lists/{made}", {"json": {"name": "New"}}),
        ("DELETE", f"/lists/{made}/entries", {"params": {"entries": [a]}}),
        ("POST", f"/lists/{made}/reopen", {}),
    ):
        shown = ada.ask("POST", f"/lists/{made}/approve")
        assert (shown["state"], shown["approved_by"]) == ("approved", "Ada")
        assert shown["approved_at"]
        ada.ask(method, path, **more)
        shown = ada.ask("GET", f"/lists/{made}")
        assert (shown["state"], shown["approved_by"], shown["approved_at"]) == ("draft", "", None)


def test_a_film_that_is_deleted_leaves_its_entries_and_comes_back_to_them(ada: Desk) -> None:
    made, _ = ada.filled(2)
    owner = Desk(ada.studio, ada.studio.owner())
    gone = ada.studio.movies[0]
    owner.ask("DELETE", f"/movies/{gone}", 204)
    first, second = ada.entries(made)
    assert (first["movie_id"], first["movie_title"], first["rate"], first["picture"]) == (None, "Film 0", "", None)
    assert len(first["movie_sha256"]) == 64
    assert first["blocked"] == ["The film 'Film 0' is gone; add its file again, or take the clip out."]
    assert second["blocked"] == []
    assert "is gone" in ada.refused("GET", f"/lists/{made}/export", 409, params={"format": "edl"})
    assert "is gone" in ada.refused(
        "PATCH", f"/lists/{made}/entries/{first['id']}", 409, json={"start_frame": 1, "end_frame": 2}
    )
    stops = [each for each in ada.ask("GET", f"/lists/{made}/preflight")["formats"] if each["ready"]]
    assert stops == []
    with ada.service.session() as session:
        add_film(session, ada.project, "Film 0", 0)
        session.commit()
    assert ada.entries(made)[0]["blocked"] == []


def test_a_project_takes_its_lists_along(ada: Desk) -> None:
    made, _ = ada.filled(1)
    other = ada.service.project("Other")
    with ada.service.session() as session:
        session.add(StoredList(project_id=other, name="Elsewhere"))
        session.commit()
        session.execute(delete(Project).where(col(Project.id) == other))
        session.commit()
        assert [row.id for row in session.exec(StoredList.__table__.select()).all()] == [made]  # type: ignore[attr-defined]


def test_a_clip_of_another_project_does_not_enter(ada: Desk) -> None:
    made, other = ada.new_list(), desk(ada.service, 1, 2)
    row = other.approved(1)[0]
    owner = Desk(ada.studio, ada.studio.owner())
    for wanted in ({"candidate": row.id}, {"movie": other.studio.movies[0], "start_frame": 1, "end_frame": 9}):
        said = owner.refused("POST", f"/lists/{made}/entries", 404, json={"entries": [wanted]})
        assert "in the list's project" in said
    ben = Desk(ada.studio, ada.studio.curator("Ben"))
    assert "not a member" in ben.refused("GET", f"/lists/{other.new_list()}", 404)


def test_a_candidate_that_a_ranking_drops_leaves_its_entry(ada: Desk) -> None:
    made, row = ada.new_list(), ada.studio.candidates()[0]
    owner = Desk(ada.studio, ada.studio.owner())
    owner.ask("POST", f"/lists/{made}/entries", 201, json={"entries": [{"candidate": row.id, "unapproved": True}]})
    owner.ask("DELETE", f"/movies/{row.movie_id}", 204)
    assert ada.studio.candidates(id=row.id) == []
    (entry,) = ada.entries(made)
    assert (entry["candidate_id"], entry["score"], entry["admitted_by"]) == (None, None, "owner")
