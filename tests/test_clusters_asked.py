"""What the API says of places and people, and searches that are narrowed to them."""

import numpy as np
from sqlmodel import Session

from backend.clusters.merging import REACH
from backend.clusters.models import KINDS
from backend.jobs.models import Job
from backend.jobs.service import CLUSTERS
from backend.search.index import index_movie
from tests.clustered import Library


def test_what_is_said_of_clusters_is_so(shelf: Library) -> None:
    for kind in KINDS:
        noise = shelf.get("noise", kind=kind, limit=500)
        assert all(item["cluster"] is None for item in noise["items"])
        listed = shelf.clusters(kind)
        seen = noise["total"]
        for cluster in listed:
            inside = shelf.get(f"clusters/{cluster['id']}/members", limit=500)["items"]
            seen += len(inside)
            assert cluster["size"] == len(inside) == shelf.get(f"clusters/{cluster['id']}")["size"]
            assert cluster["films"] == len({item["movie_id"] for item in inside}) == len(cluster["strip"])
            assert cluster["cover"]["id"] in {item["id"] for item in inside}
            assert 0 < cluster["cohesion"] <= 1
            spans = sorted((strip["movie_id"], *span) for strip in cluster["strip"] for span in strip["spans"])
            assert all(
                any(
                    m == item["movie_id"] and a <= item["start_s"] + 0.01 and item["end_s"] <= b + 0.01
                    for m, a, b in spans
                )
                for item in inside
            )
            sure = shelf.get(f"clusters/{cluster['id']}/members", sort="sure")["items"]
            assert [item["confidence"] for item in sure] == sorted((i["confidence"] for i in sure), reverse=True)
        assert seen == sum(row["kind"] == kind for row in shelf.rows())
        assert [c["size"] for c in listed] == sorted((c["size"] for c in listed), reverse=True)
        times = [c["screen_time_s"] for c in shelf.clusters(kind, sort="screen-time")]
        assert times == sorted(times, reverse=True)


def test_pictures_of_items_are_there(shelf: Library) -> None:
    client = shelf.owner()
    for kind in KINDS:
        item = shelf.get("noise", kind=kind)["items"][0] if shelf.get("noise", kind=kind)["items"] else None
        item = item or shelf.clusters(kind)[0]["cover"]
        assert client.get(item["picture"]).headers["content-type"] == "image/jpeg"
        assert (item["box"] is None) == (kind == "scene")


def test_people_in_a_place(library: Library) -> None:
    """All people of a film are put into one cluster, its shots into one place: there they are, with all their time."""
    client = library.owner()
    film = library.movies["stage"]
    of_film = {kind: [r["id"] for r in library.rows() if r["kind"] == kind and r["movie_id"] == film] for kind in KINDS}
    made = {}
    for kind, items in of_film.items():
        body = {"kind": kind, "items": items, "name": f"Stage {kind}"}
        answer = client.post("/api/clusters", params={"project": library.project}, json=body)
        assert answer.status_code == 201, answer.text
        made[kind] = next(c["id"] for c in answer.json()["clusters"] if c["name"] == f"Stage {kind}")
    there = library.clusters("character", scene=made["scene"])
    assert [(c["id"], c["size"]) for c in there] == [(made["character"], len(of_film["character"]))]
    elsewhere = next(c["id"] for c in library.clusters() if c["id"] != made["scene"])
    assert made["character"] not in [c["id"] for c in library.clusters("character", scene=elsewhere)]
    inside = library.get(f"clusters/{made['character']}/members", scene=made["scene"], limit=500)
    assert inside["total"] == len(of_film["character"])


def test_searches_are_narrowed_to_places_and_people(shelf: Library) -> None:
    client = shelf.owner()
    for movie in shelf.movies.values():
        index_movie(shelf.service.resources, movie)
    place = shelf.clusters()[0]
    shots = {(i["movie_id"], i["shot"]) for i in shelf.get(f"clusters/{place['id']}/members", limit=500)["items"]}
    asked = {"movie": shelf.movies["sintel"], "start_frame": 0, "end_frame": 10, "limit": 500}
    found = client.get("/api/similar", params={**asked, "cluster": place["id"]}).json()["items"]
    assert found
    assert {(hit["movie_id"], hit["shot"]) for hit in found} <= shots
    assert {(hit["movie_id"], hit["shot"]) for hit in client.get("/api/similar", params=asked).json()["items"]} - shots
    people = shelf.clusters("character")[0]
    seen = {(i["movie_id"], i["shot"]) for i in shelf.get(f"clusters/{people['id']}/members", limit=500)["items"]}
    both = client.get("/api/similar", params={**asked, "cluster": [place["id"], people["id"]]}).json()["items"]
    assert {(hit["movie_id"], hit["shot"]) for hit in both} <= shots & seen
    either = client.get("/api/similar", params={**asked, "cluster": [c["id"] for c in shelf.clusters()]}).json()
    assert either["total"] >= len(found)
    words = client.get("/api/search", params={"q": "a person", "cluster": people["id"], "limit": 500}).json()["items"]
    assert {(hit["movie_id"], hit["shot"]) for hit in words} <= seen
    assert client.get("/api/similar", params={**asked, "cluster": 999_999}).json()["items"] == []


