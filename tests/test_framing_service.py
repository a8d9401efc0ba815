"""Upright clips of a film that the service has analysed look where its faces are, and stand still."""

import shutil
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from backend.analysis.framing import stored_sights
from labeling.lists.rendered import folder_of
from tests.workers import Works


def greys(film: Path, first: int, count: int) -> NDArray[np.float64]:
    """So many frames [n, height, width]."""
    with av.open(str(film)) as container:
        frames = (frame.to_ndarray(format="gray") for frame in container.decode(video=0))
        return np.array([frame for n, frame in enumerate(frames) if first <= n < first + count], np.float64)


def left_edge(window: NDArray[np.float64], whole: NDArray[np.float64]) -> int:
    """Where in the picture the window was cut out."""
    width = window.shape[1]
    return int(np.argmin([np.abs(whole[:, x : x + width] - window).mean() for x in range(whole.shape[1] - width + 1)]))


def test_the_window_is_on_the_faces_and_stands_still(house: Works, root: Path, films: Path) -> None:
    film = root / "faces_stage_360p.mp4"
    shutil.copy(films / film.name, film)
    movie = house.movie(house.done(house.add(film)))
    assert movie is not None
    seen = stored_sights(house.home, movie.sha256 or "", movie.scan_key, movie.vectors)
    assert seen is not None
    assert len(seen.faces.x) > 0
    start, end = 10, movie.frames - 10
    made = house.client.post("/api/lists", json={"name": "Faces", "project": house.project}).json()["id"]
    clip = {"movie": movie.id, "start_frame": start, "end_frame": end}
    assert house.client.post(f"/api/lists/{made}/entries", json={"entries": [clip]}).status_code == 201
    before = set(folder_of(house.home).glob("*.mp4"))
    job = house.ended(house.client.post(f"/api/lists/{made}/render", json={"shape": "reels"}).json()["id"])
    assert (job.state, job.note) == ("done", ""), job.problem
    [path] = set(folder_of(house.home).glob("*.mp4")) - before
    step = 12
    cut, whole = greys(path, 0, end - start), greys(film, start, end - start)
    assert cut.shape[0] == end - start
    edges = np.array([left_edge(cut[n], whole[n]) for n in range(0, len(cut), step)])
    width, wide = cut.shape[2], whole.shape[2]
    shown_s = np.arange(start, end) / float(seen.scan.timeline.rate)
    at = np.array([np.argmin(np.abs(shown_s - second)) for second in seen.faces.seconds])
    left = edges[np.minimum(at // step, len(edges) - 1)]
    held = (seen.faces.x * wide > left) & (seen.faces.x * wide < left + width)
    assert np.average(held, weights=seen.faces.weight) > 0.6
    assert abs(float(edges.mean()) - (wide - width) / 2) > 3, "the middle would do as well: this film shows nothing"
    cuts = {(int(shot) - start - 1) // step for shot in seen.scan.shots[:, 0] if start < shot < end}
    moves = np.abs(np.diff(edges))[[n not in cuts for n in range(len(edges) - 1)]]
    assert moves.max(initial=0) <= 0.02 * wide, moves
