"""Corrections one by one, on both databases: what each says, who may, what comes back."""

from typing import Any

import numpy as np
import pytest
from sqlmodel import col, select

from backend.clusters.grouping import NOISE
from backend.clusters.links import law_of, restore
from backend.clusters.models import ClusterItem, FeedbackPair, Link
from backend.errors import Conflict, InputError, NotAllowed, NotFound
from backend.library.models import Movie
from backend.members.models import Membership, Person
from backend.members.service import principal
from tests.grouped import Desk, Table, add_film, add_items, desk_of, table
from tests.service import Service


@pytest.fixture
def desk(service: Service) -> Desk:
    return desk_of(service.resources)


def law(desk: Table) -> tuple[dict[int, int], set[tuple[int, int]]]:
    """Which items the law holds where, and pairs of items with clusters that they are not to be in."""
    items = desk.items()
    with desk.session() as session:
        found = law_of(session, desk.project, desk.kind, items)
    held = {items[at].id or 0: int(found.held[at]) for at in np.flatnonzero(found.held != NOISE)}
    return held, {(items[one].id or 0, int(found.held[other])) for one, other in found.cannot.tolist()}


def pairs(desk: Table) -> list[tuple[int, int, int]]:
    """What is taught, by items; 0 for none."""
    number = {item.key: item.id or 0 for item in desk.items()}
    with desk.session() as session:
        of_project = select(FeedbackPair).where(col(FeedbackPair.project_id) == desk.project)
        rows = session.exec(of_project.order_by(col(FeedbackPair.id))).all()
    return [(number[row.anchor], number[row.positive], number.get(row.negative, 0)) for row in rows]


def test_what_is_moved_is_held_and_so_is_what_it_was_compared_with(desk: Desk) -> None:
    made, (ones, others, _, _), (one, other, _) = desk
    done = made.move(other, ones[1], ones[2])
    assert (done.correction.said, done.correction.items) == (f"2 shots moved to place {other}.", 2)
    assert {cluster.id: (cluster.size, cluster.held) for cluster in done.clusters} == {one: (3, 1), other: (6, 3)}
    held, apart = law(made)
    assert held == {ones[0]: one, ones[1]: other, ones[2]: other, others[0]: other}
    assert apart == {(ones[1], one), (ones[2], one)}
    assert pairs(made) == [(ones[1], others[0], ones[0]), (ones[2], others[0], ones[0])]
    with pytest.raises(Conflict, match="already"):
        made.move(other, ones[1])


def test_not_this(desk: Desk) -> None:
    made, (ones, _, _, _), (one, *_) = desk
    done = made.remove(one, ones[3])
    assert done.correction.said == f"1 shot is not place {one}."
    assert made.lies()[ones[3]] == (None, False)
    assert law(made) == ({ones[0]: one}, {(ones[3], one)})
    assert pairs(made) == [(ones[0], ones[1], ones[3])], "those that stay are more alike"
    with pytest.raises(Conflict, match="not in place"):
        made.remove(one, ones[3])
    made.move(one, ones[3])
    assert law(made)[1] == set(), "a later word ends the earlier one"


def test_a_new_place_out_of_noise(desk: Desk) -> None:
    made, (*_, noise), _ = desk
    done = made.new(*noise, name=" Attic ")
    (attic,) = done.clusters
    assert (attic.name, attic.size, attic.held) == ("Attic", 3, 3)
    assert done.correction.said == "3 shots became Attic."
    assert pairs(made) == [(noise[1], noise[0], 0), (noise[2], noise[0], 0)]
    back = made.undo(done)
    assert (back.gone, back.correction.said) == ([attic.id], f"Taken back: 3 shots became place {attic.id}.")
    assert {made.lies()[item] for item in noise} == {(None, False)}


def test_a_part_is_split_off(desk: Desk) -> None:
    made, (ones, *_), (one, *_) = desk
    done = made.split(one, *ones[3:], name="Porch")
    assert done.correction.said == f"2 shots of place {one} became Porch."
    assert law(made)[1] == {(ones[3], one), (ones[4], one)}
    with pytest.raises(Conflict, match="all of"):
        made.split(one, *ones[:3])


