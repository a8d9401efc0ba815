"""Published clips in the films one holds: located, and made into real labels; features that others computed."""

import io
import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.errors import InputError
from labeling.references.align import Segment
from tests.command import selects, selects_json
from tests.condensed import CLIPS, FILM, OTHER, STRAY, write_tables
from tests.films import run_ffmpeg
from trainer.datasets.condensed_movies import Clip, Dataset, read_dataset
from trainer.datasets.given import Given, read_given
from trainer.datasets.labelled import from_given_clips, pool
from trainer.datasets.locating import Location, fit_line
from trainer.datasets.owned import owned_files
from trainer.datasets.progress import PreparingBars
from trainer.datasets.unpublished import free_spans
from trainer.snapshot import read_snapshot

PREPARE = ("dataset", "condensed-movies", "prepare")
PLACES = {CLIPS[0]: 2.0, CLIPS[1]: 30.3, CLIPS[2]: 58.7}
LENGTH_S = 12.0
ADVERTISEMENT_S = 6


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return read_dataset(write_tables(tmp_path_factory.mktemp("csv")))


@pytest.fixture(scope="module")
def videos(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """74 s of a real film, three clips of it, smaller, at another rate, one with an advertisement; and a stray one."""
    folder = tmp_path_factory.mktemp("videos")
    film, other = folder / f"Big Buck Bunny ({FILM}).mp4", films / "sintel_trailer_204p.mp4"
    fast = ("-an", "-c:v", "libx264", "-preset", "ultrafast")
    run_ffmpeg("-ss", 120, "-t", 74, "-i", films / "big_buck_bunny_360p.mp4", "-vf", "scale=320:180", *fast, film)
    for name, start_s in PLACES.items():
        path = folder / "2015" / f"{name}.mkv"
        path.parent.mkdir(exist_ok=True)
        cut = ("-ss", start_s, "-t", LENGTH_S, "-i", film)
        if name == CLIPS[2]:
            both = "[0:v]scale=240:136,fps=25,setsar=1[a];[1:v]scale=240:136,fps=25,setsar=1[b];[a][b]concat[o]"
            more = ("-ss", 12, "-t", ADVERTISEMENT_S, "-i", other)
            run_ffmpeg(*cut, *more, "-filter_complex", both, "-map", "[o]", *fast, path)
        else:
            run_ffmpeg(*cut, "-vf", "scale=240:136,fps=25", *fast, "-crf", 30, path)
    run_ffmpeg("-t", 8, "-i", other, "-an", "-c:v", "copy", folder / f"Fear - All the Time [{STRAY}].mp4")
    return folder


@pytest.fixture(scope="module")
def prepared(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A home, and what the command said after it was run on the clips and the film."""
    base = tmp_path_factory.mktemp("prepared")
    arguments = ("--from", write_tables(base / "csv"), "--videos", videos, "--snapshot", base / "snap")
    return base, selects_json(*PREPARE, *arguments, home=base / "home")


def test_clips_are_located_within_half_a_second(prepared: tuple[Path, dict[str, Any]]) -> None:
    located = prepared[1]["located"]
    assert set(located) == set(PLACES)
    for name, start_s in PLACES.items():
        assert located[name]["film_start_s"] == pytest.approx(start_s, abs=0.5)
        assert located[name]["film_end_s"] == pytest.approx(start_s + LENGTH_S, abs=0.5)
    assert prepared[1]["not_located"] == {STRAY: "its film is not here"}
    assert prepared[1]["videos"] == {"clips": 4, "films": 1, "other": 0}
    table = pq.read_table(prepared[1]["file"]).to_pylist()
    places = {row["videoid"]: row["film_start_s"] for row in table}
    assert places[CLIPS[0]] == pytest.approx(2.0, abs=0.5)
    assert places[STRAY] is None


def test_positives_and_negatives_are_of_the_same_film_and_do_not_meet(prepared: tuple[Path, dict[str, Any]]) -> None:
    snapshot = read_snapshot(Path(prepared[1]["snapshot"]))
    positive, negative = snapshot.labels == 1, snapshot.labels == 0
    assert (positive.sum(), set(snapshot.movies)) == (3, {FILM})
    assert negative.sum() >= 1
    for start_s, end_s in zip(snapshot.start_s[negative], snapshot.end_s[negative], strict=True):
        assert all(end_s <= place or start_s >= place + LENGTH_S for place in PLACES.values())
        assert 0.7 * LENGTH_S < end_s - start_s < 1.3 * LENGTH_S
    assert snapshot.schema.dimension == snapshot.features.shape[1] == 1473
    assert np.isfinite(snapshot.features).all()
    assert set(snapshot.sources) == {"condensed-movies"}
    assert snapshot.genres[0] == ("animation", "short")


def test_second_run_takes_what_the_first_has_kept(prepared: tuple[Path, dict[str, Any]], videos: Path) -> None:
    base, first = prepared
    kept = sorted((base / "home" / "datasets" / "condensed-movies" / "located").glob("*.json"))
    assert len(kept) == 3
    said = json.loads(kept[0].read_text())
    kept[0].write_text(json.dumps(said | {"film_start_s": 1.25}))
    again = selects_json(*PREPARE, "--from", base / "csv", "--videos", videos, home=base / "home")
    kept[0].write_text(json.dumps(said))
    assert 1.25 in [one["film_start_s"] for one in again["located"].values()]
    assert again["snapshot"] is None
    assert len(first["located"]) == len(again["located"])


def test_features_of_films_are_pooled_where_clips_lie(
    prepared: tuple[Path, dict[str, Any]], videos: Path, tmp_path: Path
) -> None:
    seconds = np.arange(74.0)
    features = np.stack([seconds + 0.5, np.ones(74)], axis=1)
    (tmp_path / "mine").mkdir()
    np.savez(tmp_path / "mine" / f"{FILM}.npz", features=features, start_s=seconds, end_s=seconds + 1)
    arguments = ("--videos", videos, "--features", tmp_path / "mine", "--snapshot", tmp_path / "snap")
    said = selects_json(*PREPARE, "--from", prepared[0] / "csv", *arguments, home=prepared[0] / "home")
    snapshot = read_snapshot(Path(said["snapshot"]))
    assert said["labels"] == prepared[1]["labels"]
    # The first of the two numbers is the time itself: its mean is the middle of the window.
    middles = (snapshot.start_s + snapshot.end_s) / 2
    assert snapshot.features[:, 0].tolist() == pytest.approx(middles.tolist(), abs=0.05)
    assert snapshot.features[:, 1].tolist() == pytest.approx([1.0] * len(snapshot))


def test_clips_alone_give_positives_and_nothing_made_up(videos: Path, tmp_path: Path) -> None:
    alone = tmp_path / "clips"
    alone.mkdir()
    os.link(videos / "2015" / f"{CLIPS[0]}.mkv", alone / f"{CLIPS[0]}.mkv")
    (alone / f"{CLIPS[1]}.mkv").write_bytes(b"no film at all")
    arguments = ("--from", write_tables(tmp_path / "csv"), "--videos", alone, "--snapshot", tmp_path / "snap")
    said = selects_json(*PREPARE, *arguments, home=tmp_path / "home")
    assert said["labels"] == {"positives": 1, "negatives": 0, "films": 1}
    assert said["left_out"] == {"clips that cannot be read": 1}
    assert "positives alone" in said["notes"][0]


def test_files_are_known_by_the_ids_in_their_names(dataset: Dataset, tmp_path: Path) -> None:
    clip = CLIPS[0]
    names = [f"{clip}.mkv", f"Title-{CLIPS[1]}.mp4", f"x [{CLIPS[2]}].webm", f"a{STRAY}.mkv", f"{FILM}0.mp4", ".h.mp4"]
    for name in [*names, f"{OTHER}.mkv", "notes.txt"]:
        (tmp_path / name).touch()
    owned = owned_files(tmp_path, dataset)
    assert {name: path.name for name, path in owned.clips.items()} == dict(zip(CLIPS, names, strict=False))
    assert ({*owned.films}, owned.other) == ({OTHER}, 2)
    with pytest.raises(InputError, match="No film and no clip of the list"):
        owned_files(Path(__file__).parent, dataset)


def test_line_is_that_of_most_seconds() -> None:
    along = [Segment(100 + at * 0.96, 100 + (at + 3) * 0.96, at, at + 3, 0.9) for at in (0.0, 12.0, 30.0, 50.0)]
    stray = [Segment(300 + at, 302 + at, at, at + 2, 0.99) for at in (5.0, 20.0)]
    line = fit_line([*along, *stray])
    assert line is not None
    assert line.film_at(0.0) == pytest.approx(100, abs=0.01)
    assert line.speed == pytest.approx(0.96, abs=1e-4)
    assert fit_line([]) is None


def _place(start_s: float, end_s: float, whole: bool = True) -> Location:
    length_s = end_s - start_s
    return Location(start_s, end_s, 0.0, length_s, 0.95, 0.9, length_s if whole else 2 * length_s)


PLACED = {1: _place(100, 200), 2: _place(300, 400), 3: _place(500, 600), 4: _place(700, 800)}


@pytest.mark.parametrize(
    ("located", "of", "free"),
    [
        ((1, 2, 3, 4), 4, [(0, 99), (201, 299), (401, 499), (601, 699), (801, 1000)]),
        ((1, 2, 4), 4, [(0, 99), (201, 299), (801, 1000)]),
        ((2, 3, 4), 4, [(401, 499), (601, 699), (801, 1000)]),
        ((1, 2, 3, 4), None, [(0, 99), (201, 299), (401, 499), (601, 699)]),
        ((1, 4), 4, []),
        ((), 4, []),
    ],
    ids=["all", "one missing", "first missing", "unknown how many", "too few to trust numbers", "none"],
)
def test_only_what_no_clip_can_be_in_is_free(
    dataset: Dataset, located: tuple[int, ...], of: int | None, free: list[tuple[int, int]]
) -> None:
    clips = [_numbered(dataset, number, of) for number in PLACED]
    places = {str(number): PLACED[number] for number in located}
    assert [tuple(span) for span in free_spans(clips, places, 1000.0).tolist()] == free


def test_numbers_that_do_not_follow_the_film_and_parts_of_clips_free_nothing(dataset: Dataset) -> None:
    clips = [_numbered(dataset, number, 5) for number in PLACED]
    turned = {"1": PLACED[2], "2": PLACED[1], "3": PLACED[3], "4": PLACED[4]}
    assert len(free_spans(clips, turned, 1000.0)) == 0
    in_part = {str(number): place for number, place in PLACED.items()} | {"2": _place(300, 400, whole=False)}
    assert [tuple(span) for span in free_spans(clips, in_part, 1000.0).tolist()] == [(0, 99), (601, 699)]
    second = replace(_numbered(dataset, 1, 1), videoid="elsewhere", title="Second series")
    everywhere = {str(number): place for number, place in PLACED.items()}
    assert len(free_spans([*clips, second], everywhere, 1000.0)) == 0


def _numbered(dataset: Dataset, number: int, of: int | None) -> Clip:
    return replace(dataset.clips[0], videoid=str(number), number=number, of=of)


def test_pool_weighs_parts_by_the_seconds_that_are_seen() -> None:
    vectors = np.array([[0.0], [10.0], [40.0]], np.float32)
    parts = np.array([[0.0, 1.0], [1.0, 2.0], [5.0, 6.0]])
    pooled, inside = pool(vectors, parts, np.array([[0.5, 2.0], [5.0, 9.0], [3.0, 4.0]]))
    assert pooled[:2, 0].tolist() == pytest.approx([10 / 1.5, 40.0])
    assert inside.tolist() == [True, True, False]


def _given(folder: Path, dataset: Dataset) -> Given:
    return read_given(folder, {clip.videoid for clip in dataset.clips}, dataset.films.keys(), PreparingBars())


def test_features_of_all_kinds_of_files(dataset: Dataset, tmp_path: Path) -> None:
    vector = np.arange(4, dtype=np.float32)
    np.save(tmp_path / f"{CLIPS[0]}.npy", vector)
    np.savez(tmp_path / f"{CLIPS[1]}.npz", features=np.stack([vector, vector + 2]))
    pq.write_table(pa.table({"features": [vector.tolist()]}), tmp_path / f"{CLIPS[2]}.parquet")
    np.savez(tmp_path / f"{FILM}.npz", features=np.ones((2, 4)), start_s=[0, 5], end_s=[5, 9])
    np.save(tmp_path / f"{STRAY}.npy", vector[:3])
    np.save(tmp_path / "nobody.npy", vector)
    (tmp_path / f"{OTHER}.npz").write_bytes(b"broken")
    given = _given(tmp_path, dataset)
    assert (given.schema.dimension, [block.name for block in given.schema.blocks]) == (4, ["features"])
    assert {name: found.tolist() for name, found in given.clips.items()} == {
        CLIPS[0]: [0, 1, 2, 3], CLIPS[1]: [1, 2, 3, 4], CLIPS[2]: [0, 1, 2, 3],
    }  # fmt: skip
    assert given.films[FILM][1].tolist() == [[0, 5], [5, 9]]
    assert given.left_out == {
        "clips or films whose vectors are of another length": 1,
        "files that cannot be read as numbers": 1,
    }


def test_published_features_are_read_and_nothing_else_is_run(dataset: Dataset, tmp_path: Path) -> None:
    for expert, width in (("I3D/pred/agg", 3), ("SE-ResNet-154/agg", 2)):
        (tmp_path / expert).mkdir(parents=True)
        held = {name: np.full(width, number, np.float32) for number, name in enumerate(CLIPS)}
        np.save(tmp_path / expert / "agg_feats_mean.npy", np.array(held, object), allow_pickle=True)
    words = tmp_path / "BERT" / "description" / "agg"
    words.mkdir(parents=True)
    np.save(words / "agg.npy", np.array({CLIPS[0]: np.ones(9, np.float32)}, object), allow_pickle=True)
    (tmp_path / "evil.npy").write_bytes(_evil(tmp_path / "ran"))
    given = _given(tmp_path, dataset)
    assert [(block.name, block.dimension) for block in given.schema.blocks] == [("I3D/pred", 3), ("SE-ResNet-154", 2)]
    assert given.clips[CLIPS[2]].tolist() == [2, 2, 2, 2, 2]
    assert given.left_out == {
        "files made of words about clips, which are no features of clips": 1,
        "files that cannot be read as numbers": 1,
    }
    assert not (tmp_path / "ran").exists()


class _Runs:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, tuple[str, int]]:
        return os.mkdir, (self.path, 0o700)


def _evil(path: Path) -> bytes:
    """A file of numpy's that would make a folder if it were unpickled the plain way."""
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|O", "fortran_order": False, "shape": ()})
    return buffer.getvalue() + pickle.dumps(_Runs(path))


def test_features_made_of_words_alone_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "description").mkdir()
    np.save(tmp_path / "description" / f"{CLIPS[0]}.npy", np.ones(3))
    for folder in (tmp_path, tmp_path / "description"):
        with pytest.raises(InputError, match=r"No features of a listed clip or film .*words about clips"):
            _given(folder, dataset)


def test_features_of_clips_are_positives_alone(tmp_path: Path) -> None:
    features = tmp_path / "features"
    features.mkdir()
    for number, name in enumerate((*CLIPS, STRAY)):
        np.save(features / f"{name}.npy", np.full(5, number, np.float32))
    arguments = ("--from", write_tables(tmp_path / "csv"), "--features", features, "--snapshot", tmp_path / "snap")
    done = selects(*PREPARE, *arguments, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    assert "4 positives and 0 negatives of 2 films" in done.stdout
    assert "there are no negatives, and none are made up" in done.stderr
    snapshot = read_snapshot(next((tmp_path / "snap").iterdir()))
    assert snapshot.labels.tolist() == [1, 1, 1, 1]
    assert snapshot.features[:, 0].tolist() == [0, 1, 2, 3]
    assert snapshot.holdout is not None
    assert dict(zip(snapshot.movies, snapshot.holdout.tolist(), strict=True)) == {FILM: False, OTHER: True}


def test_clips_of_another_film_are_no_positives(dataset: Dataset) -> None:
    vectors: Mapping[str, Any] = {clip.videoid: np.ones(2, np.float32) for clip in dataset.clips}
    given = Given(read_schema(), vectors, {}, {})
    mixed = replace(dataset, clips=(replace(dataset.clips[0], misfiled=True), *dataset.clips[1:]))
    labelled = from_given_clips(mixed, given)
    assert [window.id for window in labelled.windows] == [f"condensed-movies:{name}" for name in (*CLIPS[1:], STRAY)]
    assert sum(labelled.left_out.values()) == 1


def test_films_of_the_test_split_are_never_trained_on(dataset: Dataset) -> None:
    given = Given(read_schema(), {STRAY: np.ones(2, np.float32)}, {}, {})
    alone = from_given_clips(dataset, given).snapshot
    assert alone.holdout is not None
    assert alone.holdout.tolist() == [True]


def read_schema() -> Any:
    from backend.features.schema import Block, FeatureSchema

    return FeatureSchema("given-test", 1, (Block("features", 2, "given"),))
