"""What all tests share: where the real films are."""

import os
from pathlib import Path

import pytest

from tests.databases import (  # noqa: F401  fixtures for all
    database_url,
    empty_database_url,
    postgresql,
    postgresql_template,
    sqlite_template,
)

ROOT = Path(__file__).resolve().parent.parent


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
