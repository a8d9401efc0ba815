"""Before a film is decoded: the checksum of a large file must not keep a person from what is wrong at once."""

import os
import time
from pathlib import Path

import pytest

from backend.analysis.film import analyse
from backend.analysis.find import FindRequest, find
from backend.analysis.request import AnalysisRequest
from backend.errors import MissingWeights
from backend.features.registry import EXTRACTORS
from backend.features.schema import Block, FeatureSchema
from tests.films import make_film

SUMMED_IN_SECONDS = 16 << 30
"""Bytes, and no disk: a file with a hole."""


class Counted(EXTRACTORS["colour"]):  # type: ignore[misc]
    """Mean colours; notes how often it was loaded."""

    loaded = 0

    def load(self) -> None:
        self.loaded += 1


def test_missing_weights_do_not_wait_for_the_checksum(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, clicks_s=None, extra=("-movflags", "+faststart"))
    os.truncate(film, SUMMED_IN_SECONDS)
    request = FindRequest(film=film, home=tmp_path / "home", profile="full", model_paths={"videomae": tmp_path / "no"})
    start = time.monotonic()
    with pytest.raises(MissingWeights, match="VideoMAE"):
        find(request)
    assert time.monotonic() - start < 3
    assert not (tmp_path / "home").exists()


def test_models_are_loaded_once_for_a_new_film_and_not_for_a_known_one(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, clicks_s=None)
    schema = FeatureSchema("small", 1, (Block(Counted.block, Counted.dimension, Counted.name),))
    for times in (1, 0):
        colour = Counted()
        analyse(AnalysisRequest(film, tmp_path / "home", schema, {Counted.name: colour}))
        assert colour.loaded == times
