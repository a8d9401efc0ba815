"""`selects features extract`: titles of every kind in, vectors out, nothing done twice and nothing lost."""

import csv
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from pyarrow import parquet

from backend.analysis.catalogue import pipeline
from backend.analysis.catalogue.commands import _request
from backend.analysis.catalogue.extract import Extraction, Request, extract, weights_stamp
from backend.analysis.catalogue.outputs import Format
from backend.analysis.catalogue.reading import read_passages, read_picture
from backend.analysis.catalogue.state import FILE, Row, open_state
from backend.analysis.catalogue.titles import Title, read_titles
from backend.errors import InputError, MissingWeights, UnknownName
from backend.features.base import Vectors
from backend.features.catalogue import registry
from backend.features.catalogue.base import Model
from backend.features.catalogue.minilm import MiniLm
from backend.features.catalogue.origins import Nothing
from backend.media.excerpts import clip_starts, read_clips, read_log_mel, read_start_of_sound
from tests.catalogue_weights import SAVE
from tests.command import COMMAND, environment, selects, selects_json
from tests.material import smooth_picture


@pytest.fixture
def shelf(tmp_path: Path, films: Path) -> Path:
    """Five titles: two whole ones, one with a broken poster, one with nothing, one whose files are missing."""
    from PIL import Image

    for name, seed in (("1", 1), ("2", 2)):
        Image.fromarray(smooth_picture(seed, 300, 200)).save(tmp_path / f"{name}.jpg", quality=95)
    (tmp_path / "3.jpg").write_bytes((tmp_path / "1.jpg").read_bytes()[:2000])
    trailer = films / "sintel_trailer_204p.mp4"
    rows = [
        {"id": 1, "plot": "A girl searches for a dragon.", "poster": "1.jpg", "trailer": str(trailer), "film": ""},
        {"id": 2, "plot": "A rabbit takes revenge.", "poster": "2.jpg", "trailer": "", "film": "silent.mp4"},
        {"id": 3, "plot": "Broken.", "poster": "3.jpg", "trailer": "nowhere.mp4", "film": ""},
        {"id": 4, "plot": "  ", "poster": "", "trailer": "", "film": ""},
        {"id": "tt/5", "plot": "Long ago.", "poster": "nowhere.jpg", "trailer": "1.jpg", "film": ""},
    ]
    (tmp_path / "silent.mp4").symlink_to(films / "people_walking_432p.mp4")
    with (tmp_path / "titles.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return tmp_path


def extracted(shelf: Path, cache: Path, modality: Any, model: str, kind: str = "json", **changes: Any) -> Extraction:
    source = changes.pop("source", shelf / "titles.csv")
    out = changes.pop("out", shelf / "out")
    request = Request(modality, model, source, out, Format(kind), **changes)
    return extract(request, paths={}, cache=cache, offline=True)


def reasons(out: Path) -> dict[str, str]:
    with (out / "skipped.csv").open() as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def files(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if not path.name.startswith(".")}


# -- what comes out


def test_posters_become_a_file_for_each_id(shelf: Path, cache: Path) -> None:
    made = extracted(shelf, cache, "image", "efficientnet")
    assert (made.titles, made.done, made.skipped) == (5, 5, 3)
    assert files(shelf / "out") == {"1.json", "2.json", "skipped.csv"}
    (vector,) = json.loads((shelf / "out" / "1.json").read_text()).items()
    assert vector[0] == "1"
    assert len(vector[1]) == 1280
    model = pipeline_model("image", "efficientnet", cache)
    expected = model.vectors(model.prepare(read_picture(shelf / "1.jpg")))[0]
    np.testing.assert_allclose(vector[1], expected, atol=1e-4)
    why = reasons(shelf / "out")
    assert "cannot be read" in why["3"]
    assert why["4"] == "no poster is named"
    assert "nowhere.jpg" in why["tt/5"]


def pipeline_model(modality: str, name: str, cache: Path) -> Model:
    from backend.features.catalogue.registry import model_named

    model = model_named(modality, name)(cache=cache, offline=True)
    model.load("cpu")
    return model


def test_what_is_said_is_read_as_passages(tmp_path: Path, films: Path, cache: Path) -> None:
    """Subtitles by id, in a title's own folder, or named in a table; the vector is the mean of the passages'."""
    spoken = (
        (films / "sintel_trailer_204p.en.srt").read_bytes()
        + b"""
90
00:00:50,000 --> 00:00:52,000
A line that is added, so that what is said is more than a passage can hold. And another one, of which nothing fits.
"""
    )
    folder = tmp_path / "said"
    (folder / "own").mkdir(parents=True)
    (folder / "1.srt").write_bytes(spoken)
    (folder / "2.srt").write_text("nobody says a thing")
    (folder / "own" / "dialogue.srt").write_bytes(spoken)
    extracted(tmp_path, cache, "text", "minilm", source=folder)
    assert reasons(tmp_path / "out") == {"2": "the subtitles '2.srt' cannot be read, or nothing is said in them"}
    vectors = {name: json.loads((tmp_path / "out" / f"{name}.json").read_text())[name] for name in ("1", "own")}
    passages = list(read_passages(folder / "1.srt"))
    assert len(passages) > 1
    assert all(len(passage) < 250 for passage in passages)
    assert " ".join(passages).startswith("Sintel Trailer Subtitles - English What brings you to")
    model = pipeline_model("text", "minilm", cache)
    expected = model.vectors([piece for passage in passages for piece in model.prepare(passage)]).mean(axis=0)
    np.testing.assert_allclose(vectors["1"], expected, atol=1e-5)
    assert vectors["1"] == vectors["own"]
    (tmp_path / "table.csv").write_text("id,plot,dialogue\n1,,said/1.srt\n2,A dragon.,said/1.srt\n")
    extracted(tmp_path, cache, "text", "minilm", source=tmp_path / "table.csv", out=tmp_path / "of_table")
    assert json.loads((tmp_path / "of_table" / "1.json").read_text())["1"] == vectors["1"]
    assert json.loads((tmp_path / "of_table" / "2.json").read_text())["2"] != vectors["1"]


@pytest.mark.parametrize("kind", ["parquet", "h5"])
def test_plots_become_one_table(kind: str, shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "text", "all-MiniLM-L6-v2", kind)
    path = shelf / "out" / f"features.{kind}"
    if kind == "parquet":
        table = parquet.read_table(path)
        ids, vectors = table["id"].to_pylist(), np.array(table["vector"].to_pylist())
        assert table.schema.metadata[b"selects.model"] == b"minilm"
    else:
        with h5py.File(path) as file:
            ids, vectors = [name.decode() for name in file["id"][:]], file["vector"][:]
            assert file.attrs["model"] == "minilm"
    assert ids == ["1", "2", "3", "tt/5"]
    assert vectors.shape == (4, 384)
    expected = MiniLm(cache=cache)
    expected.load("cpu")
    np.testing.assert_allclose(vectors[1], expected.vectors(expected.prepare("A rabbit takes revenge."))[0], atol=1e-6)
    assert reasons(shelf / "out") == {"4": "the text is empty"}
    before = path.stat().st_mtime_ns
    assert extracted(shelf, cache, "text", "minilm", kind).done == 0
    assert path.stat().st_mtime_ns == before


def test_an_id_that_is_no_file_name_is_written_as_one(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "text", "minilm")
    assert list(json.loads((shelf / "out" / "tt%2F5.json").read_text())) == ["tt/5"]


def test_sound_is_heard_and_silence_is_said(shelf: Path, cache: Path, films: Path) -> None:
    made = extracted(shelf, cache, "audio", "mel", seconds=5.0)
    assert made.skipped == 4
    rows = read_log_mel(films / "sintel_trailer_204p.mp4", 5.0)
    assert rows.shape == (5, 128)
    found = json.loads((shelf / "out" / "1.json").read_text())["1"]
    np.testing.assert_allclose(found, rows.mean(axis=0), atol=1e-4)
    why = reasons(shelf / "out")
    assert "no sound" in why["2"]
    assert "there is no file" in why["3"]
    assert "1.jpg" in why["tt/5"]
    with pytest.raises(InputError, match=r"its seconds is 5\.0, not 'all'"):
        extracted(shelf, cache, "audio", "mel", seconds=None)


# -- what goes in


def test_a_folder_is_read_by_file_names_and_by_folders(shelf: Path) -> None:
    (shelf / "9").mkdir()
    (shelf / "9" / "Poster.PNG").write_bytes(b"x")
    (shelf / "9" / "plot.txt").write_text("Nine.")
    assert [title.id for title in read_titles(shelf, "image")] == ["1", "2", "3", "9"]
    assert [(title.id, title.text) for title in read_titles(shelf, "text")] == [("9", "Nine.")]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_tables_of_every_kind_say_the_same(kind: str, shelf: Path) -> None:
    import pyarrow as pa

    rows = [{"id": 7, "plot": "Seven.", "poster": None}, {"id": 8, "plot": None, "poster": "1.jpg"}]
    path = shelf / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    assert read_titles(path, "text") == [Title("7", text="Seven."), Title("8", text="")]
    assert [title.path for title in read_titles(path, "image")] == [None, shelf / "1.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.csv", None, "There is no folder and no table"),
        ("t.txt", "x", "neither a folder nor a table"),
        ("t.csv", "id,plot\n1,a\n1,b\n", "two titles with the id '1'"),
        ("t.csv", "id,plot\n1,a\n,b\n", "Row 2 of 't.csv' has no id"),
        ("t.csv", "name,plot\n1,a\n", "needs the columns id and plot or dialogue; it has name, plot"),
        ("t.csv", "id,poster\n1,a\n", "needs the columns id and plot"),
        ("t.csv", "id,plot\n", "no rows"),
        ("t.jsonl", '{"id": 1}\n[2]\n', "Line 2 of 't.jsonl' is not a JSON object"),
        ("t.parquet", "PAR1", "not a Parquet table"),
        ("t.csv", b"id,plot\n1,\xff\xfe\n", "not a CSV table in UTF-8"),
        ("t.csv", f"id,plot\n{'x' * 300},a\n", "too long"),
        ("t.csv", f"id,plot\n1,{'x' * 200_000}\n", "field larger than field limit"),
    ],
)
def test_a_bad_input_is_one_sentence_and_loses_nothing(
    name: str, content: str | bytes | None, said: str, shelf: Path, cache: Path
) -> None:
    extracted(shelf, cache, "text", "minilm")
    before = files(shelf / "out")
    if content is not None:
        (shelf / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        extracted(shelf, cache, "text", "minilm", source=shelf / name)
    assert files(shelf / "out") == before


def test_a_transparent_poster_stands_on_white_and_a_turned_one_upright(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png") == 255).all()
    turned = Image.new("RGB", (40, 20))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").shape == (40, 20, 3)
    Image.new("L", (12_000, 12_000)).save(tmp_path / "huge.png")
    with pytest.raises(InputError, match="too large"):
        read_picture(tmp_path / "huge.png")


# -- again, changed, another


def test_a_second_run_does_nothing_and_a_changed_title_alone_is_done_again(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "image", "efficientnet")
    kept = (shelf / "out" / "1.json").stat().st_mtime_ns
    before = (shelf / "out" / "2.json").read_text()
    again = extracted(shelf, cache, "image", "efficientnet")
    assert (again.done, again.skipped, again.device) == (0, 3, "")
    (shelf / "2.jpg").write_bytes((shelf / "1.jpg").read_bytes())
    (shelf / "nowhere.jpg").write_bytes((shelf / "1.jpg").read_bytes())
    changed = extracted(shelf, cache, "image", "efficientnet")
    assert (changed.done, changed.skipped) == (2, 2)
    assert (shelf / "out" / "2.json").read_text() != before
    assert (shelf / "out" / "1.json").stat().st_mtime_ns == kept


def test_a_file_that_was_removed_comes_back_without_the_model(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "text", "minilm")
    before = (shelf / "out" / "1.json").read_bytes()
    (shelf / "out" / "1.json").unlink()
    assert extracted(shelf, cache, "text", "minilm").done == 0
    assert (shelf / "out" / "1.json").read_bytes() == before
    assert extracted(shelf, cache, "text", "minilm", "parquet").done == 0
    assert (shelf / "out" / "features.parquet").is_file()


def test_a_title_that_broke_keeps_its_vector_and_says_so(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "image", "efficientnet")
    before = (shelf / "out" / "1.json").read_bytes()
    (shelf / "1.jpg").write_bytes(b"no picture")
    assert extracted(shelf, cache, "image", "efficientnet").done == 1
    assert (shelf / "out" / "1.json").read_bytes() == before
    assert reasons(shelf / "out")["1"].endswith("the vector of its earlier input is kept")


def test_another_model_is_noticed(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "text", "minilm")
    with pytest.raises(InputError, match=r"its model is 'minilm', not 'efficientnet'"):
        extracted(shelf, cache, "image", "efficientnet")
    with pytest.raises(UnknownName, match="minilm"):
        extracted(shelf, cache, "text", "vgg16")
    with pytest.raises(MissingWeights, match="sentence-transformers/all-mpnet-base-v2"):
        extracted(shelf, cache, "text", "mpnet", out=shelf / "other")


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


def test_a_damaged_state_is_one_sentence(shelf: Path, cache: Path) -> None:
    extracted(shelf, cache, "text", "minilm")
    (shelf / "out" / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="remove it to begin anew"):
        extracted(shelf, cache, "text", "minilm")


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


# -- the pipeline


class Counting(Model):
    """Gives the length of what it gets, and runs out of memory above four at a time."""

    modality, name, published, dimension, licence = "text", "counting", "counting", 1, "none"
    origin, preparation, batch = Nothing(), "none", (16, 16)

    def load(self, device: str) -> None:
        self.seen: list[int] = []

    def prepare(self, given: str) -> list[str]:
        if given == "bad":
            raise InputError("it is bad.")
        return given.split(" ")

    def vectors(self, pieces: Sequence[str]) -> Vectors:
        if len(pieces) > 4:
            raise RuntimeError("CUDA out of memory")
        self.seen.append(len(pieces))
        return np.array([[float(piece)] for piece in pieces], np.float32)


def test_batches_shrink_to_the_memory_and_pieces_are_averaged() -> None:
    model, kept = Counting(), list[Row]()
    model.load("cpu")
    texts = ["1 2 3", "bad", *map(str, range(40)), "nan"]
    titles = [Title(str(k), text=text) for k, text in enumerate(texts)]
    timing = pipeline.run(titles, model, lambda title: [title.text], kept.extend)
    assert [row.id for row in kept] == [title.id for title in titles]
    found = [None if row.vector is None else float(row.vector[0]) for row in kept]
    assert found == [2.0, None, *map(float, range(40)), None]
    assert kept[1].reason == "it is bad"
    assert "no finite" in kept[-1].reason
    assert max(model.seen) <= 4
    assert (timing.titles, timing.skipped) == (43, 2)
    assert 0 < timing.model_s <= timing.wall_s


def test_what_cannot_be_kept_stops_the_run() -> None:
    model = Counting()
    model.load("cpu")

    def full(rows: Sequence[Row]) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        pipeline.run([Title(str(k), text="1") for k in range(200)], model, lambda title: [title.text], full)


# -- excerpts of films


def test_clips_are_spread_over_the_film(films: Path) -> None:
    found = read_clips(films / "big_buck_bunny_360p.mp4", clips=3, frames=4, step_s=0.5, side=128)
    assert found.shape == (3, 4, 128, 228, 3)
    assert found.dtype == np.uint8
    whole = read_clips(films / "big_buck_bunny_360p.mp4", clips=1, frames=5, step_s=2.0, side=128)
    early = read_clips(films / "big_buck_bunny_360p.mp4", clips=1, frames=3, step_s=4.0, side=128)
    np.testing.assert_array_equal(whole[0, ::2], early[0])
    assert np.abs(found[0, 0].astype(int) - found[1, 0]).mean() > 10


def test_a_frame_is_the_one_shown_at_its_time(films: Path) -> None:
    import cv2

    capture = cv2.VideoCapture(str(films / "sintel_trailer_204p.mp4"))
    rate = capture.get(cv2.CAP_PROP_FPS)
    found = read_clips(films / "sintel_trailer_204p.mp4", clips=4, frames=2, step_s=1.0, side=204)
    starts = clip_starts(52.2, 2.0, 4)
    assert len(starts) == 4
    for clip, start_s in zip(found[1:3], starts[1:3], strict=True):
        differences = []
        for frame in range(int((start_s - 0.5) * rate), int((start_s + 0.5) * rate)):
            capture.set(cv2.CAP_PROP_POS_FRAMES, frame)
            _, picture = capture.read()
            small = cv2.cvtColor(cv2.resize(picture, clip[0].shape[1::-1]), cv2.COLOR_BGR2RGB)
            differences.append((float(np.abs(small.astype(int) - clip[0]).mean()), frame / rate))
        best, at_s = min(differences)
        assert best < 6
        assert abs(at_s - start_s) <= 2 / rate


@pytest.mark.parametrize(
    ("length_s", "expected"), [(0.0, [0.0]), (1.0, [0.0]), (3.9, [0.0]), (4.0, [0.0, 2.0]), (20.0, [0.0, 9.0, 18.0])]
)
def test_clips_do_not_overlap(length_s: float, expected: list[float]) -> None:
    assert clip_starts(length_s, 2.0, 3) == pytest.approx(expected)


def test_a_short_film_gives_one_clip(films: Path) -> None:
    found = read_clips(films / "faces_stage_360p.mp4", clips=5, frames=16, step_s=1.0, side=64)
    assert len(found) == 1
    np.testing.assert_array_equal(found[0, -1], found[0, -2])


def test_sound_of_a_film_and_of_a_file_of_sound(films: Path, tmp_path: Path) -> None:
    import soundfile

    heard = read_start_of_sound(films / "sintel_trailer_204p.mp4", 2.5)
    assert heard.shape == (40_000,)
    soundfile.write(tmp_path / "plain.wav", heard, 16_000)
    again = read_start_of_sound(tmp_path / "plain.wav", None)
    assert len(again) == pytest.approx(40_000, abs=32)
    np.testing.assert_allclose(again[:39_000], heard[:39_000], atol=1e-3)
    with pytest.raises(InputError, match="no sound"):
        read_start_of_sound(films / "people_walking_432p.mp4", None)


# -- the command


def test_the_command_says_what_it_did(shelf: Path, cache: Path) -> None:
    home = shelf / "home"
    home.mkdir()
    (home / "networks").symlink_to(cache)
    call = ("features", "extract", "--modality", "text", "--model", "minilm", "--in", shelf / "titles.csv")
    done = selects(*call, "--out", shelf / "out", home=home)
    assert done.returncode == 0, done.stderr
    assert "4 of 5 titles in" in done.stdout
    assert "inside the model" in done.stdout
    assert "Skipped: 1" in done.stderr
    assert selects(*call, "--out", shelf / "out", home=home).stdout.startswith("Nothing to do: all 5 titles")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"modality": "smell"}, "Unknown modality 'smell'; known: audio, image, text, video"),
        ({"model": "resnet"}, "Unknown text model 'resnet'"),
        ({"format_": "xml"}, "Unknown format 'xml'; known: h5, json, parquet"),
        ({"seconds": "-3"}, "--seconds takes a number above 0"),
    ],
)
def test_a_wrong_call_is_one_sentence(changes: dict[str, str], said: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"modality": "text", "model": "minilm", "format_": "json", "seconds": "30"} | changes
    with pytest.raises(InputError, match=said):
        _request(source=tmp_path, out=tmp_path / "out", **given)


def test_missing_weights_end_the_command_with_the_way_out(shelf: Path) -> None:
    away = {"SELECTS_MODELS__OFFLINE": "true", "HF_HOME": str(shelf / "none")}
    call = ("features", "extract", "--modality", "text", "--model", "mpnet", "--in", shelf / "titles.csv")
    done = selects(*call, "--out", shelf / "out", home=shelf / "h", **away)
    assert done.returncode == 2
    assert "SELECTS_MODELS__PATHS" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (shelf / "out").exists()


def test_the_list_names_every_model_of_the_catalogue(tmp_path: Path) -> None:
    rows = selects_json("features", "models", home=tmp_path / "home")
    found = {(row["modality"], row["published"]): row for row in rows if row["modality"]}
    assert len(found) == 16
    assert found["text", "all-MiniLM-L6-v2"]["here"] is True
    assert found["image", "VGG16"]["dimension"] == 4096
    assert found["video", "MViTv2-S"]["source"].startswith("https://download.pytorch.org/models/mvit_v2_s")
    assert found["audio", "log-mel-128"]["here"] is True
