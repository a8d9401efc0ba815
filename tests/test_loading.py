"""Before a film is decoded: the checksum of a large file must not keep a person from what is wrong at once."""

import os
from pathlib import Path

import pytest

from backend.analysis.film import analyse
from backend.analysis.find import FindRequest, find
from backend.analysis.request import AnalysisRequest
from backend.errors import MissingWeights
from backend.features.registry import EXTRACTORS
from backend.features.schema import Block, FeatureSchema
from tests.films import make_film

LARGE_BYTES = 16 << 30
"""And no disk: a file with a hole."""
READ = Path("/proc/self/io")


class Counted(EXTRACTORS["colour"]):  # type: ignore[misc]
    """Mean colours; notes how often it was loaded."""

    loaded = 0

    def load(self) -> None:
        self.loaded += 1


def read_bytes() -> int:
    """How much this process has read, from whatever."""
    return int(READ.read_text().partition("rchar: ")[2].split()[0])


@pytest.mark.skipif(not READ.exists(), reason="needs /proc")
def test_missing_weights_do_not_wait_for_the_checksum(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, clicks_s=None, extra=("-movflags", "+faststart"))
    os.truncate(film, LARGE_BYTES)
    request = FindRequest(film=film, home=tmp_path / "home", profile="full", model_paths={"videomae": tmp_path / "no"})
    before = read_bytes()
    with pytest.raises(MissingWeights, match="VideoMAE"):
        find(request)
    assert read_bytes() - before < LARGE_BYTES / 100
    assert not (tmp_path / "home").exists()


def test_models_are_loaded_once_for_a_new_film_and_not_for_a_known_one(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", frames=30, clicks_s=None)
    schema = FeatureSchema("small", 1, (Block(Counted.block, Counted.dimension, Counted.name),))
    for times in (1, 0):
        colour = Counted()
        analyse(AnalysisRequest(film, tmp_path / "home", schema, {Counted.name: colour}))
        assert colour.loaded == times
