"""`selects find` as people run it, on real films: what it prints, what it writes, and that it says the same twice."""

import csv
import itertools
import json
import os
import pty
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.features.registry import PROFILES
from backend.features.schema import FeatureSchema
from backend.scoring.mlp import save_model
from tests.command import COMMAND, environment, selects, selects_json
from tests.films import read_film, run_ffmpeg
from tests.test_mlp import network, state

MOVIE_KEYS = {
    "path", "sha256", "duration_s", "rate", "shots", "scenes", "cuts_s", "width", "height", "has_audio",
    "start_timecode", "warnings",
}  # fmt: skip
CLIP_KEYS = {
    "rank", "start_s", "end_s", "start_frame", "end_frame", "score", "viral", "compelling", "band", "explanation",
    "reasons", "file",
}  # fmt: skip
SHORT = ("--min-duration", "5", "--max-duration", "15")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty home, shared by the runs of this file, so that most of them only rank."""
    return tmp_path_factory.mktemp("find")


@pytest.fixture(scope="module")
def home(place: Path) -> Path:
    return place / "home"


@pytest.fixture(scope="module")
def film(place: Path, films: Path) -> Path:
    """Sintel's trailer with its subtitles, under a name that is harder."""
    (place / "in").mkdir()
    for suffix in (".mp4", ".en.srt"):
        shutil.copy(films / f"sintel_trailer_204p{suffix}", place / "in" / f"Sintel's trailer ü{suffix}")
    return place / "in" / "Sintel's trailer ü.mp4"


@pytest.fixture(scope="module")
def first(film: Path, home: Path, place: Path) -> "subprocess.CompletedProcess[str]":
    """The first run on a fresh home: everything is made."""
    (place / "cwd").mkdir()
    return selects("find", film, "--json", *SHORT, home=home, cwd=place / "cwd")


@pytest.fixture(scope="module")
def found(first: "subprocess.CompletedProcess[str]") -> Any:
    assert first.returncode == 0, first.stderr
    return json.loads(first.stdout)


def check(found: Any, min_s: float, max_s: float, inner_ends: bool = False) -> None:
    """What holds of every answer of `find --json`."""
    assert set(found) == {"movie", "profile", "model", "clips"}
    movie, clips = found["movie"], found["clips"]
    assert set(movie) == MOVIE_KEYS
    assert all(set(clip) == CLIP_KEYS for clip in clips)
    assert clips
    assert [clip["rank"] for clip in clips] == list(range(1, len(clips) + 1))
    assert [clip["score"] for clip in clips] == sorted((clip["score"] for clip in clips), reverse=True)
    assert len(movie["cuts_s"]) == movie["shots"] - 1
    assert movie["cuts_s"] == sorted(set(movie["cuts_s"]))
    numerator, denominator = map(int, movie["rate"].split("/"))
    ends = [0.0, *movie["cuts_s"], movie["duration_s"]]
    for clip in clips:
        for edge in ("start", "end"):
            assert clip[f"{edge}_s"] == pytest.approx(clip[f"{edge}_frame"] * denominator / numerator, abs=2e-6)
            assert inner_ends or min(abs(clip[f"{edge}_s"] - end) for end in ends) < 2e-6
        assert min_s - 1e-6 <= clip["end_s"] - clip["start_s"] <= max_s + 1e-6
        assert all(0 <= clip[name] <= 1 for name in ("score", "viral", "compelling"))
        limits = {"compelling": 0.8, "good": 0.6, "medium": 0.4, "low": 0.0}
        assert clip["band"] == next(name for name, least in limits.items() if clip["score"] >= least)
        assert set(clip["explanation"]) >= {"visual", "audio", "faces", "dynamics"}
        assert all(isinstance(value, float) for value in clip["explanation"].values())
        assert clip["reasons"]
        assert all(isinstance(reason, str) and reason for reason in clip["reasons"])
    spans = sorted((clip["start_s"], clip["end_s"]) for clip in clips)
    for (start, end), (next_start, next_end) in itertools.pairwise(spans):
        assert end - next_start <= 0.2 * min(end - start, next_end - next_start) + 1e-6


