"""Films like a film, by plot and poster, over the API: who is found, why, how it is kept, and who may ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.library.models import Movie
from backend.library.places import poster_path
from backend.search import titles
from tests.databases import KINDS, database_of
from tests.material import smooth_picture
from tests.service import Service, running

PLOTS = {
    "Sintel": "A girl travels through the mountains in search of the dragon that she raised and lost.",
    "Dragon": "A young woman looks for a lost baby dragon in a land of ice and mountains.",
    "Bunny": "A giant rabbit takes revenge on three rodents who torment the animals of his meadow.",
    "Ledger": "Two accountants in Frankfurt discover that their bank has been falsifying its quarterly reports.",
    "Silent": "",
}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes fewer vectors in a request's time, which is what one test asks about."""
    monkeypatch.setattr(titles, "BUDGET_S", 600.0)


@pytest.fixture(params=KINDS)
def service(request: pytest.FixtureRequest, cache: Path, tmp_path: Path) -> Iterator[Service]:
    """A service on either database, with the networks that the tests share."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "networks").symlink_to(cache)
    with database_of(request, tmp_path) as url, running(home, url) as service:
        yield service


def added(service: Service, project: int, title: str, plot: str) -> int:
    with service.session() as session:
        movie = Movie(project_id=project, title=title, plot=plot, path=f"/nowhere/{title}.mp4")
        session.add(movie)
        session.commit()
        return movie.id or 0


def shelf(service: Service) -> dict[str, int]:
    project = service.project()
    return {title: added(service, project, title, plot) for title, plot in PLOTS.items()}


def give_poster(service: Service, movie_id: int, seed: int) -> None:
    path = poster_path(service.resources.home, movie_id).with_suffix(".jpg")
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(smooth_picture(seed, 300, 200)).save(path)
    client = service.client(service.token())
    answer = client.put(
        f"/api/movies/{movie_id}/poster", content=path.read_bytes(), headers={"Content-Type": "image/jpeg"}
    )
    assert answer.status_code == 200, answer.text


def like(service: Service, movie_id: int, **params: Any) -> dict[str, Any]:
    answer = service.client(service.token()).get(f"/api/movies/{movie_id}/similar", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_plot_that_tells_the_same_comes_first(service: Service) -> None:
    ids = shelf(service)
    found = like(service, ids["Sintel"])
    assert found["items"][0]["title"] == "Dragon"
    assert found["by"] == ["plot"]
    assert found["waiting"] == 0
    first = found["items"][0]
    assert first["score"] > 0.4
    assert first["found_by"] == [{"by": "plot", "score": first["score"]}]
    scores = [each["score"] for each in found["items"]]
    assert scores == sorted(scores, reverse=True)
    assert {"Sintel", "Silent"}.isdisjoint(each["title"] for each in found["items"])
    assert [each["title"] for each in like(service, ids["Sintel"], limit=1)["items"]] == ["Dragon"]


def test_posters_count_beside_plots_and_say_so(service: Service) -> None:
    ids = shelf(service)
    give_poster(service, ids["Sintel"], 1)
    give_poster(service, ids["Silent"], 1)
    found = {each["title"]: each for each in like(service, ids["Sintel"])["items"]}
    assert found["Silent"]["found_by"] == [{"by": "poster", "score": 1.0}]
    assert found["Silent"]["score"] == 0.5, "of two things to go by, one is the same and the other is not there"
    assert found["Silent"]["picture"] == f"/api/movies/{ids['Silent']}/picture"
    assert found["Dragon"]["score"] == pytest.approx(found["Dragon"]["found_by"][0]["score"] / 2, abs=1e-3)
    assert like(service, ids["Silent"])["by"] == ["poster"]


def test_a_changed_plot_is_noticed_and_vectors_are_kept(service: Service) -> None:
    ids = shelf(service)
    like(service, ids["Sintel"])
    kept = {path.name: path.stat().st_mtime_ns for path in (service.resources.home / "titles").iterdir()}
    assert len(kept) == 4
    # Another process, which has nothing in memory.
    del service.resources.__dict__["titles"]
    like(service, ids["Sintel"])
    assert kept == {path.name: path.stat().st_mtime_ns for path in (service.resources.home / "titles").iterdir()}
    change = {"plot": PLOTS["Sintel"]}
    answer = service.client(service.token()).patch(f"/api/movies/{ids['Ledger']}", json=change)
    assert answer.status_code == 200
    found = like(service, ids["Sintel"])["items"]
    assert (found[0]["title"], found[0]["score"]) == ("Ledger", 1.0)


def test_what_takes_too_long_waits_for_the_next_request(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = shelf(service)
    monkeypatch.setattr(titles, "BUDGET_S", 0.0)
    found = like(service, ids["Sintel"])
    assert (found["items"], found["waiting"]) == ([], 3)
    monkeypatch.setattr(titles, "BUDGET_S", 60.0)
    assert like(service, ids["Sintel"])["waiting"] == 0


def test_a_film_with_nothing_to_go_by_says_so(service: Service) -> None:
    ids = shelf(service)
    found = like(service, ids["Silent"])
    assert (found["items"], found["by"]) == ([], [])
    assert "neither a plot nor a poster" in found["note"]


def test_a_poster_that_is_no_picture_does_not_stop_the_others(service: Service) -> None:
    ids = shelf(service)
    give_poster(service, ids["Bunny"], 2)
    poster_path(service.resources.home, ids["Bunny"]).write_bytes(b"\xff\xd8\xff broken")
    assert like(service, ids["Sintel"])["items"][0]["title"] == "Dragon"


def test_films_of_other_projects_are_neither_found_nor_asked_for(service: Service) -> None:
    ids = shelf(service)
    elsewhere = service.project("Elsewhere")
    added(service, elsewhere, "Secret dragon", PLOTS["Sintel"])
    assert "Secret dragon" not in {each["title"] for each in like(service, ids["Sintel"])["items"]}
    stranger = service.member(elsewhere, "admin", "stranger")
    assert service.client(stranger).get(f"/api/movies/{ids['Sintel']}/similar").status_code == 404
