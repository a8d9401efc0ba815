"""The published metadata of Condensed Movies: read, checked, joined, counted, written; and what is refused."""

import http.server
import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend.errors import InputError, Unavailable
from tests.command import selects, selects_json
from tests.condensed import CLIPS, FILM, OTHER, STRAY, TABLES, write_tables
from trainer.datasets.condensed_movies import FILES, Dataset, read_dataset
from trainer.datasets.published import fetched
from trainer.datasets.summary import show, summary, write_clips

PREPARE = ("dataset", "condensed-movies", "prepare")


@pytest.fixture(scope="session")
def metadata(shared_data: Path) -> Path:
    folder = shared_data / "condensed_movies"
    if not (folder / "clips.csv").is_file():
        pytest.skip(f"NO METADATA: {folder} is missing; it holds the published CSV files of Condensed Movies")
    return folder


@pytest.fixture(scope="module")
def published(metadata: Path) -> Dataset:
    return read_dataset(metadata)


def test_published_files_are_counted_as_documented(published: Dataset) -> None:
    counted = summary(published)
    assert (counted["films"], counted["films_with_clips"], counted["clips"]) == (3631, 3613, 34184)
    assert {name: one["clips"] for name, one in counted["splits"].items()} == {
        "train": 24206,
        "val": 3368,
        "test": 6610,
    }
    assert {name: one["films"] for name, one in counted["splits"].items()} == {"train": 2571, "val": 360, "test": 700}
    assert counted["durations"] == {
        "clips": 34031, "hours": 1270.5, "shortest_s": 3, "median_s": 132, "longest_s": 389,
    }  # fmt: skip
    assert counted["genres"]["Drama"] == {"films": 1379, "clips": 12713}
    assert counted["dropped"] == {
        "casts.csv: repeated rows": 71,
        "durations.csv: of clips that are not in clips.csv": 539,
        "clips.csv: clips whose id cannot be that of a video": 1,
    }
    assert counted["missing"]["clips without duration"] == 153
    assert counted["missing"]["clips that seem to be of another film than the one they are listed under"] == 343


def test_no_published_film_is_in_two_splits_and_titles_that_were_mixed_up_are_marked(published: Dataset) -> None:
    by_film: dict[str, set[str]] = {}
    for clip in published.clips:
        by_film.setdefault(clip.film.imdbid, set()).add(clip.film.split)
    assert all(len(splits) == 1 for splits in by_film.values())
    marked = {(clip.film.title, clip.title) for clip in published.clips if clip.misfiled}
    assert {("Primal Fear", "Fear"), ("Wonder Woman", "Wonder")} <= marked
    assert ("Primal Fear", "Primal Fear") not in marked


def test_command_reports_and_writes_a_row_for_each_clip(metadata: Path, tmp_path: Path) -> None:
    out = tmp_path / "clips.parquet"
    said = selects_json(*PREPARE, "--from", metadata, "--out", out, home=tmp_path / "home")
    assert (said["clips"], said["file"], said["snapshot"]) == (34184, str(out), None)
    table = pq.read_table(out)
    assert (table.num_rows, len(set(table["videoid"].to_pylist()))) == (34184, 34184)
    assert table["duration_s"].null_count == 153
    assert table["film_start_s"].null_count == table.num_rows


def test_rows_are_joined(tmp_path: Path) -> None:
    write_clips(tmp_path / "clips.parquet", read_dataset(write_tables(tmp_path / "csv")), {})
    rows = {row["videoid"]: row for row in pq.read_table(tmp_path / "clips.parquet").to_pylist()}
    first = rows[CLIPS[0]]
    assert list(rows) == [*CLIPS, STRAY]
    assert (first["film_title"], first["film_year"], first["split"]) == ("Big Buck Bunny", 2008, "train")
    assert (first["number"], first["of"], first["duration_s"]) == (1, 3, 12)
    assert (first["genres"], first["cast"]) == (["Animation", "Short"], [("Frank", "Squirrel (as F.)")])
    assert (first["description"], rows[CLIPS[1]]["description"]) == ('He says, "no".', "")
    assert rows[STRAY]["split"] == "test"


def test_dirty_rows_are_left_out_or_emptied_and_counted(tmp_path: Path) -> None:
    usual = list(TABLES["clips"][1])
    clips = [
        *usual,
        usual[0],
        ("aaaaaaaaa02", "1999.0", 9, 9, 2015, "Another", "second row", OTHER),
        ("short", "2008.0", 1, 1, 2015, "Big Buck Bunny", "", FILM),
        ("ccccccccc01", "2008.0", 1, 1, 2015, "Nowhere", "", "tt9999999"),
        ("ccccccccc02", "1091.0", 4, -1, 2015, "Big Buck Bunny", "", FILM),
        ("too", "few"),
    ]
    durations = [("aaaaaaaaa01", "nan"), ("aaaaaaaaa02", "-3"), ("aaaaaaaaa03", "20"), ("zzzzzzzzz01", 5)]
    dataset = read_dataset(write_tables(tmp_path, clips=clips, durations=durations))
    assert [clip.videoid for clip in dataset.clips] == [*CLIPS, STRAY, "ccccccccc02"]
    assert [clip.duration_s for clip in dataset.clips] == [None, None, 20, None, None]
    assert (dataset.clips[-1].year, dataset.clips[-1].of) == (None, None)
    assert dataset.dropped == {
        "clips.csv: rows with too few or too many values": 1,
        "clips.csv: repeated rows": 1,
        "clips.csv: second rows of the same id": 1,
        "clips.csv: clips of a film that is not listed or in no split": 1,
        "clips.csv: clips whose id cannot be that of a video": 1,
        "durations.csv: of clips that are not in clips.csv": 1,
    }
    assert dataset.missing["clips without duration"] == 4