def test_one_name_survives_a_merge_and_both_come_back(desk: Desk) -> None:
    made, (ones, others, _, _), (one, other, third) = desk
    made.rename(other, "Kitchen")
    done = made.merge(one, other)
    assert (done.gone, [cluster.name for cluster in done.clusters]) == ([other], ["Kitchen"])
    assert {made.lies()[item][0] for item in (*ones, *others)} == {one}
    with pytest.raises(NotFound, match="merged into"):
        made.move(other, ones[0])
    made.undo(done)
    assert [made.clusters()[cluster].name for cluster in (one, other)] == ["", "Kitchen"]
    assert {made.lies()[item][0] for item in others} == {other}
    made.rename(third, "Hall")
    both = made.merge(third, other)
    assert (both.clusters[0].name, both.correction.said) == ("Hall", "Kitchen became one with Hall.")


def test_what_is_not_to_be_in_a_part_leaves_the_whole(desk: Desk) -> None:
    made, (ones, *_), (one, other, _) = desk
    made.remove(one, ones[4])
    machine(made, ones[4], other)
    done = made.merge(other, one)
    assert made.lies()[ones[4]] == (None, False)
    made.undo(done)
    assert made.lies()[ones[4]] == (other, False)


def test_nothing_goes_back_to_where_it_is_not_to_be(desk: Desk) -> None:
    made, (ones, *_), (one, other, third) = desk
    made.remove(one, ones[4])
    machine(made, ones[4], other)
    done = made.move(third, ones[4])
    made.merge(one, other)
    made.undo(done)
    assert made.lies()[ones[4]] == (None, False)


def machine(made: Table, item: int, cluster: int) -> None:
    """A machine finds that an item fits there."""
    with made.session() as session:
        row = session.get_one(ClusterItem, item)
        row.cluster_id, row.confidence = cluster, 0.4
        session.commit()


def test_what_a_later_correction_said_stays(desk: Desk) -> None:
    made, (ones, *_), (one, other, third) = desk
    first = made.move(other, ones[1], ones[2])
    made.move(third, ones[2])
    back = made.undo(first)
    assert [made.lies()[item] for item in ones[1:3]] == [(one, False), (third, True)]
    assert made.undo(first).correction == back.correction, "again is the same row"
    with pytest.raises(Conflict, match="anew"):
        made.undo(back.correction.id)


def test_a_name_is_one_that_can_be_seen_and_is_found_in_any_letters(service: Service, desk: Desk) -> None:
    made, _, (one, other, _) = desk
    client = service.client(service.token())

    def renamed(name: str) -> Any:
        answer = client.patch(f"/api/clusters/{one}", json={"name": name})
        return answer.json()["clusters"][0]["name"] if answer.status_code == 200 else answer.json()["detail"]

    unseen = "name: a name has letters that can be seen, and no control characters."
    for name in ("a\x00b", "x\ny\x07", "\u200b", "\u202eevil"):
        assert renamed(name) == unseen
    for name in ("👩\u200d👩\u200d👧 Family", "'); DROP TABLE cluster;--", "<b>%_\\</b>", "厨房"):
        assert renamed(name) == name
    assert renamed("  Kleine\t  KU\u0308CHE ") == "Kleine KÜCHE"
    assert renamed("Kleine KÜCHE") == "Kleine KÜCHE is called that already."
    for asked, total in (("küche", 1), ("KÜC", 1), ("kleine  kü", 1), ("kuche", 0), ("%", 0), ("_", 0)):
        listed = client.get("/api/clusters", params={"project": made.project, "q": asked}).json()
        assert (asked, listed["total"]) == (asked, total)
    with pytest.raises(Conflict, match="has no name"):
        made.rename(other, " ")


def test_names_taken_back_in_any_order(desk: Desk) -> None:
    made, _, (one, *_) = desk
    first, second = made.rename(one, "Kitchen"), made.rename(one, "Cuisine")
    assert second.correction.said == "Kitchen is called Cuisine."
    made.undo(first)
    assert made.clusters()[one].name == "Cuisine"
    made.undo(second)
    assert made.clusters()[one].name == ""


