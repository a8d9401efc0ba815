"""The measures of alignment on plain arrays: sums along diagonals, details, bars, windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labeling.references.cuts import plain_name
from labeling.references.footage import Box, descriptors, find_bars
from labeling.references.likeness import Runs, compare, compare_details

Miniatures = NDArray[np.uint8]


def texture(seed: int, frames: int) -> NDArray[np.float64]:
    """Cells of noise that change from frame to frame."""
    return np.random.default_rng(seed).normal(0, 1, (frames, 9, 16))


def soft(frames: int) -> NDArray[np.float64]:
    """A ramp that turns slowly."""
    y, x = np.mgrid[-1:1:9j, -1:1:16j]
    turn = np.linspace(0, 1, frames)[:, None, None]
    return 128 + 80 * (x * np.cos(turn) + y * np.sin(turn))


def miniatures(light: NDArray[np.float64]) -> Miniatures:
    return np.clip(light, 0, 255).astype(np.uint8)


@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 1000))
def test_sums_along_diagonals_are_what_comparing_one_by_one_gives(length: int, step: int, seed: int) -> None:
    film, shot = (descriptors(miniatures(128 + 40 * texture(seed + i, n)), Box()) for i, n in ((0, 40), (1, 15)))
    found = Runs(film).compare(shot, length, step)
    windows = film[np.arange(len(film) - length + 1)[:, None] + np.arange(length)]
    for row, first in enumerate(range(0, len(shot) - length + 1, step)):
        wanted = compare(shot[first : first + length], windows)
        assert found.picture[row] == pytest.approx(wanted.picture, abs=1e-5)
        assert found.movement[row] == pytest.approx(wanted.movement, abs=1e-3)
    assert len(found.picture) == row + 1


def test_light_and_contrast_do_not_count() -> None:
    shown = 128 + 20 * texture(3, 20)
    one, two = (descriptors(miniatures(light), Box()) for light in (shown, 0.6 * shown - 20))
    alike = compare(one, two)
    assert min(float(alike.picture), float(alike.movement)) > 0.99


def test_soft_shapes_are_alike_and_their_details_are_not() -> None:
    one, two = (descriptors(miniatures(soft(24) + 2 * texture(seed, 24)), Box()) for seed in (1, 2))
    alike = compare(one, two)
    assert min(float(alike.picture), float(alike.movement)) > 0.9
    assert min(compare_details(one, two)) < 0.2
    assert min(compare_details(one, one)) == pytest.approx(1)


def test_plain_pictures_are_like_nothing() -> None:
    plain = descriptors(miniatures(np.full((5, 9, 16), 40.0) + 0.8 * texture(1, 5)), Box())
    assert float(np.abs(compare(plain, plain).picture)) < 0.2


def test_a_window_of_a_soft_picture_is_its_part() -> None:
    y, x = np.mgrid[0:1:90j, 0:1:160j]
    whole = 128 + 60 * np.sin(6 * x) * np.cos(4 * y)
    part = whole[9:81, 32:144]
    small = [
        picture.reshape(9, picture.shape[0] // 9, 16, picture.shape[1] // 16).mean(axis=(1, 3))
        for picture in (whole, part)
    ]
    inside = descriptors(miniatures(small[0][None]), Box(0.1, 0.9, 0.2, 0.9))
    assert float(compare(inside, descriptors(miniatures(small[1][None]), Box())).picture) > 0.995


def picture(top: int, bottom: int, side: int, light: int = 120) -> Miniatures:
    """A bright picture, 180 x 320, with black bars of these heights and widths."""
    made = np.full((180, 320, 3), light, np.uint8)
    made[:top], made[180 - bottom :], made[:, :side], made[:, 320 - side :] = 3, 3, 3, 3
    return made


def test_bars_are_those_of_most_pictures() -> None:
    bars, card, dark = picture(23, 23, 0), picture(0, 0, 0, 255), picture(0, 0, 0, 5)
    assert find_bars([bars, bars, card, bars, dark, dark, dark, dark]) == Box(23 / 180, 1 - 23 / 180, 0, 1)
    assert find_bars([picture(0, 0, 40)]) == Box(0, 1, 0.125, 0.875)
    # Dark at one side only: a floor, a wall.
    assert find_bars([picture(60, 0, 0)]) == Box()
    assert find_bars([dark]) == find_bars([]) == Box()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Feature.MOV", "feature"),
        ("file:///media/My%20Film.v2.mov", "my film.v2"),
        ("C:\\media\\Feature.mxf", "feature"),
        ("", ""),
    ],
)
def test_names_of_sources(name: str, plain: str) -> None:
    assert plain_name(name) == plain
