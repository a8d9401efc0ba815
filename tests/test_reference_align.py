"""Trailers found in a real film: its own official one, made ones, and those of other films."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from labeling.references.align import align
from labeling.references.footage import Footage
from labeling.references.watching import watch
from tests.command import selects, selects_json
from tests.films import run_ffmpeg
from tests.references import Placed, make_trailer, score

FILM, TRAILER, OTHER = "big_buck_bunny_360p.mp4", "big_buck_bunny_trailer_360p.webm", "sintel_trailer_204p.mp4"
SEEN = (
    (9.08, 11.20, 156.09),
    (13.20, 13.88, 168.96),
    (13.88, 15.00, 157.98),
    (15.00, 16.00, 161.24),
    (16.00, 16.60, 162.68),
    (18.90, 19.88, 316.16),
    (19.88, 20.86, 313.02),
    (20.86, 21.86, 334.62),
    (21.86, 22.92, 350.79),
    (24.92, 26.00, 192.43),
    (26.00, 26.84, 194.93),
    (29.96, 30.20, 195.75),
)
"""The official trailer as seen by eye, frame beside frame: a shot's start and end in it, and its start in the film. The
burrow at 4 to 7 s is in the film too, at 24 to 31 s, but stands still there: no start can be told."""


def part(film: Footage, spans: Iterable[Sequence[int]]) -> Footage:
    """The spans of a film, `[start, end)` in frames, one after another; each is a shot."""
    shots = np.array([(start, end) for start, end in spans])
    ends = np.cumsum(shots[:, 1] - shots[:, 0])
    frames = np.concatenate([np.arange(start, end) for start, end in shots])
    return replace(
        film,
        miniatures=film.miniatures[frames],
        shots=np.stack([np.append(0, ends[:-1]), ends], axis=1),
        timeline=replace(film.timeline, frames=len(frames)),
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def film(films: Path, home: Path) -> Footage:
    return watch(films / FILM, home)


@pytest.fixture(scope="module")
def made(films: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Placed, ...]]:
    path = tmp_path_factory.mktemp("made") / "trailer.mp4"
    return path, make_trailer(path, films / FILM, films / OTHER)


def test_the_official_trailer(film: Footage, films: Path, home: Path) -> None:
    segments = align(film, watch(films / TRAILER, home))
    found = score(segments, tuple(Placed(*shot) for shot in SEEN))
    assert found.wrong == ()
    assert found.worst_s < 0.15
    # Some of its shots come from an earlier render, lit otherwise; one of 0.24 s is too short to be sure of.
    assert len(segments) == 11
    assert found.recall > 0.85
    assert all(0.725 <= segment.confidence <= 1 for segment in segments)


@pytest.mark.parametrize("name", [OTHER, "people_walking_432p.mp4", "faces_stage_360p.mp4"])
def test_other_films_give_nothing(name: str, film: Footage, films: Path, home: Path) -> None:
    assert align(film, watch(films / name, home)) == ()


@pytest.mark.parametrize(
    ("filters", "more", "speed"),
    [
        ("scale=426:240", ("-r", 25, "-crf", 32), 1),
        ("crop=iw*0.85:ih*0.85:iw*0.12:ih*0.02,scale=480:270", (), 1),
        ("scale=640:360,pad=640:480:0:60", (), 1),
        ("crop=640:268,pad=640:360:0:46,eq=brightness=0.12:contrast=1.2", (), 1),
        ("scale=480:270,pad=640:270:80:0,eq=brightness=-0.1:contrast=0.7:gamma=0.7", (), 1),
        # Faster, slower, and at other rates, as television shows films.
        ("setpts=PTS*24/25", ("-r", 25), 25 / 24),
        ("setpts=PTS*1.05", ("-r", 30), 1 / 1.05),
        ("crop=360:360", (), 1),
        ("hue=s=0,noise=alls=18:allf=t", ("-crf", 30), 1),
    ],
    ids=[
        "small-25fps",
        "crop",
        "letterbox",
        "scope-bright",
        "pillar-dark",
        "pal",
        "slow-30fps",
        "square",
        "grey-noise",
    ],
)
def test_made_trailers(
    filters: str,
    more: tuple[str | int, ...],
    speed: float,
    film: Footage,
    made: tuple[Path, tuple[Placed, ...]],
    home: Path,
    tmp_path: Path,
) -> None:
    path, truth = made
    changed = tmp_path / "changed.mp4"
    run_ffmpeg("-i", path, "-vf", filters, "-c:v", "libx264", "-preset", "veryfast", "-crf", 26, *more, changed)
    found = score(align(film, watch(changed, home)), truth, speed)
    assert found.wrong == ()
    assert found.worst_s < 0.2
    assert found.recall > 0.88


def test_mirrored_or_upside_down_is_something_else(
    film: Footage, made: tuple[Path, tuple[Placed, ...]], home: Path
) -> None:
    trailer = watch(made[0], home)
    assert len(align(film, trailer)) > 10
    assert align(film, replace(trailer, miniatures=np.ascontiguousarray(trailer.miniatures[:, :, ::-1]))) == ()
    assert align(film, replace(trailer, miniatures=np.ascontiguousarray(trailer.miniatures[:, ::-1]))) == ()
    # A shot that is nearly the same on both sides of its middle.
    squirrel = part(film, [(9594, 9697)])
    assert len(align(film, squirrel)) == 1
    assert align(film, replace(squirrel, miniatures=np.ascontiguousarray(squirrel.miniatures[:, :, ::-1]))) == ()


def test_a_film_without_these_shots_gives_nothing(film: Footage) -> None:
    """Every other shot of the film looked for among the ones between: same places, same persons, other moments."""
    assert align(part(film, film.shots[::2]), part(film, film.shots[1::2])) == ()


def test_what_the_film_shows_twice_is_no_sure_place(film: Footage) -> None:
    spans = [(4600, 4700), (7500, 7600)]
    assert len(align(film, part(film, spans))) == 2
    twice = part(film, [(0, 9000), (7400, 7700), (9000, 12000)])
    found = align(twice, part(film, spans))
    assert [round(segment.film_start_s * 24 / 100) for segment in found] == [46]


def test_what_stands_still_is_left_out(film: Footage) -> None:
    frames = np.repeat([4650, 7550, 0], 60)
    still = replace(part(film, [(0, 60)] * 3), miniatures=film.miniatures[frames])
    assert align(film, still) == ()


def test_a_cut_between_two_stills_is_no_movement(film: Footage) -> None:
    """One that no shot detector marked; the film has the same cut, between two shots that move."""
    frames = np.repeat([8930, 8980], [3, 41])
    stills = replace(part(film, [(0, len(frames))]), miniatures=film.miniatures[frames])
    assert align(film, stills) == ()
    assert len(align(film, part(film, [(8935, 8979)]))) == 1


@pytest.mark.parametrize(("frames", "found"), [(1, 0), (5, 0), (40, 1)])
def test_films_and_trailers_of_a_few_frames(frames: int, found: int, film: Footage) -> None:
    few, more = part(film, [(4600, 4600 + frames)]), part(film, [(4600, 4700)])
    assert [len(align(*pair)) for pair in ((few, few), (few, more), (more, few))] == [found] * 3


def test_the_command(film: Footage, films: Path, home: Path) -> None:
    """And the film is not decoded again."""
    segments = selects_json("reference", "align", films / FILM, films / TRAILER, home=home)
    assert set(segments[0]) == {"film_start", "film_end", "trailer_start", "trailer_end", "confidence"}
    assert [segment["trailer_start"] for segment in segments] == sorted(s["trailer_start"] for s in segments)
    table = selects("reference", "align", films / FILM, films / TRAILER, home=home)
    assert len(table.stdout.splitlines()) == len(segments)
    assert table.stderr == ""
    nothing = selects("reference", "align", films / FILM, films / OTHER, "--json", home=home)
    assert (nothing.returncode, nothing.stdout) == (0, "[]\n")


@pytest.mark.parametrize("which", [0, 1], ids=["film", "trailer"])
def test_the_command_refuses_in_one_sentence(which: int, films: Path, home: Path) -> None:
    names: list[str | Path] = [films / OTHER, films / OTHER]
    names[which] = films / "astronaut.png"
    refused = selects("reference", "align", *names, "--json", home=home)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[-1] == "selects: Cannot read 'astronaut.png': it is a picture, not a film."
