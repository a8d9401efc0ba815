"""Titles over a moving picture: found near a film's start and end, in real films and drawn over them; nowhere else."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from backend.media.titles import TitleSpotter, text_lines
from tests.films import run_ffmpeg
from tests.test_bands import LIVE, LIVELY, bands, join, look, words

RATE = 10
SIZE = (320, 180)


def lettering(path: Path, colour: int, top: int) -> Path:
    """A see-through picture, 320 x 180, with two lines of something like words that start at `top`."""
    page = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    lines = words(4, 4, SIZE[0])[: SIZE[1] - top]
    page[top : top + len(lines)] = np.where(lines[:, :, None] > 0, (colour, colour, colour, 255), 0)
    cv2.imwrite(str(path), page)
    return path


def with_words(path: Path, film: Path, page: Path, *spans_s: tuple[float, float]) -> Path:
    """`film` with the lettering faded in and out over each of the spans."""
    layers, inputs, last = "", [], "0:v"
    for number, (start_s, end_s) in enumerate(spans_s, start=1):
        inputs += ["-loop", 1, "-t", end_s, "-r", RATE, "-i", page]
        fades = f"fade=in:st={start_s}:d=0.5:alpha=1,fade=out:st={end_s - 0.5}:d=0.5:alpha=1"
        layers += f"[{number}]format=rgba,{fades}[w{number}];[{last}][w{number}]overlay=eof_action=pass[v{number}];"
        last = f"v{number}"
    run_ffmpeg("-i", film, *inputs, "-filter_complex", layers[:-1], "-map", f"[{last}]", "-preset", "ultrafast", path)
    return path


@pytest.mark.parametrize("colour", [255, 0], ids=["white", "black"])
def test_a_title_over_a_moving_picture(tmp_path: Path, colour: int) -> None:
    """Near the start and near the end; what is written over the middle belongs to the story."""
    film = join(tmp_path / "film.mkv", (LIVE, 30), (LIVELY, 30), (LIVE, 40))
    page = lettering(tmp_path / "words.png", colour, 60)
    found = bands(with_words(tmp_path / "titled.mkv", film, page, (6, 10), (66, 70), (90, 94)))["title"]
    assert len(found) == 2
    for (start, end), (begins, ends) in zip(found, [(6, 10), (90, 94)], strict=True):
        assert begins - 3 <= start <= begins + 0.6
        assert ends - 0.6 <= end <= ends + 3
    assert bands(film)["title"] == []


def test_subtitles_are_no_titles(tmp_path: Path) -> None:
    film = join(tmp_path / "film.mkv", (LIVE, 30), (LIVELY, 30), (LIVE, 40))
    page = lettering(tmp_path / "words.png", 255, 140)
    assert bands(with_words(tmp_path / "titled.mkv", film, page, (3, 6), (8, 11), (90, 93)))["title"] == []


def test_a_sign_that_stands_in_a_shot_is_no_title(tmp_path: Path) -> None:
    """What is there from cut to cut is part of the scene."""
    page = lettering(tmp_path / "words.png", 255, 60)
    sign = tmp_path / "sign.mkv"
    over = ["-f", "lavfi", "-i", "color=0x406040:s=320x180:r=10", "-i", page, "-filter_complex", "overlay"]
    run_ffmpeg(*over, "-t", 6, "-preset", "ultrafast", sign)
    assert bands(join(tmp_path / "film.mkv", (LIVE, 5), (sign, 6), (LIVELY, 50)))["title"] == []


def test_words_that_outlast_a_cut(tmp_path: Path) -> None:
    film = join(tmp_path / "film.mkv", (LIVE, 6), (LIVELY, 60))
    found = bands(with_words(tmp_path / "t.mkv", film, lettering(tmp_path / "words.png", 255, 60), (4, 8)))["title"]
    assert len(found) == 1
    assert found[0][0] <= 4.6
    assert found[0][1] >= 7.4


def test_the_opening_title_of_a_real_film(tmp_path: Path, films: Path) -> None:
    """Big Buck Bunny: one title from 20.4 to 23.1 s over the sky, the other from 25.4 to 29.6 s over a meadow."""
    start = tmp_path / "start.mp4"
    run_ffmpeg("-i", films / "big_buck_bunny_360p.mp4", "-t", 150, "-an", "-c", "copy", start)
    (first, last), *more = (look(start).titles / 24).tolist()
    assert more == []
    assert 17 < first <= 20.6
    assert 29.2 <= last < 32


def test_the_closing_title_of_a_trailer(films: Path) -> None:
    """Sintel: its name comes in from 40.2 s on, over dunes; nothing is written over a picture before."""
    found = bands(films / "sintel_trailer_204p.mp4")["title"]
    assert [end for start, end in found if start < 38] == []
    assert min(start for start, _ in found) <= 40.3


def test_people_walking_are_no_title(films: Path) -> None:
    assert look(films / "people_walking_432p.mp4").titles.tolist() == []


def test_lines_of_text_are_told_from_other_edges() -> None:
    page = np.pad(words(2, 4, 280), ((40, 52), (20, 20)))
    rising, falling = cv2.subtract(page[:, 2:], page[:, :-2]), cv2.subtract(page[:, :-2], page[:, 2:])
    found = list(text_lines(rising, falling))
    assert len(found) == 2
    assert [abs(y - top) <= 2 for (_, y, _), top in zip(sorted(found, key=lambda b: b[1]), (46, 90), strict=True)]
    noise = np.random.default_rng(0).integers(0, 255, (180, 318), np.uint8)
    for nothing in (noise, np.zeros_like(noise)):
        assert list(text_lines(cv2.compare(nothing, 200, cv2.CMP_GT), cv2.compare(nothing, 55, cv2.CMP_LT))) == []


def test_a_gap_in_the_pictures_is_no_event() -> None:
    """Between the film's start and its end no pictures are looked at: the two are not compared."""
    spotter = TitleSpotter(Fraction(RATE))
    plain = np.full((180, 320, 3), 90, np.uint8)
    page = np.repeat(np.pad(words(2, 4, 280), ((40, 52), (20, 20)))[:, :, None], 3, axis=2)
    for number in (0, 5, 10, 15, 20):
        spotter.look(number, plain)
    for number in (500, 505, 510, 515, 520, 525, 530):
        spotter.look(number, page)
    assert spotter.titles([]).tolist() == []


@pytest.mark.parametrize("shapes", [[(2, 320)], [(320, 4)], [(180, 320), (320, 180)]], ids=["flat", "thin", "turned"])
def test_pictures_of_odd_shapes(shapes: list[tuple[int, int]]) -> None:
    """Of a very wide film, a very high one, and one that is turned on the way."""
    spotter, rng = TitleSpotter(Fraction(RATE)), np.random.default_rng(1)
    for number in range(0, 100, 5):
        height, width = shapes[number * len(shapes) // 100]
        spotter.look(number, rng.integers(0, 255, (height, width, 3), np.uint8))
    assert spotter.titles([]).tolist() == []
