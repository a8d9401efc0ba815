"""From a snapshot to a model, in a process as people run it; made-up features show the mechanism, never quality."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.scoring.golden import check_golden
from backend.scoring.mlp import load_model
from tests.snapshots import SCHEMA, made
from tests.test_bare_import import ROOT, bare
from trainer.command import run
from trainer.material.slots import VIRAL, slot_rows
from trainer.snapshot import make_snapshot, write_snapshot

FILES = ["card.json", "golden.safetensors", "metrics.json", "model.safetensors"]


def trainer(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    command = [sys.executable, "-m", "trainer", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)


def card(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A snapshot in which approval can be learnt, and what was learnt from it."""
    folder = tmp_path_factory.mktemp("planted")
    snapshot = write_snapshot(folder, made(400, 8))
    done = trainer("fit", snapshot, folder / "out", "--seed", 3, "--progress")
    assert done.returncode == 0, done.stderr
    (folder / "progress").write_text(done.stdout)
    return snapshot, folder / "out"


def test_what_can_be_learnt_is_proposed_and_passes(planted: tuple[Path, Path]) -> None:
    snapshot, out = planted
    assert sorted(path.name for path in out.iterdir()) == FILES
    found = card(out)
    assert found["gate"] == {**found["gate"], "passed": True, "reasons": []}
    assert found["figures"]["challenger"]["auc"]["low"] > 0.6
    assert {"mlp", "linear", "boosting", "chance"} < set(found["figures"])
    for figures in found["figures"].values():
        for figure in figures.values():
            assert figure["low"] <= figure["value"] <= figure["high"]
            assert (figure["films"], figure["n"]) == (8, found["labels"]["total"])
    assert found["split"]["method"] == "5 folds of films"
    assert found["version"].startswith(f"compelling-{snapshot.name[:8]}-3-")
    model = load_model(out)
    model.require(SCHEMA)
    check_golden(out, model)


def test_progress_goes_from_nothing_to_all(planted: tuple[Path, Path]) -> None:
    lines = [json.loads(line) for line in (planted[0].parent / "progress").read_text().splitlines()]
    fractions = [line["fraction"] for line in lines]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    stages = list(dict.fromkeys(line["stage"] for line in lines))
    assert stages == ["read", "fold", "fit", "evaluate", "gate"]


