"""Wrong calls of `selects find`, and the commands beside it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.command import selects, selects_json


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Which film"),
        (("nowhere.mp4",), "nowhere.mp4"),
        (("x.mp4", "--sample"), "not both"),
        (("x.mp4", "--detector", "psychic"), "adaptive, content, transnet"),
        (("x.mp4", "--for", "cinema"), "festival"),
        (("x.mp4", "--min-duration", "90", "--max-duration", "60"), "90 s"),
        (("x.mp4", "--top-n", "0"), "top-n"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, tuple) else "",
)
def test_a_wrong_call_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    wrong = selects("find", *arguments, home=tmp_path / "home", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert said in wrong.stderr
    assert len(wrong.stderr.splitlines()) == 1


def test_scenes_are_evaluated_by_the_command(shared_data: Path, tmp_path: Path) -> None:
    """Better than the best baseline of the data's README, 0.525 at a tolerance of one shot."""
    data, out = shared_data / "scene_boundaries", tmp_path / "predicted.json"
    assert selects("evaluate", "scenes", data, "--out", out, home=tmp_path / "home").returncode == 0
    score = [sys.executable, str(data / "scene_score.py"), str(data), str(out)]
    scored = json.loads(subprocess.run(score, check=True, capture_output=True).stdout)["summary"]
    assert scored["f1_1"] > 0.525
    predicted = json.loads(out.read_text())
    assert len(predicted) == 20
    assert all(starts[0] == 0 and np.all(np.diff(starts) > 0) for starts in predicted.values())


def test_models_are_listed(tmp_path: Path) -> None:
    rows = selects_json("features", "models", home=tmp_path / "home")
    assert {row["name"] for row in rows} >= {"efficientnet", "videomae", "openclip", "facenet"}
    for row in rows:
        assert set(row) == {
            *("name", "role", "dimension", "profiles", "licence", "source", "path", "here"),
            *("modality", "published", "preparation"),
        }
        weightless = row["source"] == "no weights"
        assert (row["path"] is not None) is (row["here"] and not weightless)
        assert row["here"] or not weightless
        assert row["here"] or "embedded" not in row["profiles"], row["name"]


@pytest.mark.parametrize("queues", ["tape", "", ","])
def test_a_worker_without_a_queue_does_not_start(queues: str, tmp_path: Path) -> None:
    wrong = selects("worker", "--queues", queues, home=tmp_path / "home", timeout_s=300)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("selects: Unknown queue '"), wrong.stderr
    assert "known: cpu, gpu" in wrong.stderr


def test_a_database_that_is_none_is_said_in_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "selects.db").write_bytes(b"not a database, however long one looks" * 50)
    for words in (["migrate"], ["search", "rain"], ["worker"], ["ingest", str(tmp_path)]):
        (tmp_path / "film.mp4").touch()
        wrong = selects(*words, home=home)
        assert (wrong.returncode, wrong.stdout) == (2, "")
        assert wrong.stderr == "selects: The database says: file is not a database.\n"
