"""A film file in, its analysis out: pure but for the cache, the same for the terminal and for the durable workflow."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache, Heard, save_scan
from backend.analysis.checksum import film_checksum
from backend.analysis.pictures import PictureWorker, read_pictures, write_pictures
from backend.analysis.progress import Progress, silent
from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.schema import FeatureSchema
from backend.features.speech import SpeechDetector
from backend.features.store import FeatureStore, digest
from backend.files import folder_atomically
from backend.media.audio import RATE_HZ, Sound, analyse_sound, read_samples, whole_seconds
from backend.media.decode import Damage
from backend.media.keyframes import ShotPictures
from backend.media.probe import Probe, probe_film
from backend.media.scan import Scan, ScanRequest, scan_film
from backend.media.shots import DETECTORS, CutDetector
from backend.media.subtitles import Line, read_dialogue

CLIP_FRAMES = 16
PICTURES = frozenset({"keyframes", "clip"})


@dataclass(frozen=True)
class AnalysisRequest:
    """What to analyse and how.

    extractors     by name; those of the schema and the ones stored beside it. Weights are loaded when needed
    schema         the vector that ranking uses
    model_detector makes the cut detector of a model ("transnet"), when `detector` names one
    """

    path: Path
    home: Path
    schema: FeatureSchema
    extractors: Mapping[str, Extractor]
    detector: str = "adaptive"
    fast: bool = False
    model_detector: Callable[[], CutDetector] | None = None

    @property
    def clip_frames(self) -> int:
        """Pictures per shot that video models need; 0 where no extractor reads them."""
        return CLIP_FRAMES if any("clip" in e.reads for e in self.extractors.values()) else 0

    @property
    def scan_key(self) -> str:
        """What makes one scan differ from another of the same film."""
        return digest(self.detector, self.fast, self.clip_frames)


@dataclass(frozen=True)
class Known:
    """What is known of a film besides where it lies: all that scoring needs. N shots, S seconds.

    features  extractor name → its vectors [N, D] and faces
    vectors   float32 [N, schema.dimension]
    sound     per second, exactly S rows; speech_s float64 [K, 2] seconds
    """

    scan: Scan
    sound: Sound
    speech_s: NDArray[np.float64]
    dialogue: tuple[Line, ...]
    features: Mapping[str, Extracted]
    schema: FeatureSchema
    vectors: NDArray[np.float32]


@dataclass(frozen=True)
class Analysis(Known):
    """A film's analysis: what is known, of which file, and the folder of its keyframe pictures."""

    probe: Probe
    sha256: str
    pictures: Path
    warnings: tuple[str, ...]


def analyse(request: AnalysisRequest, progress: Progress = silent) -> Analysis:
    """Analyse a film, taking from the cache what an earlier run has finished.

    Raises FilmUnreadable for the film, MissingWeights before anything is decoded, OutputError where the cache cannot
    be written. An interrupt leaves finished stages in the cache and nothing half done.
    """
    probe = probe_film(request.path)
    checksum = film_checksum(
        request.path, request.home / "checksums.json", lambda done, total: progress("checksum", done, total)
    )
    cache = FilmCache(request.home / "films" / checksum)
    scan = cache.load_scan(request.scan_key)
    if scan is None:
        _load(request.extractors)
    dialogue = read_dialogue(probe)
    stop = threading.Event()
    with ThreadPoolExecutor(1, "sound") as pool:
        try:
            hearing: Future[Heard] = pool.submit(_hear, probe, cache, progress, stop)
            made = _look(request, probe, checksum, cache, scan, progress)
            heard = hearing.result()
        except BaseException:
            stop.set()
            raise
    sound = heard.sound.fitted(whole_seconds(made.scan.timeline.duration_s))
    features = _measure(request, made, sound, dialogue, FeatureStore(request.home / "features"), checksum)
    by_block = {
        request.extractors[name].block: extracted.vectors
        for name, extracted in features.items()
        if name in _of(request.schema)
    }
    return Analysis(
        probe=probe,
        sha256=checksum,
        scan=made.scan,
        sound=sound,
        speech_s=heard.speech_s,
        dialogue=dialogue,
        features=features,
        schema=request.schema,
        vectors=request.schema.join(by_block),
        pictures=cache.scan_folder(request.scan_key),
        warnings=(*_remarks(probe), *made.scan.warnings, *heard.warnings),
    )


def _of(schema: FeatureSchema) -> frozenset[str]:
    return frozenset(block.extractor for block in schema.blocks)