def test_the_same_snapshot_and_seed_give_the_same_bytes(planted: tuple[Path, Path], tmp_path: Path) -> None:
    """Also on one core, where nothing runs side by side."""
    snapshot, out = planted
    one_core = (
        f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})" if sys.platform == "linux" else ""
    )
    code = f"{one_core}\nfrom trainer.command import run\nimport sys\nsys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "fit", str(snapshot), str(tmp_path / "again"), "--seed", "3"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    assert subprocess.run(command, env=settings, capture_output=True, check=False).returncode == 0
    for name in ("metrics.json", "model.safetensors", "golden.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes(), name


def test_every_window_gets_a_probability(planted: tuple[Path, Path], tmp_path: Path) -> None:
    snapshot, out = planted
    done = trainer("predict", out, snapshot, tmp_path / "pred.csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((tmp_path / "pred.csv").open()))
    assert [row["window_id"] for row in rows] == [f"w{number}" for number in range(400)]
    np.testing.assert_allclose(
        [float(row["probability"]) for row in rows], load_model(out).probabilities(made(400, 8).features), atol=1e-6
    )


def test_noise_is_refused_and_an_old_model_is_replaced_whole(
    planted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = write_snapshot(tmp_path, made(300, 6, signal=0, seed=5))
    out = Path(shutil.copytree(planted[1], tmp_path / "out"))
    assert run(["fit", str(snapshot), str(out), "--propose", "mlp"]) == 0
    found = card(out)
    assert (found["kind"], found["seed"]) == ("mlp", 0)
    assert not found["gate"]["passed"]
    assert any("not surely better than chance" in reason for reason in found["gate"]["reasons"])
    assert found["summary"].startswith("Chance is as good as the network within the interval (AUC")
    assert "The network does not beat the linear model (AUC" in found["summary"]
    assert "The gate refuses it" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([snapshot.name, "out"])


def test_a_champion_that_is_as_good_stays(planted: tuple[Path, Path], tmp_path: Path) -> None:
    snapshot, out = planted
    words = ["fit", snapshot, tmp_path / "out", "--champion", out, "--seed", 3, "--version", "second"]
    assert run([str(word) for word in words]) == 0
    found = card(tmp_path / "out")
    assert found["version"] == "second"
    assert not found["gate"]["passed"]
    assert "champion" in found["figures"]
    assert any("which flatters it" in reason for reason in found["gate"]["reasons"])


def test_a_first_model_must_match_the_documented_prior(tmp_path: Path) -> None:
    """Also where it is better than chance; and the viral side is held against the viral prior."""
    snapshot = made(400, 8, unlabelled=0.0)
    telling = made(400, 8, unlabelled=0.0, prior=snapshot.labels * 0.5 + 0.2, viral_prior=np.zeros(400))
    done = trainer("fit", write_snapshot(tmp_path, telling), tmp_path / "out", "--seed", 3)
    assert done.returncode == 0, done.stderr
    found = card(tmp_path / "out")
    assert found["figures"]["prior"]["auc"]["value"] == 1.0
    assert not found["gate"]["passed"]
    assert any("worse than the documented prior" in reason for reason in found["gate"]["reasons"])
    viral, *_ = slot_rows(made(viral=np.arange(400) / 400, prior=np.ones(400), viral_prior=np.zeros(400)), VIRAL)
    assert not viral.prior.any()


def test_fit_and_predict_run_with_four_packages_and_the_gate_waits(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, made(150, 4))
    code = "from trainer.command import run\n"
    code += f"assert run(['fit', {str(snapshot)!r}, 'out']) == 0\n"
    code += f"assert run(['predict', 'out', {str(snapshot)!r}, 'pred.csv']) == 0\n"
    done = bare(code, ("trainer.command",), tmp_path)
    assert done.returncode == 0, done.stderr
    found = card(tmp_path / "out")
    assert "boosting" not in found["figures"]
    assert any("scikit-learn is not installed" in reason for reason in found["gate"]["reasons"])
    assert len((tmp_path / "pred.csv").read_text().splitlines()) == 151


WRONG = {
    "nothing": (lambda: made(40, 4).take(np.zeros(40, bool)), "nothing to learn from"),
    "no labels": (lambda: made(40, 4, labels=np.full(40, -1)), "nothing to learn from"),
    "no features": (
        lambda: make_snapshot(SCHEMA, ["a"], ["f"], np.full((1, 8), np.nan), labels=[1]),
        "nothing to learn from",
    ),
    "one film": (lambda: made(40, 1, unlabelled=0), "at least two films"),
    "one answer": (lambda: made(40, 4, labels=np.ones(40)), "All 40 labels approve"),
    "all frozen": (lambda: made(40, 4, holdout=np.ones(40, bool)), "are 0 (besides 4 that are held out)"),
    "one left": (lambda: made(40, 2, holdout=np.arange(40) < 1, labels=np.arange(40) % 2), "at least two films"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_learnt_from_is_refused_in_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, says = WRONG[name]
    snapshot = write_snapshot(tmp_path, make())
    assert run(["fit", str(snapshot), str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


CALLS = {
    "nothing": ([], "following arguments are required"),
    "no such command": (["fly"], "invalid choice"),
    "a seed below 0": (["fit", "{snapshot}", "{out}", "--seed", "-1"], "The seed must be"),
    "a slot of another kind": (["fit", "{snapshot}", "{out}", "--slot", "funny"], "Unknown slot 'funny'"),
    "a genre that nobody has": (["fit", "{snapshot}", "{out}", "--slot", "compelling/opera"], "the genre 'opera'"),
    "no engagement": (["fit", "{snapshot}", "{out}", "--slot", "viral"], "both engagement and features"),
    "a name with a slash": (["fit", "{snapshot}", "{out}", "--version", "a/b"], "The name of a version"),
    "no champion there": (["fit", "{snapshot}", "{out}", "--champion", "{out}/none"], "no model folder"),
    "no snapshot there": (["fit", "{out}/none", "{out}"], "no snapshot folder"),
    "a place with other things": (["fit", "{snapshot}", "{snapshot}"], "which is no part of a model"),
    "no model to predict with": (["predict", "{out}", "{snapshot}", "{out}.csv"], "no model folder"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_call_is_refused_in_one_sentence(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, says = CALLS[name]
    snapshot = write_snapshot(tmp_path, made(40, 4))
    assert run([word.format(snapshot=snapshot, out=tmp_path / "out") for word in words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1


def test_features_of_another_schema_are_not_predicted(
    planted: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from backend.features.schema import FeatureSchema

    other = FeatureSchema("made", 2, SCHEMA.blocks)
    snapshot = write_snapshot(tmp_path, make_snapshot(other, ["a"], ["f"], np.ones((1, 8))))
    assert run(["predict", str(planted[1]), str(snapshot), str(tmp_path / "pred.csv")]) == 2
    assert "The model wants features 'made' version 1" in capsys.readouterr().err
    assert not (tmp_path / "pred.csv").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, made(2000, 8))
    command = [sys.executable, "-m", "trainer", "fit", str(snapshot), str(tmp_path / "out"), "--progress"]
    with subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("epoch"):
                break
        process.send_signal(number)
        rest, said = process.communicate(timeout=300)
    assert process.returncode == 130
    assert said == "trainer: interrupted; nothing was written.\n"
    assert '"gate"' not in rest, "it went on to its end"
    assert [path.name for path in tmp_path.iterdir()] == [snapshot.name]
