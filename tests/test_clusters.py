"""Places and people of a project of real films: placed, clustered anew, and what was said of them kept."""

import json
import shutil
from pathlib import Path

from sqlmodel import Session, col, func, select

from backend.clusters.corrections import move
from backend.clusters.doctor import astray
from backend.clusters.figures import off
from backend.clusters.models import KINDS, Cluster, ClusterItem
from backend.clusters.placing import add_film, refresh, regroup
from backend.clusters.undoing import undo
from backend.clusters.workflow import start, without_items
from backend.library.models import Movie, Shot
from backend.members.service import Principal
from backend.search.copies import vectors_folder
from tests.clustered import Library
from tests.service import running
from tests.vectors import Server, Stock, new_home
from tests.vectors import add_film as enter


def test_every_shot_and_everybody_in_it_is_placed(shelf: Library) -> None:
    items = shelf.rows()
    shots = [(row["movie_id"], row["number"]) for row in shelf.rows(Shot)]
    assert [(row["movie_id"], row["shot"]) for row in items if row["kind"] == "scene"] == shots
    people = [row for row in items if row["kind"] == "character"]
    assert {row["movie_id"] for row in people} >= {shelf.movies["stage"]}
    assert all(row["placed"] and 0 <= row["confidence"] <= 1 and row["seconds"] > 0 for row in items)
    assert all(0 <= row["x"] <= 1 and row["width"] > 0 and row["faces"] for row in people)
    assert len({(row["kind"], row["key"]) for row in items}) == len(items)
    assert any(row["cluster_id"] for row in items if row["kind"] == "scene")
    with shelf.service.session() as session:
        assert [off(session, shelf.project, kind) for kind in KINDS] == [[], []]


def test_done_twice_it_changes_nothing(shelf: Library) -> None:
    before = shelf.state()
    for movie in shelf.movies.values():
        add_film(shelf.service.resources, movie, shelf.project)
    assert shelf.state() == before


def test_another_analysis_keeps_what_people_said(library: Library) -> None:
    """Two shots become one: what was said of either is said of it, and those behind it stay the rows they were."""
    client, resources = library.owner(), library.service.resources
    film = library.movies["bunny"]
    items = [row for row in library.rows() if row["movie_id"] == film and row["kind"] == "scene"]
    first, second, third = items[1], items[2], items[3]
    made = client.post(
        "/api/clusters",
        params={"project": library.project},
        json={"kind": "scene", "items": [second["id"], third["id"]], "name": "Meadow"},
    )
    assert made.status_code == 201, made.text
    meadow = made.json()["clusters"][-1]["id"]
    with library.service.session() as session:
        shots = session.exec(select(Shot).where(col(Shot.movie_id) == film).order_by(col(Shot.number))).all()
        one, other = shots[1], shots[2]
        end, end_s = other.end_frame, other.end_s
        session.delete(other)
        session.flush()
        one.end_frame, one.end_s = end, end_s
        for shot in shots[3:]:
            shot.number -= 1
            session.add(shot)
            session.flush()
        session.commit()
    add_film(resources, film, library.project)
    now = {row["key"]: row for row in library.rows() if row["movie_id"] == film and row["kind"] == "scene"}
    assert second["key"] not in now
    assert now[third["key"]]["id"] == third["id"]
    assert now[third["key"]]["shot"] == third["shot"] - 1
    # The shot that holds that frame now is where the person had put the one that is gone.
    assert [now[key]["cluster_id"] for key in (first["key"], third["key"])] == [meadow, meadow]
    assert all(now[key]["held"] for key in (first["key"], third["key"]))
    assert next(row for row in library.rows(Cluster) if row["id"] == meadow)["name"] == "Meadow"


def test_clustering_anew_keeps_names_and_what_was_put_there(library: Library) -> None:
    client = library.owner()
    largest = library.clusters()[0]
    noise = library.get("noise", kind="scene")["items"]
    assert client.patch(f"/api/clusters/{largest['id']}", json={"name": "Cave"}).status_code == 200
    moved = client.post(f"/api/clusters/{largest['id']}/members", json={"items": [noise[0]["id"]]})
    assert moved.status_code == 200, moved.text
    for kind in KINDS:
        refresh(library.service.resources, library.project, kind)
    now = library.get(f"clusters/{largest['id']}")
    assert now["name"] == "Cave"
    inside = {item["id"] for item in library.get(f"clusters/{largest['id']}/members", limit=500)["items"]}
    assert noise[0]["id"] in inside
    assert now["size"] == len(inside)