def test_links_hold_as_long_as_the_word_stands(desk: Desk) -> None:
    made, (ones, *_), (one, other, third) = desk

    def holding(of: int) -> int:
        with made.session() as session:
            mine = col(Link.correction_id) == of, col(Link.item_id) == ones[1], col(Link.ended_by).is_(None)
            return len(session.exec(select(Link).where(*mine)).all())

    first = made.move(other, ones[1])
    assert holding(first.correction.id) == 2
    second = made.move(one, ones[1])
    assert holding(first.correction.id) == 0, "it is neither there, nor is it kept from where it was"
    made.move(third, ones[1])
    made.undo(second)
    assert holding(first.correction.id) == 1, "that it is not of the first place holds again"


def test_what_was_said_outlives_the_film(desk: Desk) -> None:
    made, (ones, *_), (one, other, _) = desk
    made.move(other, ones[1])
    made.remove(one, ones[2])
    titles = {item.key: item for item in made.items()}
    with made.session() as session:
        movie = session.exec(select(Movie).where(col(Movie.project_id) == made.project)).one()
        sha256, number = movie.sha256 or "", movie.id
        session.delete(movie)
        session.commit()
    assert made.items() == []
    with made.session() as session:
        again = add_film(session, made.project, len(titles), "Again")
        again.sha256 = sha256
        add_items(session, again, made.kind, range(len(titles)), None)
        assert restore(session, made.project, made.kind, sha256)
        session.commit()
        assert again.id != number or titles
    now = {item.key: item for item in made.items()}
    moved = next(item for item in now.values() if item.shot == 1)
    assert (moved.cluster_id, moved.held) == (other, True)
    put_out = next(item for item in now.values() if item.shot == 2)
    assert (put_out.cluster_id, put_out.held) == (None, False)
    assert (put_out.id, one) in law(made)[1]


def test_what_is_wrong_is_said(service: Service, desk: Desk) -> None:
    made, (ones, *_), (one, *_) = desk
    elsewhere, (strange, _) = table(service.resources, [2])
    people, _ = table(service.resources, [2], kind="character")
    (person,) = people.clusters()
    with pytest.raises(NotFound, match="no shot"):
        made.move(one, strange[0])
    with pytest.raises(NotFound, match="no cluster"):
        made.move(10**6, ones[0])
    with pytest.raises(InputError, match="another project"):
        made.merge(one, person)
    with pytest.raises(InputError, match="become one"):
        made.merge(one, one)
    with pytest.raises(NotFound, match="no correction"):
        made.undo(10**6)
    assert made.lies() == {item: (cluster, False) for item, (cluster, _) in made.lies().items()}
    assert len(elsewhere.items()) == 2


@pytest.mark.parametrize("role", ["viewer", ""])
def test_curators_correct_others_do_not(service: Service, desk: Desk, role: str) -> None:
    made, (ones, *_), (one, other, _) = desk
    done = made.move(other, ones[0])
    with made.session() as session:
        person = Person(name="Ada")
        session.add(person)
        session.flush()
        if role:
            session.add(Membership(project_id=made.project, person_id=person.id or 0, role=role))
        session.commit()
        ada = Table(made.resources, principal(person), made.project)
    before, refused = made.lies(), NotAllowed if role else NotFound
    for tried in (
        lambda: ada.move(other, ones[1]),
        lambda: ada.remove(one, ones[1]),
        lambda: ada.new(ones[1]),
        lambda: ada.split(one, ones[1]),
        lambda: ada.merge(one, other),
        lambda: ada.rename(one, "Kitchen"),
        lambda: ada.undo(done),
    ):
        with pytest.raises(refused):
            tried()
    assert made.lies() == before


def test_two_thousand_at_once(service: Service) -> None:
    made, (ones, *_) = table(service.resources, [2100, 10])
    one, other = sorted(made.clusters())
    done = made.move(other, *ones[:2000])
    assert {cluster.id: cluster.size for cluster in done.clusters} == {one: 100, other: 2010}
    back = made.undo(done)
    assert {cluster.id: (cluster.size, cluster.held) for cluster in back.clusters} == {one: (2100, 0), other: (10, 0)}