def test_film_in_two_splits_is_in_none(tmp_path: Path) -> None:
    dataset = read_dataset(write_tables(tmp_path, split=[(FILM, "train"), (OTHER, "test"), (OTHER, "train")]))
    assert [clip.videoid for clip in dataset.clips] == list(CLIPS)
    assert dataset.dropped["movies.csv: films that are in no split"] == 1


@pytest.mark.parametrize(
    ("table", "text", "said"),
    [
        ("clips", "videoid,year\na,b\n", "clips.csv has no column clip_idx"),
        ("durations", "", "durations.csv has no column videoid"),
        ("durations", "videoid,duration\n", "durations.csv has no rows"),
        ("casts", 'imdbid,cast\ntt1,"never closed\n', "Cannot read casts.csv after line"),
        ("casts", f"imdbid,cast\ntt1,{'x' * 200_000}\n", "field larger than field limit"),
        ("movies", "imdbid,title,year\ntt9,Nobody,1990\n", "No film of movies.csv is in split.csv"),
    ],
    ids=["columns", "empty", "no rows", "open quote", "huge field", "nothing joins"],
)
def test_what_is_not_the_published_file_is_refused_in_a_sentence(
    tmp_path: Path, table: str, text: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        read_dataset(write_tables(tmp_path, **{table: text}))
    assert "\n" not in str(refused.value)


def test_bytes_that_are_no_text_and_missing_files_are_refused(tmp_path: Path) -> None:
    (write_tables(tmp_path) / "movies.csv").write_bytes(b"imdbid,title,year\ntt1,\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"movies\.csv: it is not text in UTF-8"):
        read_dataset(tmp_path)
    (tmp_path / "split.csv").unlink()
    with pytest.raises(InputError, match=r"has no split\.csv"):
        read_dataset(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        read_dataset(tmp_path / "nowhere")


def test_metadata_alone_is_never_trained_on(tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "csv")
    done = selects(*PREPARE, "--from", folder, "--snapshot", tmp_path / "snap", home=tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("selects: There is nothing to train on: titles, casts and descriptions")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "snap").exists()


def test_no_file_of_the_list_is_written_over(tmp_path: Path) -> None:
    folder = write_tables(tmp_path / "csv")
    before = (folder / "clips.csv").read_bytes()
    done = selects(*PREPARE, "--from", folder, "--out", folder / "clips.csv", home=tmp_path / "home")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--out must end in .parquet" in done.stderr
    assert (folder / "clips.csv").read_bytes() == before


def test_quiet_lines_where_it_is_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show(summary(read_dataset(write_tables(tmp_path))))
    lines = capsys.readouterr().out.splitlines()
    assert "Split, by film: train: 1 films, 1 with clips, 3 clips, 0.0 hours" in lines
    assert "Not known, or doubtful: clips without description: 3" in lines


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Counts what is asked for; `short.csv` is announced longer than it is."""

    asked: list[str] = []  # noqa: RUF012  of the class

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.endswith("short.csv"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"imdbid")
            return
        super().do_GET()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server of the small data set."""
    folder = write_tables(tmp_path / "served")
    _Handler.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_address_is_fetched_once(address: str, tmp_path: Path) -> None:
    done = selects(*PREPARE, "--from", address, "--json", home=tmp_path / "home")
    assert json.loads(done.stdout)["clips"] == 4
    kept = tmp_path / "home" / "datasets" / "condensed-movies" / "metadata"
    again = fetched(f"{address}/", [f"{name}.csv" for name in FILES], kept)
    assert len(read_dataset(again).clips) == 4
    assert sorted(_Handler.asked) == sorted(f"/{name}.csv" for name in FILES)


def test_address_that_fails_leaves_no_half_file(address: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"Cannot have short\.csv from 127\.0\.0\.1"):
        fetched(address, ["short.csv"], tmp_path / "kept")
    with pytest.raises(InputError, match=r"127\.0\.0\.1 has no other\.csv there: it answered 404"):
        fetched(address, ["other.csv"], tmp_path / "kept")
    with pytest.raises(Unavailable, match=r"Cannot have movies\.csv from"):
        fetched("http://127.0.0.1:9", ["movies.csv"], tmp_path / "kept")
    with pytest.raises(InputError, match="begin with http"):
        fetched("ftp://127.0.0.1/data", ["movies.csv"], tmp_path / "kept")
    assert not [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
