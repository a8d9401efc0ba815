"""What priors say of labelled windows is kept: the next snapshot loads only films that were labelled meanwhile."""

import shutil
from pathlib import Path

import numpy as np

from backend.analysis.cache import FilmCache
from backend.resources import Resources
from tests.films import make_film
from tests.workers import Works
from trainer.material.labels import freeze
from trainer.snapshot import read_snapshot


def priors(house: Works, project: int) -> np.ndarray:
    """Of a snapshot as a process makes it that has loaded no film yet."""
    resources = Resources(house.service.resources.settings)
    try:
        return read_snapshot(freeze(resources, project).folder).prior
    finally:
        resources.close()


def test_a_film_is_loaded_for_its_priors_when_its_labels_changed(house: Works, tmp_path: Path) -> None:
    project = house.client.post("/api/projects", json={"name": "Kept priors"}).json()["id"]
    film = make_film(tmp_path / "kept_priors.mp4", 220, cuts=(50, 110, 170), clicks_s=(1, 6))
    movie = house.done(house.upload(film, project=str(project)))
    clips = []
    for start, end in ((0, 110), (50, 170)):
        window = {"start_frame": start, "end_frame": end}
        clips.append(house.client.post(f"/api/movies/{movie}/candidates", json=window).json()["id"])

    def said(at: int, verdict: str) -> None:
        asked = {"candidate": clips[at], "verdict": verdict, "key": f"priors-{at}-{verdict}"}
        assert house.client.post("/api/decisions", json=asked).status_code == 201

    said(0, "approve")
    said(1, "reject")
    before = priors(house, project)
    assert np.isfinite(before).all()
    row = house.movie(movie)
    assert row is not None
    scan = FilmCache(house.home / "films" / (row.sha256 or "")).scan_folder(row.scan_key)
    shutil.move(scan, tmp_path / "scan")
    said(1, "approve")  # the windows are the same: the film is not looked at
    assert priors(house, project).tolist() == before.tolist()
    window = {"start_frame": 110, "end_frame": 220}
    clips.append(house.client.post(f"/api/movies/{movie}/candidates", json=window).json()["id"])
    said(2, "reject")
    assert np.isnan(priors(house, project)).all(), "it is looked at, and its scan is gone"
    shutil.move(tmp_path / "scan", scan)
    again = priors(house, project)
    assert len(again) == 3
    assert np.isfinite(again).all()
    assert set(before.tolist()) < set(again.tolist())
    (kept,) = scan.parent.glob("priors-*.npz")
    kept.write_bytes(b"broken")
    assert priors(house, project).tolist() == again.tolist()
    assert house.client.delete(f"/api/movies/{movie}").status_code == 204