def _remarks(probe: Probe) -> list[str]:
    remarks = []
    if probe.is_hdr:
        remarks.append(f"the picture is HDR ({probe.transfer}); colours are judged as stored and toned down in clips")
    if not probe.audio:
        remarks.append("there is no sound; scores rest on the picture alone")
    return remarks


@dataclass(frozen=True)
class _Seen:
    """The scan, and what the extractors that look at pictures made of it."""

    scan: Scan
    features: Mapping[str, Extracted]


def _look(
    request: AnalysisRequest, probe: Probe, checksum: str, cache: FilmCache, scan: Scan | None, progress: Progress
) -> _Seen:
    """Scan and picture features, from the stored `scan` as far as it goes; without one all extractors are loaded."""
    store = FeatureStore(request.home / "features")
    lookers = {name: e for name, e in request.extractors.items() if e.reads & PICTURES}
    if scan is None:
        scan, made = _decode(request, probe, cache, lookers, progress)
    else:
        found = {name: store.get(checksum, e, inputs=_inputs(request, scan, e)) for name, e in lookers.items()}
        made = {name: extracted for name, extracted in found.items() if extracted is not None}
        missing = {name: e for name, e in lookers.items() if name not in made}
        if missing:
            _load(missing)
            try:
                made |= _reread(request, scan, cache, missing, progress)
            except OSError:  # a stored picture is lost or damaged: the film has them all
                cache.discard_scan(request.scan_key)
                _load(request.extractors)
                return _look(request, probe, checksum, cache, None, progress)
            lookers = missing
        else:
            lookers = {}
    for name, extractor in lookers.items():
        store.put(checksum, extractor, made[name], inputs=_inputs(request, scan, extractor))
    return _Seen(scan, made)


def _inputs(request: AnalysisRequest, scan: Scan, extractor: Extractor, *more: object) -> str:
    return digest(request.scan_key, scan.shots, scan.keyframes, extractor.weights_stamp, *more)


def _load(extractors: Mapping[str, Extractor]) -> None:
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


def _hear(probe: Probe, cache: FilmCache, progress: Progress, stop: threading.Event) -> Heard:
    """The sound, from the cache or by one pass over the first audio track."""
    stored = cache.load_sound()
    if stored:
        return stored
    if not probe.audio:
        return Heard(Sound.silence(0), np.zeros((0, 2)))
    damage, speech, samples = Damage(), SpeechDetector(), 0

    def listen(block: NDArray[np.float32]) -> None:
        nonlocal samples
        speech.push(block)
        samples += len(block)
        progress("sound", samples / RATE_HZ, max(probe.declared_duration_s, samples / RATE_HZ))

    sound = analyse_sound(read_samples(probe, damage, stop.is_set), listen)
    warnings = damage.warnings()
    if not samples:
        warnings.append("its sound cannot be decoded; scores rest on the picture alone")
    heard = Heard(sound, speech.intervals(), tuple(warnings))
    if not stop.is_set():
        cache.save_sound(heard)
    return heard


def _measure(
    request: AnalysisRequest, made: _Seen, sound: Sound, dialogue: tuple[Line, ...], store: FeatureStore, checksum: str
) -> dict[str, Extracted]:
    """All features: those of the pictures, and the ones made of sound, signals and words, which cost little."""
    others = {name: e for name, e in request.extractors.items() if name not in made.features}
    done = dict(made.features)
    material: list[ShotMaterial] | None = None
    for name, extractor in others.items():
        inputs = _inputs(request, made.scan, extractor, dialogue)
        stored = store.get(checksum, extractor, inputs=inputs)
        if stored is None:
            material = material or shot_material(made.scan, sound, dialogue)
            extractor.load()
            stored = extractor.extract(material)
            store.put(checksum, extractor, stored, inputs=inputs)
        done[name] = stored
    return done


def shot_material(scan: Scan, sound: Sound, dialogue: tuple[Line, ...]) -> list[ShotMaterial]:
    """What is known of each shot besides its pictures."""
    spans = scan.timeline.seconds_of(scan.shots)
    empty = ShotMaterial(0.0, 0.0)
    material = []
    for (start, end), (start_s, end_s) in zip(scan.shots, spans, strict=True):
        rows = sound.log_mel[int(start_s) : max(int(start_s) + 1, int(np.ceil(end_s)))]
        said = " ".join(line.text for line in dialogue if line.start_s < end_s and line.end_s > start_s)
        signals = scan.signals[start:end]
        material.append(replace(empty, start_s=start_s, end_s=end_s, log_mel=rows, frames=signals, dialogue=said))
    return material