def test_what_is_corrected_while_all_is_clustered_anew_holds(library: Library) -> None:
    """The fence is asked after the computing: by then somebody has taken one thing back and said another."""
    resources, who = library.service.resources, Principal(0, "Ada", superuser=True)
    largest = library.clusters()[0]["id"]
    back, there = (item["id"] for item in library.get("noise", kind="scene")["items"][:2])
    with library.service.session() as session:
        earlier = move(session, resources, who, largest, [back]).correction.id

    def meanwhile(session: Session) -> None:
        undo(session, resources, who, earlier)
        move(session, resources, who, largest, [there])

    regroup(resources, library.project, "scene", meanwhile)
    now = {row["id"]: row for row in library.rows()}
    assert (now[back]["cluster_id"], now[back]["held"]) == (None, False)
    assert (now[there]["cluster_id"], now[there]["held"]) == (largest, True)
    with library.service.session() as session:
        assert off(session, library.project, "scene") == []


def test_a_film_that_goes_takes_its_items_along(library: Library) -> None:
    client = library.owner()
    largest = library.clusters()[0]
    client.patch(f"/api/clusters/{largest['id']}", json={"name": "Cave"})
    for movie in library.movies.values():
        assert client.delete(f"/api/movies/{movie}").status_code == 204
        with library.service.session() as session:
            assert [off(session, library.project, kind) for kind in KINDS] == [[], []]
    assert library.rows() == []
    left = library.clusters()
    assert [(each["name"], each["size"], each["cover"]) for each in left] == [("Cave", 0, None)]
    # It comes back, and what was said of it holds again.
    for name in library.stock.films:
        shutil.copytree(library.stock.home, library.service.resources.home, dirs_exist_ok=True)
        again = enter(library.service.resources, library.stock, name, library.project, indexed=False)
        add_film(library.service.resources, again, library.project)
    assert next(each for each in library.clusters() if each["name"] == "Cave")["size"] > 0


def test_a_film_of_before_is_found_and_placed(library: Library) -> None:
    with library.service.session() as session:
        assert without_items(session) == []
        for item in session.exec(select(ClusterItem).where(col(ClusterItem.movie_id) == library.movies["bunny"])):
            session.delete(item)
        session.commit()
        assert without_items(session) == [(library.movies["bunny"], library.project)]
        session.rollback()
        job, new = start(session, library.project, None, "me")
        assert new
        assert start(session, library.project, "scene", "me")[0].id == job.id
    for kind in KINDS:
        refresh(library.service.resources, library.project, kind)
    with library.service.session() as session:
        assert without_items(session) == []
        assert [off(session, library.project, kind) for kind in KINDS] == [[], []]


def test_two_films_at_once_are_both_placed(tmp_path: Path, database_url: str, stock: Stock, chroma: Server) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with running(new_home(tmp_path, stock), database_url, vectors=chroma.section) as service:
        project = service.project()
        movies = [enter(service.resources, stock, name, project, indexed=False) for name in stock.films]
        with ThreadPoolExecutor(len(movies)) as pool:
            list(pool.map(lambda movie: add_film(service.resources, movie, project), movies))
        with Session(service.resources.reading) as session:
            assert (
                session.exec(select(func.count()).select_from(ClusterItem).where(~col(ClusterItem.placed))).one() == 0
            )
            assert [off(session, project, kind) for kind in KINDS] == [[], []]
            assert without_items(session) == []


def test_the_doctor_sees_what_is_astray(library: Library) -> None:
    with library.service.session() as session:
        assert astray(session) == []
        session.delete(session.exec(select(ClusterItem).where(col(ClusterItem.kind) == "scene")).first())
        session.commit()
        assert [each.project_id for each in astray(session)] == [library.project]
    refresh(library.service.resources, library.project, "scene")
    with library.service.session() as session:
        assert astray(session) == []


def test_missing_vectors_leave_a_film_in_noise(library: Library) -> None:
    """A feature file that is gone stops nobody: its shots lie in no place until the film is analysed again."""
    film = library.movies["bunny"]
    with library.service.session() as session:
        sha256 = session.get_one(Movie, film).sha256 or ""
    shutil.rmtree(library.service.resources.home / "features" / sha256)
    for copy in vectors_folder(library.service.resources.home).glob(f"*/{sha256}-*.npy"):
        copy.unlink()
    refresh(library.service.resources, library.project, "scene")
    rows = [row for row in library.rows() if row["movie_id"] == film and row["kind"] == "scene"]
    assert rows
    assert {row["cluster_id"] for row in rows} == {None}
    assert json.dumps(library.clusters())
