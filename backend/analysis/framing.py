"""Where upright and square clips look, from what is known of a film: its faces, what moves in it, where detail is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from backend.analysis.cache import FilmCache
from backend.analysis.pictures import read_pictures
from backend.analysis.request import FACE_EXTRACTORS
from backend.exports.base import Clip
from backend.exports.rendering import Framing
from backend.features.base import Extracted
from backend.features.registry import EXTRACTORS
from backend.features.store import FeatureStore
from backend.media.crop import CropPath, plan_crop, window_share
from backend.media.salience import Miniatures, Points, salient_x
from backend.media.scan import Scan
from backend.media.source import read_source
from backend.store.media import present

KEPT = 4

Stored = tuple[str, Mapping[str, str]]
"""Of a film: which scan, and extractor → inputs of its feature file (`Movie.scan_key`, `Movie.vectors`)."""


@dataclass(frozen=True)
class Sights:
    """What there is to see in a film: its scan, its faces (over the film's seconds), the folder of its keyframes."""

    scan: Scan
    faces: Points
    pictures: Path


def sights(scan: Scan, features: Mapping[str, Extracted], pictures: Path) -> Sights:
    """What an analysis has found to look at."""
    return Sights(scan, _points(_faces(scan, features)), pictures)


def stored_sights(home: Path, sha256: str, scan_key: str, vectors: Mapping[str, str]) -> Sights | None:
    """What the last analysis has found, as `stored_film` is given it; None where its scan is gone."""
    cache, store = FilmCache(home / "films" / sha256), FeatureStore(home / "features")
    if (scan := cache.load_scan(scan_key)) is None:
        return None
    found = {
        name: store.get(sha256, EXTRACTORS[name], inputs=vectors[name]) for name in FACE_EXTRACTORS if name in vectors
    }
    kept = {name: faces for name, faces in found.items() if faces is not None}
    return sights(scan, kept, cache.stored_scan(scan_key))


def stored_framing(home: Path, films: Mapping[str, Stored]) -> Framing:
    """Framing for `render_list`, by what is stored of `films` (by checksum); the middle where that is gone."""

    @lru_cache(KEPT)
    def known(sha256: str, path: str) -> tuple[Sights | None, tuple[int, int]]:
        source = read_source(present(Path(path)))
        return stored_sights(home, sha256, *films[sha256]), (source.width, source.height)

    def framing(clip: Clip, start_frame: int, end_frame: int, shape: str) -> CropPath | None:
        if clip.source.sha256 not in films:
            return None
        seen, size = known(clip.source.sha256, clip.source.path)
        return crop_path(seen, size, shape, start_frame, end_frame) if seen else None

    return framing


def crop_path(seen: Sights, size: tuple[int, int], shape: str, start_frame: int, end_frame: int) -> CropPath:
    """Where the window lies over frames [start_frame, end_frame): on the faces of the shots' keyframes, else on what
    moves, else on their detail. `size` is the film's as displayed.
    """
    line = seen.scan.timeline
    return plan_crop(
        seen.faces,
        line.seconds_of(seen.scan.shots[:, 0]),
        line.seconds(start_frame),
        line.seconds(end_frame),
        window_share(*size, shape),
        _points(_details(seen, start_frame, end_frame)),
        _miniatures(seen.scan, start_frame, end_frame),
    )


def _miniatures(scan: Scan, start_frame: int, end_frame: int) -> Miniatures:
    frames = np.arange(start_frame, end_frame)
    turns = round(scan.rotation_degrees / 90) % 4
    return Miniatures(scan.timeline.seconds_of(frames), np.rot90(scan.fingerprints[frames], turns, axes=(1, 2)))


def _points(found: Iterator[tuple[float, float, float]]) -> Points:
    rows = np.array(list(found), np.float64).reshape(-1, 3)
    return Points(rows[:, 0], rows[:, 1], rows[:, 2])


def _faces(scan: Scan, features: Mapping[str, Extracted]) -> Iterator[tuple[float, float, float]]:
    for name in FACE_EXTRACTORS:
        if name in features:
            for shot in features[name].faces:
                yield from ((scan.timeline.seconds(f.frame), f.x + f.width / 2, f.width * f.height) for f in shot)


def _details(seen: Sights, start_frame: int, end_frame: int) -> Iterator[tuple[float, float, float]]:
    scan = seen.scan
    for index, (start, end) in enumerate(scan.shots):
        if start < end_frame and end > start_frame:
            try:
                shot = read_pictures(seen.pictures, index, scan.keyframes[index], 0)
            except OSError:  # a lost picture costs a better frame, not the clip
                continue
            for frame, image in zip(shot.keyframe_at, shot.keyframes, strict=True):
                yield scan.timeline.seconds(frame), salient_x(image), 1.0
