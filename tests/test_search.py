"""Shots by example and by words, over the API, in a library of real films: what is found, why, and by whom."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, col, select

from backend.analysis.pictures import keyframe_path
from backend.library.models import DialogueLine, Movie, Shot
from backend.search import service as search_service
from backend.search.copies import FilmKey, read_copy
from backend.search.filters import EVERYTHING, Films, Filters, searchable
from backend.search.images import LIMIT_BYTES
from backend.search.models import IndexedFilm
from backend.search.nearest import find_nearest
from backend.search.spaces import SPACES
from tests.databases import KINDS, database_of
from tests.service import Service, running
from tests.vectors import FACTS, Server, Stock, filled, new_home, new_server

LOOK = SPACES["efficientnet"]


@pytest.fixture(scope="module", params=KINDS)
def library(
    request: pytest.FixtureRequest, chroma: Server, stock: Stock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Service, dict[str, int]]]:
    """A library with all films of the stock, on either database; tests leave it as it is."""
    folder = tmp_path_factory.mktemp("library")
    with (
        database_of(request, folder) as url,
        running(new_home(folder, stock), url, vectors=chroma.section) as service,
    ):
        yield service, with_dialogue(service, filled(service, stock, service.project()))


def with_dialogue(service: Service, ids: dict[str, int]) -> dict[str, int]:
    """These films hold no dialogue scene of two; some of their shots say so all the same."""
    with Session(service.resources.engine) as session:
        for shot in session.exec(select(Shot).where(col(Shot.number).in_((1, 2, 5)))):
            shot.dialogue_scene = 0
            session.add(shot)
        session.commit()
    return ids


@pytest.fixture
def ids(library: tuple[Service, dict[str, int]]) -> dict[str, int]:
    return library[1]


@pytest.fixture
def service(library: tuple[Service, dict[str, int]]) -> Service:
    return library[0]


def asked(service: Service, address: str, **params: Any) -> dict[str, Any]:
    """What the owner gets."""
    answer = service.client(service.token()).get(address, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def shots_of(service: Service, movie_id: int) -> list[Shot]:
    with Session(service.resources.reading) as session:
        return list(session.exec(select(Shot).where(col(Shot.movie_id) == movie_id).order_by(col(Shot.number))).all())


def vectors_of(service: Service, movie_id: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    with Session(service.resources.reading) as session:
        wanted = select(IndexedFilm).where(col(IndexedFilm.movie_id) == movie_id, col(IndexedFilm.space) == LOOK.name)
        row = session.exec(wanted).one()
    copy = read_copy(service.resources.home, FilmKey(LOOK.name, row.sha256, row.inputs), row.rows)
    assert copy is not None
    return copy


def test_like_a_shot_is_what_comparing_all_vectors_gives(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/similar", movie=ids["bunny"], shot=4, limit=500)
    everything = [
        (movie_id, number, float(product))
        for movie_id in ids.values()
        for number, product in enumerate(vectors_of(service, movie_id) @ vectors_of(service, ids["bunny"])[4])
        if (movie_id, number) != (ids["bunny"], 4)
    ]
    everything.sort(key=lambda each: -each[2])
    assert found["total"] == len(everything) == len(found["items"])
    assert (found["space"], found["how"], found["films"]) == ("efficientnet", "exact", 3)
    got = [hit["score"] for hit in found["items"]]
    np.testing.assert_allclose(got, [LOOK.score(product) for *_, product in everything], atol=1e-4)
    first = found["items"][0]
    assert (first["movie_id"], first["shot"]) == everything[0][:2]
    shot = shots_of(service, first["movie_id"])[first["shot"]]
    assert (first["start_frame"], first["end_frame"], first["scene"]) == (shot.start_frame, shot.end_frame, shot.scene)
    assert first["found_by"] == [
        {"by": "look", "score": first["score"], "text": None, "marks": [], "start_s": None, "end_s": None}
    ]


def test_what_is_known_of_shots_is_held_once_for_all_spaces(service: Service, ids: dict[str, int]) -> None:
    gallery = service.resources.gallery
    gallery.warm()
    looks, labels = (gallery.hall(SPACES[name], Films()) for name in (LOOK.name, "labels"))
    assert {film.ref.movie_id for film in looks.films} == set(ids.values())
    of_labels = {film.ref.movie_id: film.shots for film in labels.films}
    assert all(film.shots is of_labels[film.ref.movie_id] for film in looks.films)


def test_pages_of_a_list_are_the_list(service: Service, ids: dict[str, int]) -> None:
    whole = asked(service, "/api/similar", movie=ids["sintel"], shot=3, limit=30)
    first = asked(service, "/api/similar", movie=ids["sintel"], shot=3, limit=7)
    assert first["next"] == 7
    second = asked(service, "/api/similar", movie=ids["sintel"], shot=3, limit=7, offset=first["next"])
    assert first["items"] + second["items"] == whole["items"][:14]
    assert asked(service, "/api/similar", movie=ids["sintel"], shot=3, offset=5000)["items"] == []


def test_a_question_at_hand_is_answered_where_it_arrives(
    service: Service, ids: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite the second time, and until somebody writes; the answer is the same as a thread's."""
    answered_in = []
    inner = search_service.similar
    monkeypatch.setattr(
        search_service, "similar", lambda *args: (answered_in.append(threading.current_thread().name), inner(*args))[1]
    )
    client, question = service.client(service.token()), {"movie": ids["sintel"], "shot": 3}
    client.get("/api/projects").raise_for_status()  # marks the token as used
    limits = (20, 20, 20, 500)
    answers = [client.get("/api/similar", params=question | {"limit": limit}).json()["items"] for limit in limits]
    assert answers[0] == answers[1] == answers[2] == answers[3][:20]
    by_worker = ["worker" in name.lower() for name in answered_in]
    tells = service.resources.engine.dialect.name == "sqlite"
    assert by_worker[1:] == [not tells, not tells, True]
    # The film of the example need not pass the filter.
    answered_in.clear()
    elsewhere = question | {"film": ids["bunny"]}
    answers = [client.get("/api/similar", params=elsewhere).json()["items"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert {hit["movie_id"] for hit in answers[0]} == {ids["bunny"]}
    assert ["worker" in name.lower() for name in answered_in] == [True, not tells]


def test_like_a_scene_and_a_stretch_leave_themselves_out(service: Service, ids: dict[str, int]) -> None:
    shots = shots_of(service, ids["sintel"])
    scene = [shot.number for shot in shots if shot.scene == shots[6].scene]
    found = asked(service, "/api/similar", movie=ids["sintel"], scene=shots[6].scene, limit=500)
    assert not {hit["shot"] for hit in found["items"] if hit["movie_id"] == ids["sintel"]} & set(scene)
    stretch = {"start_frame": shots[5].start_frame, "end_frame": shots[6].end_frame}
    found = asked(service, "/api/similar", movie=ids["sintel"], **stretch, limit=500)
    own = {hit["shot"] for hit in found["items"] if hit["movie_id"] == ids["sintel"]}
    assert own == {shot.number for shot in shots} - {5, 6}


def plain(shot: Shot) -> bool:
    return shot.faces == 0 and shot.end_s - shot.start_s <= 3


FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "title": ({"title": "bUnNy"}, lambda name, shot: name == "bunny"),
    "genre": ({"genre": ["comedy"]}, lambda name, shot: name == "bunny"),
    "two genres": ({"genre": ["Comedy", "drama"]}, lambda name, shot: name in ("bunny", "sintel")),
    "years": ({"year_min": 2009, "year_max": 2015}, lambda name, shot: name == "sintel"),
    "faces": ({"has_faces": True}, lambda name, shot: shot.faces > 0),
    "no faces": ({"has_faces": False}, lambda name, shot: shot.faces == 0),
    "speech": ({"has_speech": True}, lambda name, shot: shot.speech >= 0.05 or bool(shot.dialogue)),
    "dialogue of two": ({"dialogue_scene": True}, lambda name, shot: shot.dialogue_scene is not None),
    "other scenes": ({"dialogue_scene": False}, lambda name, shot: shot.dialogue_scene is None),
    "long": ({"min_duration_s": 2.5}, lambda name, shot: shot.end_s - shot.start_s >= 2.5),
    "short": ({"max_duration_s": 1.0}, lambda name, shot: shot.end_s - shot.start_s <= 1.0),
    "all": ({"title": "i", "has_faces": False, "max_duration_s": 3}, lambda name, s: name != "stage" and plain(s)),
}  # fmt: skip


@pytest.mark.parametrize("name", FILTERS)
def test_filters_give_exactly_what_passes(service: Service, ids: dict[str, int], name: str) -> None:
    params, passes = FILTERS[name]
    expected = {
        (movie_id, shot.number)
        for film, movie_id in ids.items()
        for shot in shots_of(service, movie_id)
        if passes(film, shot) and (film, shot.number) != ("stage", 0)
    }
    found = asked(service, "/api/similar", movie=ids["stage"], shot=0, limit=500, **params)
    assert {(hit["movie_id"], hit["shot"]) for hit in found["items"]} == expected
    assert expected or name == "speech"


def test_a_film_by_its_id(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/similar", movie=ids["stage"], shot=0, film=[ids["bunny"], ids["sintel"]], limit=500)
    assert {hit["movie_id"] for hit in found["items"]} == {ids["bunny"], ids["sintel"]}


def test_chroma_proposes_what_comparing_everything_gives(service: Service, ids: dict[str, int]) -> None:
    resources = service.resources
    with Session(resources.reading) as session:
        refs = searchable(session, LOOK, EVERYTHING, Filters())
    hall = resources.gallery.hall(LOOK, refs)
    for filters in (Filters(), Filters(has_faces=False), Filters(min_duration_s=2.0)):
        mask = hall.mask(refs, filters)
        for row in range(0, len(hall), 5):
            query = hall.films[int(hall.film_of(np.array([row]))[0])].vectors[0]
            exact = find_nearest(resources, hall, mask, query, 5)
            index = find_nearest(resources, hall, mask, query, 5, exact_rows=0)
            assert (exact.how, index.how) == ("exact", "index")
            np.testing.assert_allclose(index.near.products, exact.near.products, atol=1e-6)


def test_like_a_picture(service: Service, stock: Stock, ids: dict[str, int], films: Path) -> None:
    known = stock.films["sintel"].known
    number = next(k for k, frames in enumerate(known.scan.keyframes) if len(frames) == 1 and k > 3)
    data = keyframe_path(known.pictures, known.scan.keyframes[number][0]).read_bytes()
    client = service.client(service.token())
    form = client.post("/api/similar", files={"image": ("a.jpg", data, "image/jpeg")}, params={"limit": 3}).json()
    body = client.post("/api/similar", content=data, headers={"Content-Type": "image/jpeg"}, params={"limit": 3}).json()
    assert form == body
    assert (form["items"][0]["movie_id"], form["items"][0]["shot"]) == (ids["sintel"], number)
    assert form["items"][0]["score"] > 0.99
    astronaut = client.post("/api/similar", content=(films / "astronaut.png").read_bytes()).json()
    assert astronaut["items"][0]["score"] < 0.5


@pytest.mark.parametrize(
    ("data", "kind", "status", "error"),
    [
        (b"no picture", "image/png", 422, "NotAPicture"),
        (b"", "image/png", 422, "NotAPicture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", 422, "NotAPicture"),
        (b"x" * (LIMIT_BYTES + (1 << 20)), "image/png", 413, "TooLarge"),
        (b"--a--", "multipart/form-data; boundary=a", 422, "NotAPicture"),
        (b"x", "multipart/form-data", 422, "NotAPicture"),
    ],
)
def test_what_is_no_picture_is_refused(service: Service, data: bytes, kind: str, status: int, error: str) -> None:
    answer = service.client(service.token()).post("/api/similar", content=data, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"shot": 1, "scene": 1},
        {"start_frame": 3},
        {"shot": 1, "end_frame": 9},
        {"shot": -1},
        {"shot": 1, "min_duration_s": "nan"},
        {"shot": 1, "limit": 0},
    ],
    ids=repr,
)
def test_a_wrong_question_is_refused_in_words(service: Service, ids: dict[str, int], params: dict[str, Any]) -> None:
    answer = service.client(service.token()).get("/api/similar", params={"movie": ids["stage"], **params})
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize(
    "part", [{"shot": 999}, {"scene": 999}, {"start_frame": 10**6, "end_frame": 10**6 + 5}], ids=repr
)
def test_a_part_that_is_not_there_is_not_found(service: Service, ids: dict[str, int], part: dict[str, int]) -> None:
    answer = service.client(service.token()).get("/api/similar", params={"movie": ids["stage"], **part})
    assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")


