"""/api/models, and what is live as /api/score, /metrics, /ready and the candidates of films show it."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from backend.analysis.rescoring import DONE, SUPERSEDED, Rescoring
from backend.analysis.rows import save_candidates
from backend.analysis.stages import candidates_wanted
from backend.library.models import Candidate, Movie
from backend.scoring.film import ScoringFilm
from backend.scoring.mlp import WEIGHTS
from backend.scoring.models import Live
from backend.scoring.rank import rank, rank_given
from tests.service import Service, running
from tests.test_live import make_live, soon
from tests.trained import SCHEMA, enter, stored
from tests.vectors import Stock, add_film, new_home, set_state
from tests.workers import Works, wait_until
from trainer.registry import rollback

FILM, LONGER = "stage", "sintel"


@pytest.fixture
def project(service: Service) -> int:
    made = service.project()
    for seed, version in enumerate("ab"):
        enter(service, made, version, seed, summary="No better than chance.", labels={"total": 40, "films": 2})
    return made


def answered(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json()


def test_versions_are_listed_promoted_and_rolled_back(service: Service, project: int) -> None:
    admin, here = service.client(service.token()), {"project": project}
    listed = answered(admin.get("/api/models", params={**here, "limit": 1}))
    assert (listed["total"], listed["next"], listed["items"][0]["version"]) == (2, 1, "b")
    assert (listed["items"][0]["summary"], listed["items"][0]["labels"]) == ("No better than chance.", 40)
    assert answered(admin.get("/api/models/a"))["card"]["golden_sha256"]
    assert answered(admin.get("/api/models/live"))["items"] == []

    live = answered(admin.post("/api/models/a/promote", json={"why": "the first", "expected_generation": 0}))
    assert (live["version"], live["generation"]) == ("a", 1)
    assert answered(admin.post("/api/models/b/promote", json={"expected_generation": 0}), 409)["error"] == "Conflict"
    answered(admin.post("/api/models/b/promote"))
    assert [model["live"] for model in answered(admin.get("/api/models", params=here))["items"]] == [True, False]
    soon(lambda: answered(admin.get("/api/models/live"))["items"][0]["serving"] == "b")
    assert answered(admin.post("/api/models/rollback", json=here))["version"] == "a"

    history = answered(admin.get("/api/models/history", params=here))["items"]
    assert [(row["version"], row["why"]) for row in history] == [("a", "rollback"), ("b", ""), ("a", "the first")]
    assert answered(admin.get("/api/models/history", params=here | {"slot": "viral"}))["total"] == 0
    assert answered(admin.post("/api/models/rollback", json=here | {"slot": "viral"}), 404)
    assert answered(admin.get("/api/models/none"), 404)


def test_a_model_that_cannot_be_used_is_an_alarm(service: Service, project: int) -> None:
    admin = service.client(service.token())
    answered(admin.post("/api/models/a/promote"))
    gauge = f'selects_model_alarm{{project="{project}",slot="compelling"}}'
    soon(lambda: f"{gauge} 0.0" in admin.get("/metrics").text)
    (stored(service, "b") / WEIGHTS).write_bytes(b"broken")
    answered(admin.post("/api/models/b/promote"))
    soon(lambda: f"{gauge} 1.0" in admin.get("/metrics").text)
    (live,) = answered(admin.get("/api/models/live"))["items"]
    assert (live["version"], live["serving"]) == ("b", "a")
    assert "is not the file its card describes" in live["problem"]
    notes = admin.get("/ready").json()["notes"]
    assert f"b of project {project} cannot be used, a is used instead; the log says why" in notes
    answered(admin.post("/api/models/rollback", json={"project": project}))
    soon(lambda: f"{gauge} 0.0" in admin.get("/metrics").text)


@pytest.fixture
def shown(sqlite_template: bytes, stock: Stock, tmp_path: Path) -> Iterator[Service]:
    """A service with a project and a real film in it, analysed."""
    (tmp_path / "selects.db").write_bytes(sqlite_template)
    with running(new_home(tmp_path, stock), f"sqlite:///{tmp_path / 'selects.db'}") as made:
        yield made


def with_film(service: Service, stock: Stock, name: str = FILM) -> tuple[int, int]:
    """Project and film; two versions and a viral one are entered."""
    project = service.project()
    movie = add_film(service.resources, stock, name, project, indexed=False)
    set_state(service.resources, movie, "ready")
    for seed, version in enumerate("ab"):
        enter(service, project, version, seed)
    enter(service, project, "shared", 5, slot="viral")
    return project, movie


def versions(found: dict[str, Any]) -> tuple[str, str]:
    return found["model"], found["viral_model"]


def test_what_is_live_scores(shown: Service, stock: Stock) -> None:
    project, movie = with_film(shown, stock)
    client, asked = shown.client(shown.token()), {"movie": movie, "min_s": 2, "max_s": 8, "curve": True}

    def score(**more: Any) -> dict[str, Any]:
        found: dict[str, Any] = answered(client.post("/api/score", json=asked | more))
        return found

    prior = score()
    assert versions(prior) == ("prior", "prior")
    make_live(shown, project, "a")
    soon(lambda: score()["model"] == "a")
    by_a = score()
    assert by_a["clips"] == score(model="a")["clips"]
    assert score(model="prior")["clips"] == prior["clips"]
    assert versions(score(model="b")) == ("b", "prior"), "one that is not live may be asked for"
    make_live(shown, project, "shared")
    soon(lambda: versions(score()) == ("a", "shared"))
    both = score()
    assert both["curve"]["compelling"] == by_a["curve"]["compelling"] != prior["curve"]["compelling"]
    assert both["curve"]["viral"] != by_a["curve"]["viral"] == prior["curve"]["viral"]
    for clip in both["clips"]:
        assert [reason.split()[1] for reason in clip["reasons"] if reason.startswith("Model")] == ["shared", "a"]
        assert "average" not in clip["reasons"][0], "no prior has a word in it"

    window = {"id": "w", "features": [0.5] * SCHEMA.dimension}
    of_window = answered(client.post("/api/score", json={"windows": [window], "project": project}))
    assert (versions(of_window), of_window["notes"]) == (("a", "shared"), [])
    measured = {"id": "m", "measures": {"loudness": 1.0}}
    only_measured = client.post("/api/score", json={"windows": [measured], "project": project})
    assert only_measured.status_code == 422 or versions(only_measured.json()) == ("prior", "prior")
    other = shown.project("Other")
    elsewhere = {"windows": [window], "project": other}
    assert answered(client.post("/api/score", json=elsewhere), 422)["error"] == "InputError", "nothing is live there"
    assert answered(client.post("/api/score", json=elsewhere | {"model": "a"}), 422)["error"] == "UnknownName"
    assert answered(client.post("/api/score", json=asked | {"project": other}), 422)["error"] == "InputError"


def test_a_film_with_other_features_is_left_to_the_prior(shown: Service, stock: Stock) -> None:
    project, movie = with_film(shown, stock)
    make_live(shown, project, "a")
    shown.resources.live.look()
    with shown.session() as session:
        session.execute(update(Movie).values(profile="full"))
        session.commit()
    client = shown.client(shown.token())
    answer = client.post("/api/score", json={"movie": movie, "min_s": 2, "max_s": 8})
    # Its stored vectors are not there, or the model does not know them: never is one scored by the other.
    assert answer.status_code == 409 or versions(answer.json()) == ("prior", "prior")


def changes(seen: list[str]) -> int:
    return sum(one != other for one, other in itertools.pairwise(seen))


def test_no_answer_mixes_versions(shown: Service, stock: Stock) -> None:
    project, movie = with_film(shown, stock)
    client, asked = shown.client(shown.token()), {"movie": movie, "min_s": 2, "max_s": 8, "top_n": 4}
    clips = {name: answered(client.post("/api/score", json=asked | {"model": name}))["clips"] for name in "ab"}
    assert clips["a"] != clips["b"]
    make_live(shown, project, "a")
    soon(lambda: answered(client.post("/api/score", json=asked))["model"] == "a")
    done = Event()

    def swap() -> None:
        for number in itertools.count():
            make_live(shown, project, "ba"[number % 2])
            shown.resources.live.wake()
            if done.wait(0.03):
                return

    swapping, seen = Thread(target=swap), list[str]()
    swapping.start()
    try:
        while len(seen) < 20 or changes(seen) < 3:
            found = answered(client.post("/api/score", json=asked))
            seen.append(found["model"])
            assert found["clips"] == clips[found["model"]]
            assert len(seen) < 10_000, "the same version all the time"
    finally:
        done.set()
        swapping.join()


def with_candidates(service: Service, stock: Stock) -> tuple[int, int, ScoringFilm]:
    """Project, film and how scoring sees it; it has candidates, which the prior has scored."""
    project, movie_id = with_film(service, stock, LONGER)
    with service.session() as session:
        film = service.resources.shelf.get(session.get_one(Movie, movie_id)).film
        wanted = candidates_wanted(service.resources.settings)
        found = rank(film, wanted).windows
        spans = list(zip(found.start_frame.tolist(), found.end_frame.tolist(), strict=True))[:: max(1, len(found) // 4)]
        save_candidates(session, movie_id, stock.films[LONGER].known, rank_given(film, wanted, spans))
        session.commit()
    return project, movie_id, film


def test_open_candidates_are_scored_anew(shown: Service, stock: Stock) -> None:
    project, movie_id, film = with_candidates(shown, stock)
    resources, wanted = shown.resources, candidates_wanted(shown.resources.settings)
    before = rows_of(shown, movie_id)
    assert len(before) >= 2
    judged, other = before[0].id, before[-1].id
    with shown.session() as session:
        session.execute(update(Candidate).where(col(Candidate.id) == judged).values(decided=1, verdict="approve"))
        session.commit()
    make_live(shown, project, "a")
    first = Rescoring(resources, project, "compelling", 1)
    assert first.films() == [movie_id]
    assert first.film(movie_id) == DONE
    after = rows_of(shown, movie_id)
    assert [row.id for row in after] == [row.id for row in before]
    assert sorted(row.rank or 0 for row in after) == sorted(row.rank or 0 for row in before)
    by_id = {row.id: row for row in after}
    assert (by_id[judged].model, by_id[judged].score) == ("prior", before[0].score)
    assert {row.model for row in after if row.id != judged} == {"a"}
    assert by_id[other].explanation != before[-1].explanation
    ranked = sorted((row for row in after if row.id != judged), key=lambda row: row.rank or 0)
    assert [row.score for row in ranked] == sorted((row.score for row in ranked), reverse=True)
    scored = rank(film, wanted, *resources.live.pin(project).chosen())
    told = zip(scored.windows.start_frame.tolist(), scored.windows.end_frame.tolist(), strict=True)
    score_of = dict(zip(told, scored.scores["score"].tolist(), strict=True))
    assert all(score_of[row.start_frame, row.end_frame] == row.score for row in ranked)

    make_live(shown, project, "b")
    assert first.film(movie_id) == SUPERSEDED, "a later change has work of its own"
    with shown.session() as session:
        rollback(session, project, "compelling", "Ada")
        rollback(session, project, "compelling", "Ada")
        generation = session.get_one(Live, (project, "compelling")).generation
    assert Rescoring(resources, project, "compelling", generation).film(movie_id) == DONE
    assert [(row.score, row.model, row.rank) for row in rows_of(shown, movie_id)] == [
        (row.score, "prior", row.rank) for row in before
    ]


def rows_of(service: Service, movie_id: int) -> list[Candidate]:
    with service.session() as session:
        wanted = select(Candidate).where(col(Candidate.movie_id) == movie_id).order_by(col(Candidate.id))
        rows = list(session.exec(wanted).all())
        session.expunge_all()
        return rows


def test_a_worker_scores_anew_after_a_swap_and_ingests_with_what_is_live(house: Works, films: Path, root: Path) -> None:
    """By way of the workflow, in a process of its own; in a project of its own."""
    service, project = house.service, house.service.project("Swapped")
    client: TestClient = house.client
    names = [f"worker-{letter}" for letter in "ab"]
    for seed, version in enumerate(names):
        enter(service, project, version, seed)
    file = Path(shutil.copy(films / "sintel_trailer_204p.mp4", root / "to_swap.mp4"))
    added = answered(client.post("/api/movies", json={"path": str(file), "project": project}), 202)
    movie_id = house.done(added)

    def models() -> set[str]:
        return {row.model for row in rows_of(service, movie_id)}

    assert models() == {"prior"}
    for version in names:
        answered(client.post(f"/api/models/{version}/promote"))
        wait_until(lambda version=version: models() == {version}, 60, house.logs)  # type: ignore[misc]
    job = answered(client.post(f"/api/movies/{movie_id}/analyse"), 202)
    assert house.ended(job["id"]).state == "done"
    assert models() == {names[1]}
    with Session(service.resources.engine) as session:
        assert session.get_one(Live, (project, "compelling")).generation == len(names)
    assert client.delete(f"/api/movies/{movie_id}").status_code == 204
