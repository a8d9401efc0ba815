"""From a file to footage: through the one decode pass, or what an earlier analysis has kept of it."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache
from backend.analysis.film import cache_of
from backend.analysis.looking import look
from backend.analysis.pictures import keyframe_path
from backend.analysis.progress import Progress, silent
from backend.analysis.request import CLIP_FRAMES, AnalysisRequest
from backend.features.registry import profile_named
from backend.features.store import digest
from backend.media.probe import probe_film
from backend.media.scan import Scan
from backend.media.shots import DETECTORS
from labeling.references.footage import WHOLE, Footage, find_bars

PICTURES = 40
"""So many keyframes, spread over the film, show whether it has bars."""


def watch(path: Path, home: Path, progress: Progress = silent) -> Footage:
    """A film or trailer as alignment wants it; raises FilmUnreadable, OutputError where the cache cannot be written.

    Any whole scan that an earlier analysis has kept will do. One made here is the one that `find` would make.
    """
    probe, cache = probe_film(path), cache_of(path, home, progress)
    aspect = probe.width / probe.height
    kept = stored(cache, aspect)
    if kept is not None:
        return kept
    request = AnalysisRequest(path=path, home=home, schema=profile_named("embedded").schema, extractors={})
    return footage(look(request, probe, cache, None, progress).scan, aspect, cache, request.scan_key)


def stored(cache: FilmCache, aspect: float) -> Footage | None:
    """The same from what is kept, without the film's file; None where no whole scan is there.

    aspect  width by height of the stored picture, in pixels
    """
    for key in _keys():
        scan = cache.load_scan(key)
        if scan is not None:
            return footage(scan, aspect, cache, key)
    return None


def footage(scan: Scan, aspect: float, cache: FilmCache, scan_key: str) -> Footage:
    """The footage of a film that was scanned."""
    whole = Footage(scan.fingerprints, scan.shots, scan.timeline, WHOLE, aspect)
    # Stored pictures are turned upright, miniatures are not.
    if scan.rotation_degrees:
        return whole
    return replace(whole, box=find_bars(_pictures(scan, cache.scan_folder(scan_key))))


def _keys() -> list[str]:
    """Scans in which every frame was decoded: `--fast` has mixtures where nothing can be seen to move."""
    return [digest(detector, False, clip_frames) for clip_frames in (0, CLIP_FRAMES) for detector in DETECTORS]


def _pictures(scan: Scan, folder: Path) -> list[NDArray[np.uint8]]:
    """One keyframe each of shots spread over the film; those that cannot be read are left out."""
    frames = [shot[len(shot) // 2] for shot in scan.keyframes if shot]
    read = [cv2.imread(str(keyframe_path(folder, n))) for n in frames[:: max(1, len(frames) // PICTURES)]]
    return [np.asarray(picture, np.uint8) for picture in read if picture is not None]