# --- JSON


def test_the_object_is_the_one_of_the_design(found: Any, film: Path) -> None:
    check(found, 5, 15)
    movie = found["movie"]
    assert movie["path"] == str(film)
    assert re.fullmatch("[0-9a-f]{64}", movie["sha256"])
    assert (movie["rate"], movie["width"], movie["height"]) == ("24/1", 480, 204)
    assert movie["duration_s"] == pytest.approx(1252 / 24, abs=1e-5)
    assert (movie["has_audio"], movie["start_timecode"]) == (True, None)
    assert 10 <= movie["shots"] <= 30
    assert 1 <= movie["scenes"] <= movie["shots"]
    assert (found["profile"], found["model"]) == ("embedded", "prior")
    assert all(clip["file"] is None for clip in found["clips"])
    assert all(clip["score"] == pytest.approx((clip["viral"] + clip["compelling"]) / 2) for clip in found["clips"])


def test_nothing_is_written_but_under_the_home(first: object, place: Path, film: Path, home: Path) -> None:
    assert list((place / "cwd").iterdir()) == []
    assert len(list(film.parent.iterdir())) == 2
    # Networks lie here only where set-up has not put them into the installation.
    assert {path.name for path in home.iterdir()} - {"networks"} == {"checksums.json", "features", "films"}


def test_where_nobody_watches_lines_are_few_and_plain(first: "subprocess.CompletedProcess[str]") -> None:
    assert "\x1b" not in first.stdout + first.stderr
    assert "\r" not in first.stderr
    assert 2 <= len(first.stderr.splitlines()) <= 8


def test_a_second_run_says_the_same_and_writes_csv(
    first: "subprocess.CompletedProcess[str]", found: Any, film: Path, home: Path, tmp_path: Path
) -> None:
    table = tmp_path / "clips.csv"
    second = selects("find", film, "--json", *SHORT, "--csv", table, home=home)
    assert second.stdout == first.stdout
    assert second.stderr == ""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found["clips"])
    for row, clip in zip(rows, found["clips"], strict=True):
        for name in ("rank", "start_s", "end_s", "start_frame", "end_frame", "score", "viral", "compelling"):
            assert float(row[name]) == clip[name]
        assert (row["band"], row["reasons"], row["file"]) == (clip["band"], " ".join(clip["reasons"]), "")


def test_weights_mix_the_scores(found: Any, film: Path, home: Path) -> None:
    weights = ("--weight-viral", "0.9", "--weight-compelling", "0.1")
    mixed = selects_json("find", film, *SHORT, *weights, home=home)
    check(mixed, 5, 15)
    for clip in mixed["clips"]:
        assert clip["score"] == pytest.approx(0.9 * clip["viral"] + 0.1 * clip["compelling"])
    same = {(clip["start_frame"], clip["end_frame"]): clip["viral"] for clip in found["clips"]}
    for clip in mixed["clips"]:
        span = (clip["start_frame"], clip["end_frame"])
        assert clip["viral"] == pytest.approx(same.get(span, clip["viral"]))


def test_the_end_stays_secret(film: Path, home: Path) -> None:
    kept = selects_json("find", film, *SHORT, "--skip-last", "50", home=home)
    check(kept, 5, 15)
    assert max(clip["end_s"] for clip in kept["clips"]) <= kept["movie"]["duration_s"] / 2 + 1e-6


def test_a_film_shorter_than_the_minimum_gives_its_best_with_a_note(film: Path, home: Path) -> None:
    short = selects_json("find", film, home=home)
    check(short, 0.1, 53)
    assert any("less than the 60 s" in warning for warning in short["movie"]["warnings"])


# --- a terminal


def test_a_terminal_gets_a_table(found: Any, film: Path, home: Path) -> None:
    leader, follower = pty.openpty()
    command = [*COMMAND, "find", str(film), *SHORT]
    settings = environment(home, TERM="xterm-256color", COLUMNS="140", LINES="40")
    with subprocess.Popen(command, env=settings, stdin=follower, stdout=follower, stderr=follower) as run:
        os.close(follower)
        told = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            told += part
        assert run.wait() == 0
    os.close(leader)
    text = told.decode()
    assert "\x1b[" in text
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    assert film.name in plain
    assert f"{found['movie']['shots']} shots" in plain
    for clip in found["clips"]:
        assert f"{clip['score']:.2f}" in plain
        assert clip["band"] in plain
    assert "by the prior (relative to this film)" in plain


