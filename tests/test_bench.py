"""The runner of measurements, on a bench of its own; what each real one measures needs minutes."""

import ast
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from backend.features.catalogue.registry import model_named
from tests.catalogue_weights import SAVE
from tests.command import ROOT
from tests.material import smooth_picture


@pytest.fixture
def benches(tmp_path: Path) -> Path:
    """A copy of the bench runner with one bench."""
    shutil.copytree(ROOT / "scripts" / "lib", tmp_path / "lib")
    (tmp_path / "benches").mkdir()
    count = '{"count": len(args), "lines": [f"{len(args)} arguments"]}'
    code = f'"""Counts its arguments.\n\nMore."""\n\n\ndef run(args):\n    return {count}\n'
    (tmp_path / "benches" / "count.py").write_text(code)
    return tmp_path / "lib" / "bench.py"


def bench(runner: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(runner), *arguments], capture_output=True, text=True, check=False)


def test_bench_lists_what_there_is(benches: Path) -> None:
    listed = bench(benches)
    assert listed.returncode == 0
    assert re.search(r"^ *count +Counts its arguments\.$", listed.stdout, re.MULTILINE)


def test_bench_prints_lines_for_people_and_json_for_programs(benches: Path) -> None:
    assert bench(benches, "count", "a", "b").stdout == "2 arguments\n"
    assert json.loads(bench(benches, "count", "--json", "a").stdout) == {"count": 1}


def test_bench_refuses_an_unknown_name(benches: Path) -> None:
    refused = bench(benches, "speed")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "'speed'" in refused.stderr
    assert "count" in refused.stderr


def test_bench_find_shows_why_a_run_failed(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_text("no film")
    failed = bench(ROOT / "scripts" / "lib" / "bench.py", "find", str(tmp_path / "film.mp4"))
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "Invalid data" in failed.stderr
    assert "film.mp4 -f null - ended with" in failed.stderr


def test_every_bench_says_what_it_measures_and_can_run() -> None:
    for file in (ROOT / "scripts" / "benches").glob("[!_]*.py"):
        tree = ast.parse(file.read_text())
        assert ast.get_docstring(tree), file.name
        assert "run" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, file.name


def test_bench_features_knows_peaks_and_counts_operations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a share of a GPU's peak is made of; VGG16 is published with 15.47 thousand million multiplications."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    features = importlib.import_module("benches.features")
    peaks = {"NVIDIA H100 80GB HBM3": 989.4, "NVIDIA H100 PCIe": 756.0, "NVIDIA H200": 989.4, "Tesla T4": None}
    assert {name: features.peak_tflops(name) for name in peaks} == peaks
    model = model_named("image", "vgg16")(weights=SAVE["vgg16"](tmp_path), offline=True)
    model.load("cpu")
    posters = tmp_path / "posters"
    posters.mkdir()
    for name in "ab":
        Image.fromarray(smooth_picture(1, 300, 200)).save(posters / f"{name}.png")
    (posters / "c.png").write_bytes(b"no picture")
    assert features.operations(model, posters) == pytest.approx(2 * 15.47e9, rel=1e-3)


def test_bench_features_runs_sound_and_film(films: Path) -> None:
    made = bench(ROOT / "scripts" / "lib" / "bench.py", "features", "--json", "--films", "1", "--model", "mel")
    assert made.returncode == 0, made.stderr
    (found,) = json.loads(made.stdout)["models"]
    assert (found["modality"], found["items"], found["skipped"]) == ("audio", 1, 0)