def test_the_list_is_saved_where_nothing_changed(library: Library) -> None:
    client, params = library.owner(), {"project": library.project, "kind": "scene"}
    first = client.get("/api/clusters", params=params)
    same = client.get("/api/clusters", params=params, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    client.patch(f"/api/clusters/{first.json()['items'][0]['id']}", json={"name": "Cave"})
    changed = client.get("/api/clusters", params=params, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert [c["name"] for c in library.clusters(q="cAv")] == ["Cave"]
    assert library.clusters(q="no such") == []
    assert library.clusters(sort="name")[0]["name"] == "Cave"
    second = client.get("/api/clusters", params={**params, "limit": 1, "offset": 1}).json()
    assert second["items"] == library.clusters()[1:2]


def test_people_whom_one_picture_shows_are_not_suggested_to_be_one(library: Library) -> None:
    """Two of the audience look more alike than two pictures of others; they sit side by side."""
    resources, client = library.service.resources, library.owner()
    with Session(resources.reading) as session:
        near = resources.likenesses.get(session, library.project, "character")
    apart = {tuple(pair): float(np.linalg.norm(near.rows[pair[0]] - near.rows[pair[1]])) for pair in near.together}
    closest = min(apart, key=lambda pair: apart[pair])
    assert apart[closest] < REACH
    for name, at in zip(("One", "Other"), closest, strict=True):
        body = {"kind": "character", "items": [int(near.ids[at])], "name": name}
        assert client.post("/api/clusters", params={"project": library.project}, json=body).status_code == 201
    suggested = library.get("clusters/suggestions", kind="character", limit=100)
    assert {"One", "Other"} not in [{each["one"]["name"], each["other"]["name"]} for each in suggested]


def test_more_is_asked_again_after_more_was_moved(library: Library) -> None:
    """Of real shots: what is shown is what is moved, nothing twice, and all of it can be taken back."""
    client = library.owner()
    largest = library.clusters()[0]
    items = library.get(f"clusters/{largest['id']}/members", limit=500)["items"]
    before = {row["id"]: (row["cluster_id"], row["held"]) for row in library.rows()}
    body = {"cluster": largest["id"], "items": [items[0]["id"], items[-1]["id"]], "name": "Part"}
    done = client.post("/api/clusters/split", json=body).json()
    said, part = [done], done["correction"]["cluster"]
    for _ in range(4):
        address = f"/api/clusters/corrections/{said[-1]['correction']['id']}/more"
        shown = client.get(address, params={"limit": 500}).json()
        assert shown["total"] == said[-1]["more"]
        moved = client.post(address)
        if not shown["total"]:
            assert moved.status_code == 409
            break
        assert {each["to"] for each in shown["items"]} == {part}
        inside = library.get(f"clusters/{part}/members", limit=500)["items"]
        assert {each["item"]["id"] for each in shown["items"]} <= {item["id"] for item in inside if item["held"]}
        # The first one is asked again beside the newer one: what that moved is not moved twice.
        first = client.get(f"/api/clusters/corrections/{done['correction']['id']}/more", params={"limit": 500}).json()
        assert not {each["item"]["id"] for each in first["items"]} & {item["id"] for item in inside}
        said.append(moved.json())
    for each in said:
        assert client.post(f"/api/clusters/corrections/{each['correction']['id']}/undo").status_code == 200
    assert {row["id"]: (row["cluster_id"], row["held"]) for row in library.rows()} == before


def test_figures_of_clusters_are_in_the_metrics(library: Library) -> None:
    def said() -> dict[str, float]:
        lines = library.owner().get("/metrics").text.splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}

    place = library.clusters()[0]
    library.owner().patch(f"/api/clusters/{place['id']}", json={"name": "Cave"})
    of, found = f'kind="scene",project="{library.project}"', said()
    noise = library.get("noise", kind="scene")["total"]
    shots = sum(row["kind"] == "scene" for row in library.rows())
    assert found[f"selects_clusters{{{of}}}"] == len(library.clusters())
    assert found[f'selects_cluster_items{{{of},where="noise"}}'] == noise
    assert found[f'selects_cluster_items{{{of},where="cluster"}}'] == shots - noise
    assert found[f"selects_cluster_corrections_total{{{of}}}"] == 1
    with library.service.session() as session:
        session.add(Job(id="1", workflow="1", kind=CLUSTERS, project_id=library.project, state="done"))
        session.commit()
    assert said()["selects_films_analysed_total"] == 0, "no film was analysed by it"
