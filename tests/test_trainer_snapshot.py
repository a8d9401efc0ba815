"""Snapshots: written and read back, and those that others made in the format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.errors import InputError
from tests.snapshots import made
from trainer.material.manifest import sha256_of
from trainer.snapshot import _ARRAYS, read_snapshot, write_snapshot


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = made(60, 4, holdout=np.arange(60) < 15, viral=rng.random(60).astype(np.float32), genres=[("drama",)] * 60)
    folder = write_snapshot(tmp_path, given)
    found = read_snapshot(folder)
    for name in _ARRAYS:
        kept, back = getattr(given, name), getattr(found, name)
        if kept.dtype == np.float64:
            np.testing.assert_allclose(back, kept, rtol=1e-6, atol=1e-5)
        else:
            np.testing.assert_array_equal(back, kept)
    np.testing.assert_array_equal(found.holdout, given.holdout)
    assert (found.genres, found.schema, found.id) == (given.genres, given.schema, folder.name)


def test_equal_values_are_one_folder_with_equal_bytes(tmp_path: Path) -> None:
    one, other = (write_snapshot(tmp_path / name, made(50, 3)) for name in ("a", "b"))
    assert one.name == other.name
    assert len(one.name) == 16
    for name in ("windows.parquet", "manifest.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert write_snapshot(tmp_path / "a", made(50, 3)) == one
    assert write_snapshot(tmp_path / "a", made(50, 3, seed=1)).name != one.name


def foreign(folder: Path, columns: dict[str, Any], schema: Any, **manifest: Any) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "windows.parquet")
    (folder / "manifest.json").write_text(json.dumps({"schema": schema, **manifest}))
    return folder


COLUMNS: dict[str, Any] = {
    "window_id": [1, 2, 3],
    "movie_id": [7, 7, 8],
    "label": [1.0, 0.0, None],
    "features": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, None]],
}
BLOCKS = {
    "objects": [{"name": "a", "dim": 2}, {"name": "b", "size": 1}],
    "pairs": [["a", 2], ["b", 1]],
    "object": {"a": 2, "b": 1},
    "object of objects": {"a": {"width": 2}, "b": {"dimension": 1}},
}


@pytest.mark.parametrize("blocks", BLOCKS.values(), ids=BLOCKS)
def test_blocks_as_others_write_them(tmp_path: Path, blocks: Any) -> None:
    found = read_snapshot(foreign(tmp_path / "s", COLUMNS, {"name": "x", "version": 3, "blocks": blocks}))
    assert [(block.name, block.dimension) for block in found.schema.blocks] == [("a", 2), ("b", 1)]
    assert found.window_ids.tolist() == ["1", "2", "3"]
    assert found.movies.tolist() == ["7", "7", "8"]
    assert found.labels.tolist() == [1, 0, -1]
    assert np.isnan(found.features[2, 2])
    assert found.weights.tolist() == [1, 1, 1]


def test_columns_as_others_write_them(tmp_path: Path) -> None:
    more = {
        "genres": ["Drama; Sci-Fi", None, ""],
        "propensity": [0.0, 0.5, None],
        "holdout": [True, None, False],
        "decided_at": pa.array([0, 1_000_000, None], pa.timestamp("us")),
        "weight": [None, 2.0, 0.5],
        "whatever": ["x", "y", "z"],
    }
    found = read_snapshot(foreign(tmp_path / "s", {**COLUMNS, **more}, [["a", 3]]))
    assert found.genres == (("drama", "sci-fi"), (), ())
    assert np.isnan(found.propensities[[0, 2]]).all()
    assert found.holdout is not None
    assert found.holdout.tolist() == [True, False, False]
    assert found.decided_at[:2].tolist() == [0.0, 1.0]
    assert found.weights.tolist() == [1, 2, 0.5]


WRITTEN = ["1970-01-01T00:00:01Z", "1970-01-01 00:00:01", "1970-01-01T01:00:01.000+01:00", "1970-01-01"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_points_of_time_as_others_write_them(tmp_path: Path, kind: pa.DataType) -> None:
    for number, text in enumerate(WRITTEN):
        columns = {**COLUMNS, "decided_at": pa.array([text, "", None], pa.string()).cast(kind)}
        found = read_snapshot(foreign(tmp_path / str(number), columns, [["a", 3]])).decided_at
        assert found[0] == (0 if text == "1970-01-01" else 1)
        assert np.isnan(found[1:]).all()


def test_a_snapshot_of_nothing_can_be_read(tmp_path: Path) -> None:
    empty = {"window_id": pa.array([], pa.string()), "movie_id": pa.array([], pa.string())}
    empty |= {"label": pa.array([], pa.int8()), "features": pa.array([], pa.list_(pa.float32(), 3))}
    assert len(read_snapshot(foreign(tmp_path / "s", empty, [["a", 3]]))) == 0


WRONG: dict[str, tuple[dict[str, Any], Any, dict[str, Any], str]] = {
    "a column missing": ({"label": None}, [["a", 3]], {}, "lacks the column 'label'"),
    "a label of 2": ({"label": [1, 2, 0]}, [["a", 3]], {}, "other values than 1, 0 and null"),
    "labels of words": ({"label": ["yes", "no", "no"]}, [["a", 3]], {}, "not numbers"),
    "another length": ({}, [["a", 2], ["b", 2]], {}, "has 3 numbers in a row"),
    "no list": ({"features": [1.0, 2.0, 3.0]}, [["a", 3]], {}, "not lists of numbers"),
    "a weight beyond bounds": ({"weight": [1.0, 1e300, 1.0]}, [["a", 3]], {}, "larger than any weight"),
    "a time in words": ({"decided_at": ["yesterday", None, ""]}, [["a", 3]], {}, "no point of time"),
    "a negative weight": ({"weight": [1.0, -1.0, 1.0]}, [["a", 3]], {}, "negative"),
    "another sha256": ({}, [["a", 3]], {"sha256": "0" * 64}, "not the file its manifest describes"),
    "other rows": ({}, [["a", 3]], {"rows": 9}, "has 3 rows, its manifest says 9"),
    "another format": ({}, [["a", 3]], {"format": 2}, "format 2"),
    "no schema": ({}, None, {}, "names no feature schema"),
    "no blocks": ({}, {"name": "x"}, {}, "must list blocks"),
    "a block of nothing": ({}, [["a", 3], ["b", 0]], {}, "must list blocks"),
    "a block of words": ({}, [["a", "three"]], {}, "cannot be read"),
    "no id": ({"window_id": ["a", None, "c"]}, [["a", 3]], {}, "rows without a value"),
    "viral of 7": ({"viral": [7.0, 0.1, 0.2]}, [["a", 3]], {}, "outside 0 to 1"),
}


@pytest.mark.parametrize(("columns", "schema", "manifest", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_snapshot_is_refused_in_one_sentence(
    tmp_path: Path, columns: dict[str, Any], schema: Any, manifest: dict[str, Any], says: str
) -> None:
    kept = {name: values for name, values in {**COLUMNS, **columns}.items() if values is not None}
    with pytest.raises(InputError) as met:
        read_snapshot(foreign(tmp_path / "s", kept, schema, **manifest))
    assert says in met.value.detail
    assert "\n" not in met.value.detail


def test_what_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no snapshot folder"):
        read_snapshot(tmp_path / "nowhere")
    folder = foreign(tmp_path / "s", COLUMNS, [["a", 3]])
    (folder / "windows.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read"):
        read_snapshot(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="as JSON"):
        read_snapshot(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(InputError, match=r"lacks manifest\.json"):
        read_snapshot(folder)


def test_a_sha256_in_capitals_is_the_same(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "s", COLUMNS, [["a", 3]])
    said = sha256_of(folder / "windows.parquet").upper()
    (folder / "manifest.json").write_text(json.dumps({"feature_schema": [["a", 3]], "sha256": said}))
    assert len(read_snapshot(folder)) == 3
