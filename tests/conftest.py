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
from tests.conversation import conversation, stills  # noqa: F401  fixtures for tests of shot grammar
from tests.databases import (  # noqa: F401  fixtures for all
    database_url,
    empty_database_url,
    postgresql,
    postgresql_template,
    sqlite_template,
)
from tests.extracting import five_titles  # noqa: F401  a fixture for tests of extracting
from tests.listing import ada, cutting, list_page, teaser  # noqa: F401  fixtures for the lists' tests
from tests.models_rows import rows  # noqa: F401  a fixture for tests of pages
from tests.reviewing import film, page, room  # noqa: F401  fixtures for the review page's tests
from tests.service import job_store, service  # noqa: F401  fixtures for all
from tests.sharing import together  # noqa: F401  a fixture for all
from tests.stores import s3, store_address  # noqa: F401  fixtures for all
from tests.vectors import chroma, stock  # noqa: F401  fixtures for all
from tests.workers import house, root  # noqa: F401  fixtures for all

ROOT = Path(__file__).resolve().parent.parent

settings.load_profile(SUITE)


LONGEST = (
    "test_access", "test_reference_align", "test_bad_calls", "test_metric", "test_trainer_fit", "test_pages",
    "test_openapi", "test_review", "test_clusters", "test_review_connection", "test_decisions_out_and_in",
    "test_uploads", "test_clusters_corrections", "test_lists_page", "test_board_looks", "test_ingest_kills", "test_up",
    "test_training_runs", "test_queue", "test_lists", "test_reference_rows", "test_jobs", "test_many_machines",
    "test_ingest", "test_lists_rendering", "test_board_page", "test_clusters_kills", "test_find", "test_weights",
    "test_models_page", "test_live_kills", "test_ingest_ends", "test_clusters_law", "test_paused", "test_catalogue",
    "test_extract", "test_extract_again", "test_house", "test_features", "test_condensed_films", "test_features_full",
    "test_members", "test_gate", "test_bad_input", "test_search", "test_stopped", "test_clusters_jobs",
    "test_references", "test_lists_webhooks", "test_exports_round_trip", "test_framing_service", "test_rendering",
    "test_doctor", "test_index", "test_people_page", "test_alike_page", "test_lists_commands", "test_exports_readers",
)  # fmt: skip
"""Modules that take long, the longest first: the whole suite would wait for one that begins last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))


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
