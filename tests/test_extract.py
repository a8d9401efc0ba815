"""`selects features extract`: titles of every kind in, vectors out."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from pyarrow import parquet

from backend.analysis.catalogue.reading import read_passages, read_picture
from backend.analysis.catalogue.titles import Title, read_titles
from backend.errors import InputError
from backend.features.catalogue.base import Model
from backend.features.catalogue.minilm import MiniLm
from backend.media.excerpts import read_log_mel
from tests.extracting import extracted, files, reasons

# -- what comes out


def test_posters_become_a_file_for_each_id(five_titles: Path, cache: Path) -> None:
    made = extracted(five_titles, cache, "image", "efficientnet")
    assert (made.titles, made.done, made.skipped) == (5, 5, 3)
    assert files(five_titles / "out") == {"1.json", "2.json", "skipped.csv"}
    (vector,) = json.loads((five_titles / "out" / "1.json").read_text()).items()
    assert vector[0] == "1"
    assert len(vector[1]) == 1280
    model = pipeline_model("image", "efficientnet", cache)
    expected = model.vectors(model.prepare(read_picture(five_titles / "1.jpg")))[0]
    np.testing.assert_allclose(vector[1], expected, atol=1e-4)
    why = reasons(five_titles / "out")
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
def test_plots_become_one_table(kind: str, five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "text", "all-MiniLM-L6-v2", kind)
    path = five_titles / "out" / f"features.{kind}"
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
    assert reasons(five_titles / "out") == {"4": "the text is empty"}
    before = path.stat().st_mtime_ns
    assert extracted(five_titles, cache, "text", "minilm", kind).done == 0
    assert path.stat().st_mtime_ns == before


def test_an_id_that_is_no_file_name_is_written_as_one(five_titles: Path, cache: Path) -> None:
    extracted(five_titles, cache, "text", "minilm")
    assert list(json.loads((five_titles / "out" / "tt%2F5.json").read_text())) == ["tt/5"]


def test_sound_is_heard_and_silence_is_said(five_titles: Path, cache: Path, films: Path) -> None:
    made = extracted(five_titles, cache, "audio", "mel", seconds=5.0)
    assert made.skipped == 4
    rows = read_log_mel(films / "sintel_trailer_204p.mp4", 5.0)
    assert rows.shape == (5, 128)
    found = json.loads((five_titles / "out" / "1.json").read_text())["1"]
    np.testing.assert_allclose(found, rows.mean(axis=0), atol=1e-4)
    why = reasons(five_titles / "out")
    assert "no sound" in why["2"]
    assert "there is no file" in why["3"]
    assert "1.jpg" in why["tt/5"]
    with pytest.raises(InputError, match=r"its seconds is 5\.0, not 'all'"):
        extracted(five_titles, cache, "audio", "mel", seconds=None)


# -- what goes in


def test_a_folder_is_read_by_file_names_and_by_folders(five_titles: Path) -> None:
    (five_titles / "9").mkdir()
    (five_titles / "9" / "Poster.PNG").write_bytes(b"x")
    (five_titles / "9" / "plot.txt").write_text("Nine.")
    assert [title.id for title in read_titles(five_titles, "image")] == ["1", "2", "3", "9"]
    assert [(title.id, title.text) for title in read_titles(five_titles, "text")] == [("9", "Nine.")]


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_tables_of_every_kind_say_the_same(kind: str, five_titles: Path) -> None:
    import pyarrow as pa

    rows = [{"id": 7, "plot": "Seven.", "poster": None}, {"id": 8, "plot": None, "poster": "1.jpg"}]
    path = five_titles / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        parquet.write_table(pa.Table.from_pylist(rows), path)
    assert read_titles(path, "text") == [Title("7", text="Seven."), Title("8", text="")]
    assert [title.path for title in read_titles(path, "image")] == [None, five_titles / "1.jpg"]


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
    name: str, content: str | bytes | None, said: str, five_titles: Path, cache: Path
) -> None:
    extracted(five_titles, cache, "text", "minilm")
    before = files(five_titles / "out")
    if content is not None:
        (five_titles / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        extracted(five_titles, cache, "text", "minilm", source=five_titles / name)
    assert files(five_titles / "out") == before


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
