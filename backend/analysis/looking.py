"""The picture of a film: the one decode pass with the extractors beside it, or what an earlier run has kept of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.analysis.cache import FilmCache, save_scan
from backend.analysis.pictures import PictureWorker, read_pictures, write_pictures
from backend.analysis.progress import Progress
from backend.analysis.request import PICTURES, AnalysisRequest
from backend.features.base import Extracted, Extractor
from backend.features.store import FeatureStore
from backend.files import folder_atomically
from backend.media.keyframes import ShotPictures
from backend.media.probe import Probe
from backend.media.scan import Scan, ScanRequest, scan_film
from backend.media.shots import DETECTORS


@dataclass(frozen=True)
class Seen:
    """The scan, and what the extractors that look at pictures made of it."""

    scan: Scan
    features: Mapping[str, Extracted]


def look(request: AnalysisRequest, probe: Probe, cache: FilmCache, scan: Scan | None, progress: Progress) -> Seen:
    """Scan and picture features, from the stored `scan` as far as it goes; without one all extractors are loaded."""
    store = FeatureStore(request.home / "features")
    lookers = {name: e for name, e in request.extractors.items() if e.reads & PICTURES}
    if scan is None:
        scan, made = _decode(request, probe, cache, lookers, progress)
    else:
        found = {name: store.get(cache.sha256, e, inputs=request.inputs(scan, e)) for name, e in lookers.items()}
        made = {name: extracted for name, extracted in found.items() if extracted is not None}
        missing = {name: e for name, e in lookers.items() if name not in made}
        if missing:
            load(missing)
            try:
                made |= _reread(request, scan, cache, missing, progress)
            except OSError:  # a stored picture is lost or damaged: the film has them all
                cache.discard_scan(request.scan_key)
                load(request.extractors)
                return look(request, probe, cache, None, progress)
            lookers = missing
        else:
            lookers = {}
    for name, extractor in lookers.items():
        store.put(cache.sha256, extractor, made[name], inputs=request.inputs(scan, extractor))
    return Seen(scan, made)


def load(extractors: Mapping[str, Extractor]) -> None:
    """Load their weights; raises MissingWeights."""
    for extractor in extractors.values():
        extractor.load()


def _decode(
    request: AnalysisRequest, probe: Probe, cache: FilmCache, lookers: Mapping[str, Extractor], progress: Progress
) -> tuple[Scan, dict[str, Extracted]]:
    """The one decode pass, with the extractors at work beside it."""
    expected = probe.declared_frames or round(probe.declared_duration_s * probe.rate)
    detector = request.model_detector() if request.model_detector else None
    maker = DETECTORS[request.detector]
    if detector is None and maker is not None:
        detector = maker(probe.rate)
    how = ScanRequest(fast=request.fast, clip_frames=request.clip_frames, detector=detector)
    with folder_atomically(cache.scan_folder(request.scan_key)) as folder, PictureWorker(lookers) as worker:

        def on_shot(shot: ShotPictures) -> None:
            worker.push(write_pictures(folder, shot))

        scan = scan_film(probe, how, on_shot, lambda frames: progress("decode", frames, max(expected, frames)))
        progress("decode", scan.timeline.frames, scan.timeline.frames)
        save_scan(folder, scan)
        cache.require_same()
    # What was stored is what later runs will see, rounding included.
    return cache.load_scan(request.scan_key) or scan, worker.result()


def _reread(
    request: AnalysisRequest, scan: Scan, cache: FilmCache, missing: Mapping[str, Extractor], progress: Progress
) -> dict[str, Extracted]:
    """Picture features of a film that was decoded before, from its stored pictures."""
    folder = cache.scan_folder(request.scan_key)
    with PictureWorker(missing) as worker:
        for index, keyframe_at in enumerate(scan.keyframes):
            worker.push(read_pictures(folder, index, keyframe_at, request.clip_frames))
            progress("features", worker.done, len(scan.shots))
    progress("features", len(scan.shots), len(scan.shots))
    return worker.result()
