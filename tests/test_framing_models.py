"""Models of version 2 of the feature schema, with its block of framing: learnt from a snapshot, asked by find and by
the service. Labels are made up: that it works can be seen, how good it is cannot.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.analysis.film import Analysis, analyse
from backend.analysis.request import AnalysisRequest
from backend.features.registry import OPTIONAL, build, profile_named
from backend.library.models import Movie
from backend.scoring.mlp import load_model
from tests.command import selects_json
from tests.conversation import SHOTS, TALKING
from tests.databases import sqlite_in
from tests.service import running
from tests.test_live import make_live, soon
from tests.trained import enter
from trainer.command import run
from trainer.snapshot import make_snapshot, write_snapshot

PROFILE = profile_named("embedded")
SHORT = ("--min-duration", "4", "--max-duration", "8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def request_of(conversation: Path, home: Path) -> AnalysisRequest:
    extractors = build("embedded", cache=home / "networks", extras=OPTIONAL)
    return AnalysisRequest(path=conversation, home=home, schema=PROFILE.framed, extractors=extractors)


@pytest.fixture(scope="module")
def known(request_of: AnalysisRequest) -> Analysis:
    """The film as it is analysed with SELECTS_ANALYSIS__FRAMING."""
    return analyse(request_of)


@pytest.fixture(scope="module")
def fitted(known: Analysis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `python -m trainer fit` makes of windows of two shots, half of them called another film."""
    folder = tmp_path_factory.mktemp("fitted")
    pairs = [(first, second) for first in range(SHOTS) for second in range(first + 1, SHOTS)]
    vectors = np.stack([known.vectors[list(pair)].mean(axis=0) for pair in pairs])
    movies = [f"film {n % 2}" for n in range(len(pairs))]
    labels = [int(second < TALKING) for _, second in pairs]
    names = [f"w{n}" for n in range(len(pairs))]
    snapshot = write_snapshot(folder, make_snapshot(PROFILE.framed, names, movies, vectors, labels=labels))
    assert run(["fit", str(snapshot), str(folder / "model"), "--propose", "mlp"]) == 0
    assert run(["predict", str(folder / "model"), str(snapshot), str(folder / "said.csv")]) == 0
    assert len((folder / "said.csv").read_text().splitlines()) == 1 + len(pairs)
    return folder / "model"


def test_find_asks_a_model_that_was_trained_on_version_2(fitted: Path, conversation: Path, known: Analysis) -> None:
    """In a home where the film was analysed for version 1 before, only the new block is made."""
    home = fitted.parent / "home"
    before = selects_json("find", conversation, *SHORT, home=home)
    parts = {path: path.stat().st_mtime_ns for path in (home / "features").rglob("*.parquet")}
    found = selects_json("find", conversation, *SHORT, "--model", fitted, home=home)
    after = {path: path.stat().st_mtime_ns for path in (home / "features").rglob("*.parquet")}
    assert [path.name.partition("-")[0] for path in set(after) - set(parts)] == ["framing"]
    assert after.items() >= parts.items()
    model = load_model(fitted)
    assert (model.schema, found["model"], before["model"]) == (PROFILE.framed, model.version, "prior")
    for clip in found["clips"]:
        assert {"visual", "framing"} <= set(clip["explanation"])
    shots = np.asarray(known.scan.shots)
    clip = found["clips"][0]
    inside = (shots[:, 0] >= clip["start_frame"]) & (shots[:, 1] <= clip["end_frame"])
    wanted = model.probabilities(known.vectors[inside].mean(axis=0, keepdims=True))
    assert clip["compelling"] == pytest.approx(float(wanted[0]), abs=1e-3)


def test_the_service_scores_films_that_have_the_block(
    known: Analysis, request_of: AnalysisRequest, home: Path, sqlite_template: bytes, tmp_path: Path
) -> None:
    """A live model of version 2 scores them; of films without the block the prior does, and says so."""
    inputs = {name: request_of.inputs_of(name, known.scan, known.dialogue) for name in known.features}
    with running(home, sqlite_in(tmp_path, sqlite_template), analysis={"framing": True}) as service:
        project = service.project()
        film: dict[str, Any] = {"project_id": project, "path": "gone.mp4", "state": "ready", "sha256": known.sha256}
        film |= {"rate": "25/1", "frames": known.scan.timeline.frames, "scan_key": request_of.scan_key}
        with service.session() as session:
            movie = Movie(**film, vectors=inputs)
            session.add(movie)
            session.commit()
            movie_id = movie.id
        enter(service, project, "two", 3, schema=PROFILE.framed)
        make_live(service, project, "two")
        client = service.client(service.token())
        asked = {"movie": movie_id, "min_s": 4, "max_s": 8}
        soon(lambda: client.post("/api/score", json=asked).json()["model"] == "two")
        found = client.post("/api/score", json=asked).json()
        assert (found["model"], "framing" in found["clips"][0]["explanation"]) == ("two", True)
        with service.session() as session:
            session.get_one(Movie, movie_id).vectors = {name: at for name, at in inputs.items() if name != "framing"}
            session.commit()
        without = client.post("/api/score", json=asked).json()
        assert without["model"] == "prior"
        assert any("Model two knows other features" in note for note in without["notes"])
