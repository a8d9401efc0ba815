"""Titles of every kind, and `selects features extract` over them."""

import csv
from pathlib import Path
from typing import Any

import pytest

from backend.analysis.catalogue.extract import Extraction, Request, extract
from backend.analysis.catalogue.outputs import Format
from tests.material import smooth_picture


@pytest.fixture
def five_titles(tmp_path: Path, films: Path) -> Path:
    """Five titles: two whole ones, one with a broken poster, one with nothing, one whose files are missing."""
    from PIL import Image

    for name, seed in (("1", 1), ("2", 2)):
        Image.fromarray(smooth_picture(seed, 300, 200)).save(tmp_path / f"{name}.jpg", quality=95)
    (tmp_path / "3.jpg").write_bytes((tmp_path / "1.jpg").read_bytes()[:2000])
    trailer = films / "sintel_trailer_204p.mp4"
    rows = [
        {"id": 1, "plot": "A girl searches for a dragon.", "poster": "1.jpg", "trailer": str(trailer), "film": ""},
        {"id": 2, "plot": "A rabbit takes revenge.", "poster": "2.jpg", "trailer": "", "film": "silent.mp4"},
        {"id": 3, "plot": "Broken.", "poster": "3.jpg", "trailer": "nowhere.mp4", "film": ""},
        {"id": 4, "plot": "  ", "poster": "", "trailer": "", "film": ""},
        {"id": "tt/5", "plot": "Long ago.", "poster": "nowhere.jpg", "trailer": "1.jpg", "film": ""},
    ]
    (tmp_path / "silent.mp4").symlink_to(films / "people_walking_432p.mp4")
    with (tmp_path / "titles.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return tmp_path


def extracted(
    five_titles: Path, cache: Path, modality: Any, model: str, kind: str = "json", **changes: Any
) -> Extraction:
    source = changes.pop("source", five_titles / "titles.csv")
    out = changes.pop("out", five_titles / "out")
    request = Request(modality, model, source, out, Format(kind), **changes)
    return extract(request, paths={}, cache=cache, offline=True)


def reasons(out: Path) -> dict[str, str]:
    with (out / "skipped.csv").open() as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def files(out: Path) -> set[str]:
    return {path.name for path in out.iterdir() if not path.name.startswith(".")}
