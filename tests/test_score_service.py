"""The scoring service: a stored film with any weights, preset, length and model, and windows given by features."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlmodel import Session

from backend.analysis.shelf import Shelf
from backend.errors import Conflict
from backend.features.registry import profile_named
from backend.library.models import Movie
from backend.scoring.explain import PRIOR, band
from backend.scoring.mlp import load_model, save_model
from backend.scoring.service import models_folder
from backend.scoring.signals import MEASURES
from tests.test_mlp import network, state
from tests.workers import Works

SCHEMA = profile_named("embedded").schema
VERSION = "test-1"


@pytest.fixture(scope="module")
def movie_id(house: Works, films: Path, root: Path) -> Iterator[int]:
    """A real film, whose file is out of reach by now: all is taken from what is stored."""
    file = Path(shutil.copy(films / "sintel_trailer_204p.mp4", root / "to_score.mp4"))
    made = house.done(house.add(file, title="Scored"))
    with house.service.session() as session:
        movie = session.get_one(Movie, made)
        movie.path = str(root / "moved away.mp4")
        session.add(movie)
        session.commit()
    yield made
    assert house.client.delete(f"/api/movies/{made}").status_code == 204


@pytest.fixture(scope="module")
def model(house: Works) -> str:
    """A small model with random weights: that it is used can be seen, that it is good is not claimed."""
    save_model(models_folder(house.home) / VERSION, state(network(SCHEMA.dimension)), SCHEMA, VERSION, {})
    return VERSION


def ask(house: Works, **asked: Any) -> httpx.Response:
    return house.client.post("/api/score", json=asked)


def scored(house: Works, **asked: Any) -> dict[str, Any]:
    answer = ask(house, **asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(house: Works, status: int = 422, **asked: Any) -> str:
    answer = ask(house, **asked)
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


def test_a_stored_film(house: Works, movie_id: int) -> None:
    found = scored(house, movie=movie_id, min_s=5, max_s=15, top_n=3)
    assert (found["movie"], found["model"], found["weights"]) == (movie_id, PRIOR, {"viral": 0.5, "compelling": 0.5})
    clips = found["clips"]
    assert [clip["rank"] for clip in clips] == [1, 2, 3]
    assert [clip["score"] for clip in clips] == sorted((clip["score"] for clip in clips), reverse=True)
    for clip in clips:
        assert 5 <= clip["end_s"] - clip["start_s"] <= 15
        assert clip["score"] == pytest.approx((clip["viral"] + clip["compelling"]) / 2)
        assert clip["band"] == band(clip["score"])
        assert clip["reasons"]
        assert clip["start_frame"] == pytest.approx(clip["start_s"] * 24, abs=0.01)
    assert found["curve"] is None
    curve = scored(house, movie=movie_id, min_s=5, max_s=15, curve=True)["curve"]
    assert {len(curve[name]) for name in ("viral", "compelling", "score")} == {53}


@pytest.mark.parametrize(
    ("asked", "weights", "limits"),
    [
        ({}, (0.5, 0.5), (60, 120)),
        ({"weight_viral": 0.9}, (0.9, 0.1), (60, 120)),
        ({"weight_compelling": 0.8}, (0.2, 0.8), (60, 120)),
        ({"content": "Reels"}, (0.75, 0.25), (30, 60)),
        ({"content": "trailer", "min_s": 10}, (0.5, 0.5), (10, 150)),
        ({"genre": "Science Fiction"}, (0.6, 0.4), (60, 120)),
        ({"content": "festival", "genre": "action"}, (0.25, 0.75), (60, 150)),
        ({"content": "festival", "weight_viral": 1}, (1, 0), (60, 150)),
    ],
)
def test_weights_and_lengths(
    house: Works, movie_id: int, asked: dict[str, Any], weights: tuple[float, float], limits: tuple[float, float]
) -> None:
    found = scored(house, movie=movie_id, **asked)
    assert (found["weights"]["viral"], found["weights"]["compelling"]) == pytest.approx(weights)
    assert (found["min_s"], found["max_s"]) == limits
    assert found["clips"]


def test_the_weights_rank_anew(house: Works, movie_id: int) -> None:
    wanted = {"movie": movie_id, "min_s": 4, "max_s": 8, "top_n": 3}
    for name in ("viral", "compelling"):
        for clip in scored(house, **wanted, **{f"weight_{name}": 1})["clips"]:
            assert clip["score"] == pytest.approx(clip[name])
    late = scored(house, **wanted, skip_last_percent=60)["clips"]
    assert all(clip["end_s"] <= 52.2 * 0.4 + 0.1 for clip in late)


def test_what_is_kept_of_a_film_belongs_to_the_lengths_asked_for(house: Works, movie_id: int) -> None:
    lengths: list[dict[str, Any]] = [{"min_s": 5, "max_s": 15}, {"min_s": 8, "max_s": 20}]
    lengths.append(lengths[0] | {"skip_last_percent": 50})
    first = [scored(house, movie=movie_id, **each) for each in lengths]
    assert len({str(each["clips"]) for each in first}) == len(lengths)
    assert [scored(house, movie=movie_id, **each) for each in lengths] == first


def test_other_names_for_the_same(house: Works, movie_id: int) -> None:
    named = scored(house, movie=movie_id, preset="reels", min=10, max=20, weights={"viral": 0.9})
    assert named == scored(house, movie=movie_id, content="reels", min_s=10, max_s=20, weight_viral=0.9)
    assert (named["min_s"], named["max_s"]) == (10, 20)
    assert named["weights"] == pytest.approx({"viral": 0.9, "compelling": 0.1})
    assert scored(house, movie=movie_id, preset="reels")["max_s"] == 60


def test_a_model_by_its_version(house: Works, movie_id: int, model: str) -> None:
    found = scored(house, movie=movie_id, min_s=5, max_s=15, model=model)
    prior = scored(house, movie=movie_id, min_s=5, max_s=15, model=PRIOR)
    assert (found["model"], prior["model"]) == (VERSION, PRIOR)
    assert [clip["compelling"] for clip in found["clips"]] != [clip["compelling"] for clip in prior["clips"]]
    assert "unknown model" in refused(house, movie=movie_id, model="../models").lower()
    assert VERSION in refused(house, movie=movie_id, model="none")


def test_windows_by_measures(house: Works) -> None:
    names = sorted(MEASURES)
    rng = np.random.default_rng(0)
    windows = [{"id": f"w{n}", "measures": dict(zip(names, rng.random(len(names)), strict=True))} for n in range(20)]
    found = scored(house, windows=windows, top_n=5, weight_viral=0.3)
    assert (found["movie"], found["model"], found["notes"]) == (None, PRIOR, [])
    assert len({clip["id"] for clip in found["clips"]}) == 5
    for clip in found["clips"]:
        assert clip["score"] == pytest.approx(0.3 * clip["viral"] + 0.7 * clip["compelling"])
    less = [{"id": each["id"], "measures": {"motion": each["measures"]["motion"]}} for each in windows]
    best = max(windows, key=lambda each: each["measures"]["motion"])
    assert scored(house, windows=less, weight_viral=1)["clips"][0]["id"] == best["id"]


def test_windows_by_features(house: Works, model: str) -> None:
    vectors = np.random.default_rng(1).normal(0, 2, (30, SCHEMA.dimension)).round(4)
    windows = [{"id": str(n), "features": vector.tolist()} for n, vector in enumerate(vectors)]
    found = scored(house, windows=windows, model=model, top_n=30)
    wanted = load_model(models_folder(house.home) / VERSION).probabilities(vectors)
    assert [int(clip["id"]) for clip in found["clips"]] == np.argsort(-wanted, kind="stable").tolist()
    assert [clip["compelling"] for clip in found["clips"]] == pytest.approx(np.sort(wanted)[::-1].tolist(), abs=1e-6)
    assert {clip["viral"] for clip in found["clips"]} == {None}
    assert found["notes"] == ["There is no viral score: no measures were sent."]


def test_what_cannot_be_scored_is_said(house: Works, movie_id: int, model: str, root: Path) -> None:
    one, vector = {"id": "a", "measures": {"motion": 1.0}}, {"id": "b", "features": [0.5, 0.5]}
    assert "one of the two" in refused(house)
    assert "one of the two" in refused(house, movie=movie_id, windows=[one])
    assert "There is no film 999" in refused(house, 404, movie=999)
    assert "motion" in refused(house, windows=[vector])
    assert f"wants {SCHEMA.dimension} features" in refused(house, windows=[vector], model=model)
    assert "Unknown measure 'speed'" in refused(house, windows=[{"id": "a", "measures": {"speed": 1}}])
    assert "the same measures" in refused(house, windows=[one, {"id": "c", "measures": {"faces": 1}}])
    assert "Unknown content type" in refused(house, movie=movie_id, content="opera")
    assert "add up to 1" in refused(house, movie=movie_id, weight_viral=0.5, weight_compelling=0.6)
    assert refused(house, movie=movie_id, min_s=20, max_s=10)
    assert "top_n" in refused(house, movie=movie_id, top_n=0)
    infinite = '{"windows": [{"id": "a", "measures": {"motion": Infinity}}]}'
    answer = house.client.post("/api/score", content=infinite, headers={"content-type": "application/json"})
    assert (answer.status_code, "finite" in answer.json()["detail"]) == (422, True)
    (root / "not yet.mp4").write_bytes(b"no film")
    broken = house.add(root / "not yet.mp4")
    house.ended(broken["job"]["id"])
    assert "it has not been analysed yet" in refused(house, 409, movie=broken["movie"]["id"])


def test_a_model_of_another_schema_is_refused(house: Works, movie_id: int) -> None:
    from tests.test_scoring import SCHEMA as OTHER

    save_model(models_folder(house.home) / "other", state(network(OTHER.dimension)), OTHER, "other", {})
    answer = ask(house, movie=movie_id, model="other")
    assert (answer.status_code, answer.json()["error"]) == (422, "SchemaMismatch")
    shutil.rmtree(models_folder(house.home) / "other")


def test_stored_parts_that_are_gone_are_said(house: Works, movie_id: int) -> None:
    with Session(house.service.resources.reading) as session:
        movie = session.get_one(Movie, movie_id)
    (stored,) = (house.home / "films" / (movie.sha256 or "")).glob("scan-*")
    hidden = stored.rename(stored.with_name("hidden"))
    try:
        with pytest.raises(Conflict, match="analyse it again"):
            Shelf(house.home).get(movie)
    finally:
        hidden.rename(stored)
    assert len(Shelf(house.home).get(movie).film.shots)
