"""`selects features extract` once more: what is there stays, what changed is done, what was stopped goes on."""

import json
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from backend.analysis.catalogue.extract import weights_stamp
from backend.analysis.catalogue.state import FILE, open_state
from backend.errors import InputError, MissingWeights, UnknownName
from backend.features.catalogue import registry
from tests.catalogue_weights import SAVE
from tests.command import COMMAND, environment, selects_json
from tests.extracting import extracted, files, reasons

# -- again, changed, another


def test_a_second_run_does_nothing_and_a_changed_title_alone_is_done_again(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "image", "efficientnet")
    kept = (five_titles / "out" / "1.json").stat().st_mtime_ns
    before = (five_titles / "out" / "2.json").read_text()
    again = extracted(five_titles, cache, "image", "efficientnet")
    assert (again.done, again.skipped, again.device) == (0, 3, "")
    (five_titles / "2.jpg").write_bytes((five_titles / "1.jpg").read_bytes())
    (five_titles / "nowhere.jpg").write_bytes((five_titles / "1.jpg").read_bytes())
    changed = extracted(five_titles, cache, "image", "efficientnet")
    assert (changed.done, changed.skipped) == (2, 2)
    assert (five_titles / "out" / "2.json").read_text() != before
    assert (five_titles / "out" / "1.json").stat().st_mtime_ns == kept


def test_a_file_that_was_removed_comes_back_without_the_model(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "text", "minilm")
    before = (five_titles / "out" / "1.json").read_bytes()
    (five_titles / "out" / "1.json").unlink()
    assert extracted(five_titles, cache, "text", "minilm").done == 0
    assert (five_titles / "out" / "1.json").read_bytes() == before
    assert extracted(five_titles, cache, "text", "minilm", "parquet").done == 0
    assert (five_titles / "out" / "features.parquet").is_file()


def test_a_title_that_broke_keeps_its_vector_and_says_so(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "image", "efficientnet")
    before = (five_titles / "out" / "1.json").read_bytes()
    (five_titles / "1.jpg").write_bytes(b"no picture")
    assert extracted(five_titles, cache, "image", "efficientnet").done == 1
    assert (five_titles / "out" / "1.json").read_bytes() == before
    assert reasons(five_titles / "out")["1"].endswith("the vector of its earlier input is kept")


def test_another_model_is_noticed(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "text", "minilm")
    with pytest.raises(InputError, match=r"its model is 'minilm', not 'efficientnet'"):
        extracted(five_titles, cache, "image", "efficientnet")
    with pytest.raises(UnknownName, match="minilm"):
        extracted(five_titles, cache, "text", "vgg16")
    with pytest.raises(MissingWeights, match="sentence-transformers/all-mpnet-base-v2"):
        extracted(five_titles, cache, "text", "mpnet", out=five_titles / "other")


def test_other_weights_are_noticed(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        state.claim({"model": "vgg16", "weights": "a"})
    with open_state(tmp_path) as state, pytest.raises(InputError, match="its weights is 'a', not 'b'"):
        state.claim({"model": "vgg16", "weights": "b"})


def test_weights_are_told_apart_by_what_decides_a_vector(tmp_path: Path) -> None:
    folder = SAVE["vit"](tmp_path)
    model = registry.model_named("image", "vit")(weights=folder, offline=True)
    before = weights_stamp(model)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "README.md").write_text("downloaded yesterday")
    assert weights_stamp(model) == before
    with (folder / "model.safetensors").open("ab") as file:
        file.write(b"x")
    assert weights_stamp(model) != before


def test_two_runs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with open_state(tmp_path), pytest.raises(InputError, match="Another run"), open_state(tmp_path):
        pass


def test_a_damaged_state_is_one_sentence(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "text", "minilm")
    (five_titles / "out" / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="remove it to begin anew"):
        extracted(five_titles, cache, "text", "minilm")


# -- stopped


def many(folder: Path, count: int) -> Path:
    table = folder / "many.csv"
    rows = [f"{k},A rabbit named {k} wakes up in the meadow and {'takes revenge ' * 40}" for k in range(count)]
    table.write_text("id,plot\n" + "\n".join(rows) + "\n")
    return table


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_run_goes_on_where_it_was(how: signal.Signals, code: int, tmp_path: Path, cache: Path) -> None:
    count, out, home = 240, tmp_path / "out", tmp_path / "home"
    (home).mkdir()
    (home / "networks").symlink_to(cache)
    call = ["features", "extract", "--modality", "text", "--model", "minilm", "--in", str(many(tmp_path, count))]
    call += ["--out", str(out)]
    running = subprocess.Popen([*COMMAND, *call], env=environment(home), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while done_in(out) < 16 and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(how)
    _, told = running.communicate(timeout=300)
    assert running.returncode == code, told
    before = done_in(out)
    assert 16 <= before < count
    again = selects_json(*call, home=home)
    assert again["done"] == count - before
    assert len([name for name in files(out) if name.endswith(".json")]) == count
    assert [path for path in out.iterdir() if path.name.endswith(".part")] == []
    for path in list(out.glob("*.json"))[::50]:
        assert len(json.loads(path.read_text())[path.stem]) == 384


def done_in(out: Path) -> int:
    if not (out / FILE).is_file():
        return 0
    try:
        with sqlite3.connect(f"file:{out / FILE}?mode=ro", uri=True) as rows:
            return int(rows.execute("select count(*) from title").fetchone()[0])
    except sqlite3.Error:
        return 0
