"""Where peaks keep a clip from the wanted loudness, it comes as near as it can, and no noise is lifted for nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.exports.rendering import RenderOptions, render_list
from tests.films import SAMPLE_RATE_HZ
from tests.rendering import list_of, loudness_of, source_of
from tests.test_rendering import film_with

SECONDS, WANTED = 10, -11.0


def noise(level_db: float) -> NDArray[np.float64]:
    drawn = np.random.default_rng(7).standard_normal(SECONDS * SAMPLE_RATE_HZ)
    return np.asarray(drawn * 10 ** (level_db / 20), np.float64)


def beeps(sound: NDArray[np.float64], starts_s: tuple[float, ...], length_s: float, level_db: float) -> None:
    at_s = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    for start_s in starts_s:
        first = round(start_s * SAMPLE_RATE_HZ)
        sound[first : first + len(at_s)] += np.sin(2000 * np.pi * at_s) * 10 ** (level_db / 20)


def bursts() -> NDArray[np.float64]:
    sound = noise(-45)
    beeps(sound, (1, 3, 5, 7, 9), 0.02, -6)
    return sound


def click() -> NDArray[np.float64]:
    sound = noise(-50)
    beeps(sound, (5,), 0.01, -1)
    return sound


@pytest.mark.parametrize(("made", "least"), [(bursts, -15.8), (click, -18.6)], ids=["bursts", "one click"])
def test_short_peaks_over_near_silence(made: Callable[[], NDArray[np.float64]], least: float, tmp_path: Path) -> None:
    """Peaks held at −2 dBTP hold no more than this: as loud as they are, and the noise does not count."""
    film = film_with(tmp_path / "film", made(), "film")
    options = RenderOptions(loudness=WANTED)
    (clip,) = render_list(list_of(source_of(film), (0, SECONDS * 25)), options, tmp_path / "out")
    assert clip.path, clip.problem
    integrated, peak = loudness_of(clip.path)
    assert least <= integrated <= WANTED + 0.5
    assert peak <= -1
    said = f"It is {integrated:.1f} LUFS loud and not -11 LUFS: its peaks are short".replace("-", "−")
    assert clip.remark.startswith(said.replace(".0 ", " "))
    (again,) = render_list(list_of(source_of(film), (0, SECONDS * 25)), options, tmp_path / "out")
    assert (again.path, again.remark) == (clip.path, clip.remark), "what was made before says it too"


def speech() -> NDArray[np.float64]:
    return noise(-30) * (np.arange(SECONDS * SAMPLE_RATE_HZ) % SAMPLE_RATE_HZ < SAMPLE_RATE_HZ * 0.7)


def hiss() -> NDArray[np.float64]:
    return noise(-66)


def test_only_who_misses_it_is_told(tmp_path: Path) -> None:
    """Nothing is said of a clip that came there, nor where nothing was asked; of silence that it stays."""
    said = {}
    for made in (speech, hiss):
        source = source_of(film_with(tmp_path / made.__name__, made(), made.__name__))
        for wanted in (None, -14.0):
            asked = RenderOptions(loudness=wanted)
            (clip,) = render_list(list_of(source, (0, SECONDS * 25)), asked, tmp_path / "out")
            assert clip.path, clip.problem
            said[made, wanted] = clip.remark
    assert [said[speech, None], said[speech, -14.0], said[hiss, None]] == ["", "", ""]
    assert said[hiss, -14.0] == (
        "It is silent, too quiet or too short to be made −14 LUFS loud; its sound is as the film has it."
    )


def test_peaks_are_held_behind_the_encoder(tmp_path: Path) -> None:
    """Sound that is clipped already: AAC moves its peaks by more than the limiter leaves, so that goes lower."""
    sound = np.clip(noise(-2), -0.5, 0.5) * 2
    sound *= np.sin(np.pi * np.arange(len(sound)) / SAMPLE_RATE_HZ) ** 2
    film = film_with(tmp_path / "film", sound, "film")
    (clip,) = render_list(list_of(source_of(film), (0, SECONDS * 25)), RenderOptions(loudness=-8.0), tmp_path / "out")
    assert clip.path, clip.problem
    integrated, peak = loudness_of(clip.path)
    assert peak <= -1
    assert abs(integrated + 8) <= 1