def test_a_pipe_gets_the_table_without_colours(found: Any, film: Path, home: Path) -> None:
    told = selects("find", film, *SHORT, home=home)
    assert told.returncode == 0
    assert "\x1b" not in told.stdout + told.stderr
    assert all(f"{clip['score']:.2f}" in told.stdout for clip in found["clips"])


def test_a_note_is_one_line_where_nobody_watches(film: Path, home: Path) -> None:
    told = selects("find", film, home=home)
    assert (
        "Note: The film lasts 52.2 s, less than the 60 s asked for: these are shorter clips."
        in told.stderr.splitlines()
    )


# --- files


def test_clips_are_cut_to_the_frame_with_a_report(film: Path, home: Path, tmp_path: Path) -> None:
    """`--for reels` also sets weights, and an upright picture; its lengths are overruled here."""
    folder = tmp_path / "the clips"
    arguments = ("--for", "reels", "--output", folder, "--top-n", "2", *SHORT)
    cut = selects_json("find", film, *arguments, home=home)
    check(cut, 5, 15)
    assert len(cut["clips"]) == 2
    assert {path.name for path in folder.iterdir()} == {Path(c["file"]).name for c in cut["clips"]} | {"report.html"}
    for clip in cut["clips"]:
        assert clip["score"] == pytest.approx(0.75 * clip["viral"] + 0.25 * clip["compelling"])
        made = read_film(Path(clip["file"]))
        assert len(made.numbers) == clip["end_frame"] - clip["start_frame"]
        assert abs(made.width / made.height - 9 / 16) < 0.02
        assert (made.codec, made.audio_codec) == ("h264", "aac")
    report = (folder / "report.html").read_text()
    assert all(Path(clip["file"]).name in report for clip in cut["clips"])
    assert "http://" not in report.replace("http://www.w3.org", "")


def test_a_sample_for_someone_with_no_film(home: Path) -> None:
    found = selects_json("find", "--sample", "--top-n", "3", "--fast", home=home)
    check(found, 60, 120)
    assert len(found["clips"]) == 3
    assert Path(found["movie"]["path"]).is_relative_to(home)


# --- one take


def test_a_film_of_one_take_gives_clips(tmp_path: Path, films: Path, home: Path) -> None:
    """A static camera and people walking by, without sound: inner ends are found."""
    take = tmp_path / "take.mp4"
    run_ffmpeg("-i", films / "people_walking_432p.mp4", "-t", 100, "-c", "copy", take)
    found = selects_json("find", take, "--min-duration", "20", "--max-duration", "40", "--fast", home=home)
    check(found, 20, 40, inner_ends=True)
    assert found["movie"]["shots"] == 1
    assert found["movie"]["has_audio"] is False
    assert len(found["clips"]) >= 2


# --- models


def test_a_trained_model_scores_and_is_named(film: Path, home: Path, found: Any, tmp_path: Path) -> None:
    schema = PROFILES["embedded"].schema
    folder = save_model(tmp_path / "model", state(network(schema.dimension)), schema, "v42", {})
    scored = selects_json("find", film, *SHORT, "--model", folder, home=home)
    check(scored, 5, 15)
    assert scored["model"] == "v42"
    assert [c["compelling"] for c in scored["clips"]] != [c["compelling"] for c in found["clips"]]


def test_a_model_of_other_features_is_refused_before_any_work(film: Path, tmp_path: Path) -> None:
    blocks = PROFILES["embedded"].schema.blocks[1:]
    schema = FeatureSchema("embedded", 1, blocks)
    folder = save_model(tmp_path / "model", state(network(schema.dimension)), schema, "v42", {})
    refused = selects("find", film, "--json", "--model", folder, home=tmp_path / "home")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "The model wants features" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "home" / "films").exists()
