"""What all tests share: where the real films are."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from backend.features.base import Extractor
from tests.browser import browser, site  # noqa: F401  fixtures for all
from tests.chance import SUITE
from tests.clustered import library, shelf  # noqa: F401  fixtures for all
from tests.databases import (  # noqa: F401  fixtures for all
    database_url,
    empty_database_url,
    postgresql,
    postgresql_template,
    sqlite_template,
)
from tests.listing import ada  # noqa: F401  a fixture for the lists' tests
from tests.reviewing import film, page, room  # noqa: F401  fixtures for the review page's tests
from tests.service import job_store, service  # noqa: F401  fixtures for all
from tests.sharing import together  # noqa: F401  a fixture for all
from tests.stores import s3, store_address  # noqa: F401  fixtures for all
from tests.vectors import chroma, stock  # noqa: F401  fixtures for all
from tests.workers import house, root  # noqa: F401  fixtures for all

ROOT = Path(__file__).resolve().parent.parent

settings.load_profile(SUITE)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real films and data (SELECTS_TEST_DATA, by default ../shared); skips loudly without it."""
    folder = Path(os.environ.get("SELECTS_TEST_DATA", ROOT.parent / "shared"))
    if not (folder / "films").is_dir():
        pytest.skip(
            f"NO REAL FILMS: {folder} is missing; set SELECTS_TEST_DATA to the folder with films/ and scene_boundaries/"
        )
    return folder


@pytest.fixture(scope="session")
def films(shared_data: Path) -> Path:
    """The folder of real films."""
    return shared_data / "films"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded networks, prepared once for all tests."""
    return tmp_path_factory.mktemp("networks")


@pytest.fixture(scope="session")
def extractor(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Extractor]:
    """Name → loaded extractor; the full profile's have small random checkpoints in the true formats."""
    from backend.features.registry import EXTRACTORS
    from tests import checkpoints

    made: dict[str, Extractor] = {}
    save = {
        "videomae": checkpoints.save_videomae,
        "openclip": checkpoints.save_openclip,
        "facenet": checkpoints.save_facenet,
    }

    def get(name: str) -> Extractor:
        if name not in made:
            weights = save[name](tmp_path_factory.mktemp(name)) if name in save else None
            made[name] = EXTRACTORS[name](weights=weights, cache=cache, offline=True)
            made[name].load()
        return made[name]

    return get
