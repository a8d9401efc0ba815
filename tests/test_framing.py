"""Upright clips of a list look where the film's analysis saw something, read back from what was stored of it."""

from pathlib import Path

import numpy as np
import pytest

from backend.analysis.cache import FilmCache, save_scan
from backend.analysis.framing import sights, stored_framing
from backend.analysis.pictures import write_pictures
from backend.exports.rendering import RenderOptions, render_list
from backend.features.base import Extracted, FaceBox
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.files import folder_atomically
from backend.media.probe import probe_film
from backend.media.scan import ScanRequest, scan_film
from tests.rendering import list_of, source_of
from tests.test_crop import PLACES, lively_film
from tests.test_rendering import frames_of

KEY, INPUTS = "some-key", "0123456789abcdef"
UPRIGHT = RenderOptions("reels", handles=10)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disc that goes from the left to the right and back, ten seconds."""
    return lively_film(tmp_path_factory.mktemp("film") / "film.mp4", PLACES["there and back"])


@pytest.fixture
def home(film: Path, tmp_path: Path) -> Path:
    """What an analysis keeps of it: the scan with its pictures."""
    cache = FilmCache(tmp_path / "films" / film.stem)
    with folder_atomically(cache.scan_folder(KEY)) as folder:
        save_scan(folder, scan_film(probe_film(film), ScanRequest(), lambda shot: write_pictures(folder, shot)))
    return tmp_path


def test_what_moves_stays_in_the_picture(film: Path, home: Path) -> None:
    """The clip begins in the middle of the film, with handles: the window's clock is the clip's."""
    asked = list_of(source_of(film), (100, 190))
    framing = stored_framing(home, {film.stem: (KEY, {})})
    (made,) = render_list(asked, UPRIGHT, home / "out", framing)
    assert made.path, made.problem
    pictures = frames_of(made.path)
    assert pictures.shape == (110, 180, 102)
    disc = (pictures > 180).sum(axis=(1, 2))
    assert disc.min() > 0.85 * np.median(disc)
    (middle,) = render_list(asked, UPRIGHT, home / "out")
    assert middle.path != made.path
    assert middle.path
    assert (frames_of(middle.path) > 180).sum(axis=(1, 2)).min() < 0.5 * np.median(disc), "the middle would lose it"


def test_faces_come_first(film: Path, home: Path) -> None:
    boxes = tuple(FaceBox(frame, 0.05, 0.3, 0.1, 0.2, 0.99, None) for frame in range(0, 250, 25))
    extractor = EXTRACTORS["faces"]
    found = Extracted(np.zeros((1, extractor.dimension), np.float32), (boxes,))
    FeatureStore(home / "features").put(film.stem, extractor, found, inputs=INPUTS)
    framing = stored_framing(home, {film.stem: (KEY, {"faces": INPUTS, "colour": INPUTS})})
    clip = list_of(source_of(film), (0, 250)).clips[0]
    path = framing(clip, 0, 250, "reels")
    assert path is not None
    assert np.ptp(path.x) == 0
    scan = FilmCache(home / "films" / film.stem).load_scan(KEY)
    assert scan is not None
    assert sights(scan, {"faces": found}, home).faces.x == pytest.approx([0.1] * 10)


def test_what_is_gone_leaves_the_middle(film: Path, home: Path) -> None:
    clip = list_of(source_of(film), (0, 250)).clips[0]
    assert stored_framing(home, {})(clip, 0, 250, "reels") is None
    assert stored_framing(home, {film.stem: ("another", {})})(clip, 0, 250, "reels") is None
    for picture in (home / "films").rglob("*.jpg"):
        picture.unlink()
    assert stored_framing(home, {film.stem: (KEY, {})})(clip, 0, 250, "reels") is not None
