"""How much each score counts, and lengths and formats: options before presets before settings."""

import dataclasses

import pytest

from backend.errors import InputError, UnknownName
from backend.scoring import presets
from backend.scoring.ensemble import Weights, shape, weights


def test_weights_come_from_option_then_content_then_genre_then_settings():
    asked = {"content": "reels", "genre": "drama", "settings": (0.1, 0.9)}
    assert weights(0.9, **asked) == Weights(0.9, 1 - 0.9)
    assert weights(None, 0.9, **asked).viral == pytest.approx(0.1)
    assert weights(**asked).viral == 0.75
    assert weights(**{**asked, "content": None}).viral == 0.3
    assert weights(settings=(0.1, 0.9)).viral == 0.1
    assert weights() == Weights(0.5, 0.5)


TABLE = {
    "reels": 0.75, "shorts": 0.7, "tiktok": 0.8, "trailer": 0.5, "tv-spot": 0.5, "festival": 0.25, "educational": 0.3,
    "action": 0.6, "drama": 0.3, "comedy": 0.7, "horror": 0.5, "romance": 0.4, "thriller": 0.5, "sci-fi": 0.6,
}  # fmt: skip


@pytest.mark.parametrize(("name", "viral"), TABLE.items(), ids=TABLE)
def test_presets_are_the_published_ones(name, viral):
    found = weights(content=name) if name in presets.CONTENT else weights(genre=name)
    assert (found.viral, found.compelling) == (viral, pytest.approx(1 - viral))
    assert set(TABLE) == {*presets.CONTENT, *presets.GENRES}


@pytest.mark.parametrize("name", ["Science Fiction", "SCI-FI", "sci_fi", "SciFi", "science-fiction"])
def test_a_genre_is_known_however_it_is_written(name):
    assert weights(genre=name).viral == 0.6


@pytest.mark.parametrize(
    "wrong",
    [
        {"viral": 1.1},
        {"viral": -0.1},
        {"compelling": float("nan")},
        {"viral": 0.5, "compelling": 0.6},
        {"settings": (2, 3)},
    ],
)
def test_impossible_weights_are_refused(wrong):
    with pytest.raises(InputError):
        weights(**wrong)


@pytest.mark.parametrize("wrong", [{"content": "vine"}, {"genre": "opera"}, {"viral": 0.5, "content": "vine"}])
def test_unknown_names_are_refused_with_the_known_ones(wrong):
    with pytest.raises(UnknownName, match=r"known: .*(tiktok|thriller)"):
        weights(**wrong)


def test_content_sets_length_and_format_unless_given():
    assert dataclasses.astuple(shape("reels")) == (30, 60, "reels")
    assert dataclasses.astuple(shape("trailer")) == (90, 150, "original")
    assert dataclasses.astuple(shape("festival")) == (60, 150, "original")
    assert dataclasses.astuple(shape()) == (60, 120, "original")
    assert dataclasses.astuple(shape("tiktok", 10, None, "square")) == (10, 60, "square")
