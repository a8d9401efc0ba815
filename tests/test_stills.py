"""Stills of films for labelling: which frames, under which names, and that a run goes on where another stopped."""

import csv
import json
from collections import Counter
from pathlib import Path

import cv2
import pytest

from backend.analysis.stills import INDEX, FramesRequest, read_index, read_picture, write_stills
from backend.errors import InputError
from tests.command import selects
from tests.films import make_film, read_frame_number


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Ten seconds at 25 frames a second; each frame carries its number."""
    return make_film(tmp_path / "Numbered film.mp4", frames=250, clicks_s=None)


def run(film: Path, every_s: float, height: int = 180) -> tuple[int, int]:
    made = write_stills(FramesRequest((film,), film.parent / "stills", every_s, height), film.parent / "home")
    return made.stills, made.written


def test_stills_are_the_frames_that_their_names_say(film: Path) -> None:
    out = film.parent / "stills"
    assert run(film, 2) == (5, 5)
    rows = read_index(out)
    assert [row.frame for row in rows] == [0, 50, 100, 150, 200]
    assert [row.second for row in rows] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert [row.timecode for row in rows] == [f"00:00:0{second}:00" for second in (0, 2, 4, 6, 8)]
    assert rows[1].file.endswith("180p/00-00-02-00_f0000050.jpg")
    assert [read_frame_number(read_picture(out, row)) for row in rows] == [0, 50, 100, 150, 200]


def test_where_the_rate_varies_frames_are_counted(tmp_path: Path) -> None:
    film = make_film(tmp_path / "varying.mp4", frames=100, durations_ms=(20, 60), clicks_s=None)
    run(film, 1)
    rows = read_index(tmp_path / "stills")
    pictures = [read_frame_number(read_picture(tmp_path / "stills", row)) for row in rows]
    assert pictures == [row.frame for row in rows] == [0, 26, 50, 76]
    assert [row.second for row in rows] == pytest.approx([0.0, 1.04, 2.0, 3.04])


def test_the_default_is_a_still_every_eight_seconds(film: Path) -> None:
    done = selects("framing", "frames", film, "--out", film.parent / "stills", home=film.parent / "home")
    assert (done.returncode, done.stdout.split(" stills")[0]) == (0, "2"), done.stderr
    assert [row.frame for row in read_index(film.parent / "stills")] == [0, 200]


def test_a_second_run_does_nothing_and_does_not_open_the_film(film: Path) -> None:
    run(film, 2)
    out = film.parent / "stills"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert run(film, 2) == (5, 0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_stopped_run_goes_on(film: Path) -> None:
    run(film, 2)
    out = film.parent / "stills"
    kept, gone = read_index(out)[1], read_index(out)[3]
    (out / INDEX).unlink()  # as a kill leaves it: pictures, and no table yet
    (out / gone.file).unlink()
    (out / kept.file).write_bytes(b"it is not written again")
    assert run(film, 2) == (5, 1)
    assert (out / kept.file).read_bytes() == b"it is not written again"
    assert read_frame_number(read_picture(out, gone)) == 150


def test_another_spacing_takes_the_place_of_the_first(film: Path) -> None:
    run(film, 2)
    assert run(film, 4) == (3, 0)
    out = film.parent / "stills"
    assert len(list(out.rglob("*.jpg"))) == 3
    assert run(film, 4, height=90) == (3, 3)
    assert {cv2.imread(str(path)).shape for path in out.rglob("*.jpg")} == {(90, 160, 3)}  # type: ignore[union-attr]


def test_two_films_share_a_table(film: Path) -> None:
    other = make_film(film.parent / "other.mp4", frames=120, clicks_s=None, ramp=True)
    run(film, 4)
    run(other, 4)
    assert [(row.title, row.frame) for row in read_index(film.parent / "stills")] == [
        *(("Numbered film", frame) for frame in (0, 100, 200)),
        *(("other", frame) for frame in (0, 100)),
    ]


def test_a_film_that_another_run_adds_meanwhile_stays(film: Path) -> None:
    other = make_film(film.parent / "other.mp4", frames=60, clicks_s=None, ramp=True)
    out = film.parent / "stills"

    def meanwhile(stage: str, _done: float, _total: float) -> None:
        if stage == "decode" and not (out / INDEX).exists():
            run(other, 1)

    write_stills(FramesRequest((film,), out, 4.0, 180), film.parent / "home", lambda *_: meanwhile)
    assert Counter(row.title for row in read_index(out)) == {"Numbered film": 3, "other": 3}


def test_one_of_several_that_is_no_film_is_left_out(film: Path) -> None:
    """By both commands, with its name; where none is a film that is the error."""
    (film.parent / "a broken one.mp4").write_text("this is no film")
    home = film.parent / "home"
    out = selects("framing", "frames", film.parent, "--every", 4, "--out", film.parent / "stills", home=home)
    assert out.returncode == 0, out.stderr
    assert out.stdout.startswith("3 stills of 1 film, 3 of them new")
    assert "'a broken one.mp4'" in out.stderr
    scenes = selects("framing", "scenes", film.parent, "--json", home=home)
    assert "'a broken one.mp4'" in scenes.stderr
    assert [Path(each["movie"]["path"]).name for each in json.loads(scenes.stdout)] == [film.name]
    film.unlink()
    none = selects("framing", "frames", film.parent, "--out", film.parent / "stills", home=home)
    assert (none.returncode, none.stdout) == (2, "")
    assert "'a broken one.mp4'" in none.stderr


@pytest.mark.parametrize("every_s", [0.0, -1.0, 1e-320, float("inf"), float("nan")])
def test_a_spacing_that_is_none_is_refused(film: Path, every_s: float) -> None:
    run(film, 4)
    with pytest.raises(InputError, match="--every takes a number of seconds"):
        run(film, every_s)
    assert len(read_index(film.parent / "stills")) == 3


@pytest.mark.parametrize("file", ["../../secret.jpg", "/etc/secret.jpg"])
def test_a_table_names_no_file_outside_of_its_folder(film: Path, file: str) -> None:
    """Its pictures are shown on a page, and those that are no longer wanted removed."""
    run(film, 2)
    table = film.parent / "stills" / INDEX
    table.write_text(table.read_text().replace(read_index(table.parent)[1].file, file))
    with pytest.raises(InputError, match="outside of the folder"):
        read_index(table.parent)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="selects framing frames FILM"):
        read_index(tmp_path)
    with (tmp_path / INDEX).open("w") as file:
        csv.writer(file).writerows([["film", "frame"], ["a", "b"]])
    with pytest.raises(InputError, match="no table of stills"):
        read_index(tmp_path)
    (tmp_path / INDEX).write_text('film,frame\na,"' + "x" * 200_000)  # a quote that is never closed
    with pytest.raises(InputError, match="no table of stills"):
        read_index(tmp_path)
