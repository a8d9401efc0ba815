"""What corrections teach, and what else they would move, on both databases."""

import json
from typing import Any

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from backend.library.models import Movie
from tests.grouped import Desk, desk_of, painted, table
from tests.service import Service


@pytest.fixture
def desk(service: Service) -> Desk:
    return desk_of(service.resources)


def lines(client: TestClient, project: int) -> list[dict[str, Any]]:
    answer = client.get("/api/feedback", params={"project": project, "format": "jsonl"})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_feedback_names_films_also_those_that_are_gone(service: Service, desk: Desk) -> None:
    made, (ones, *_), (_, other, third) = desk
    client = service.client(service.token())
    done = made.move(third, ones[1])
    kept = made.move(other, ones[2])
    made.undo(done)
    page = client.get("/api/feedback", params={"project": made.project, "kind": "scene"}).json()
    (pair,) = page["items"]
    assert (page["total"], pair["correction"], pair["what"]) == (1, kept.correction.id, "move")
    frames = [pair[name]["frame"] for name in ("anchor", "positive", "negative")]
    assert frames == [250, 550, 50]
    assert pair["anchor"]["movie_title"] == "Film"
    assert lines(client, made.project) == [pair]
    assert client.get("/api/feedback", params={"project": made.project, "kind": "character"}).json()["total"] == 0
    with made.session() as session:
        session.delete(session.exec(select(Movie).where(col(Movie.project_id) == made.project)).one())
        session.commit()
    (gone,) = lines(client, made.project)
    assert gone["anchor"] == pair["anchor"] | {"movie_title": ""}


def test_this_moves_more_when_somebody_asks(service: Service) -> None:
    made, (ones, _) = table(service.resources, [12], 3)
    painted(made, [0, 1] * 6 + [2] * 3)
    (one,) = made.clusters()
    client = service.client(service.token())
    start = made.lies()
    done = made.split(one, ones[1], ones[3], name="Garden")
    garden, address = done.correction.cluster, f"/api/clusters/corrections/{done.correction.id}/more"
    before, alike = made.lies(), set(ones[5::2])
    shown = client.get(address, params={"limit": 3}).json()
    assert (shown["total"], done.more, len(shown["items"]), shown["next"]) == (4, 4, 3, 3)
    assert {(each["item"]["id"] in alike, each["item"]["cluster"], each["to"]) for each in shown["items"]} == {
        (True, one, garden)
    }
    sure = [each["confidence"] for each in shown["items"]]
    assert sure == sorted(sure, reverse=True)
    assert made.lies() == before, "nothing was moved"
    more = client.post(address).json()
    assert (more["correction"]["said"], more["more"]) == ("4 shots more moved to Garden.", 0)
    assert {item: where for item, where in made.lies().items() if where != before[item]} == dict.fromkeys(
        alike, (garden, True)
    )
    again = client.post(address)
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "There is nothing more that this correction would move.",
    )
    assert client.post(f"/api/clusters/corrections/{more['correction']['id']}/undo").status_code == 200
    assert made.lies() == before
    made.undo(done)
    assert made.lies() == start
    late = client.post(address)
    assert (late.status_code, client.get(address).json()["total"]) == (409, 0)