def test_words_that_are_said_are_marked(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/search", q="Searches for someone")
    first = found["items"][0]
    assert (first["movie_id"], first["movie_title"]) == (ids["sintel"], FACTS["sintel"]["title"])
    by = first["found_by"][0]
    assert by["by"] == "dialogue"
    assert [by["text"][start:end] for start, end in by["marks"]] == ["searching", "someone"]
    assert first["score"] == by["score"] > 0.7
    with Session(service.resources.reading) as session:
        line = session.exec(select(DialogueLine).where(col(DialogueLine.text) == by["text"])).one()
    assert (line.shot, line.start_s) == (first["shot"], by["start_s"])


def test_words_are_found_by_meaning_too(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/search", q="looking for a person")
    first = next(hit for hit in found["items"] if hit["found_by"][0]["by"] == "dialogue")
    assert first["found_by"][0]["text"] == "I'm searching for someone."
    assert first["found_by"][0]["marks"] == []


def test_labels_say_what_found_a_shot(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/search", q="prison", limit=500)
    reasons = {
        (hit["movie_id"], reason["text"])
        for hit in found["items"]
        for reason in hit["found_by"]
        if reason["by"] == "label"
    }
    assert (ids["sintel"], "prison") in reasons
    assert (found["searched"]["look"], found["searched"]["label"]) == (0, 3)
    assert [hit["score"] for hit in found["items"]] == sorted((hit["score"] for hit in found["items"]), reverse=True)


def test_words_go_by_the_filters(service: Service, ids: dict[str, int]) -> None:
    found = asked(service, "/api/search", q="searching", film=[ids["bunny"]])
    assert all(hit["movie_id"] == ids["bunny"] for hit in found["items"])
    assert asked(service, "/api/search", q="zzz qqq", limit=5)["items"] == []


def test_nobody_finds_what_is_in_a_project_of_others(service: Service, stock: Stock, ids: dict[str, int]) -> None:
    elsewhere = service.project("Elsewhere")
    with service.session() as session:
        here = session.exec(select(Movie.project_id).where(col(Movie.id) == ids["stage"])).one()
    outsider = service.client(service.member(elsewhere, "admin", f"outsider {elsewhere}"))
    viewer = service.client(service.member(here, "viewer", f"viewer {elsewhere}"))
    like = {"movie": ids["stage"], "shot": 0}
    assert outsider.get("/api/similar", params=like).status_code == 404
    assert outsider.get("/api/search", params={"q": "searching", "project": here}).status_code == 404
    assert outsider.get("/api/search", params={"q": "searching"}).json()["items"] == []
    assert viewer.get("/api/similar", params=like).json()["items"]
    assert viewer.get("/api/similar", params={**like, "project": elsewhere}).status_code == 404
    assert viewer.get("/api/search", params={"q": "searching"}).json()["items"]


def test_without_chroma_it_is_found_all_the_same(library: tuple[Service, dict[str, int]], tmp_path: Path) -> None:
    service, ids = library
    settings = service.resources.settings
    with_chroma = asked(service, "/api/similar", movie=ids["bunny"], shot=2)
    away = {"port": new_server(tmp_path / "away").port}
    with running(settings.home, settings.database.url, vectors=away) as alone:
        assert asked(alone, "/api/similar", movie=ids["bunny"], shot=2) == with_chroma
        resources = alone.resources
        with Session(resources.reading) as session:
            refs = searchable(session, LOOK, EVERYTHING, Filters())
        hall = resources.gallery.hall(LOOK, refs)
        mask = hall.mask(refs, Filters())
        assert find_nearest(resources, hall, mask, hall.films[0].vectors[0], 5, exact_rows=0).how == "exact"
