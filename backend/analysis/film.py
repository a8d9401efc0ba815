"""A film file in, its analysis out: pure but for the cache, the same for the terminal and for the durable workflow."""

import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache, Heard
from backend.analysis.checksum import checksums_file, film_checksum, remembered_checksum
from backend.analysis.hearing import hear, transcript
from backend.analysis.looking import Seen, load, look
from backend.analysis.measuring import measure
from backend.analysis.pictures import lost_pictures
from backend.analysis.progress import Progress, silent
from backend.analysis.request import AnalysisRequest
from backend.features.base import Extracted
from backend.features.schema import FeatureSchema
from backend.media.audio import Sound, whole_seconds
from backend.media.lines import Line
from backend.media.probe import Probe, probe_film
from backend.media.scan import Scan
from backend.media.subtitles import read_dialogue


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


@dataclass(frozen=True)
class Watched:
    """A film that was decoded once: scan, picture features and sound."""

    probe: Probe
    cache: FilmCache
    seen: Seen
    heard: Heard


def watch(request: AnalysisRequest, progress: Progress = silent) -> Watched:
    """Decode a film once, or take from the cache what an earlier run has kept of it; raises like `analyse`."""
    probe = probe_film(request.path)
    known = remembered_checksum(request.path, checksums_file(request.home)) is not None
    cache = cache_of(request.path, request.home, progress) if known else _sum_and_load(request, progress)
    scan = cache.load_scan(request.scan_key)
    if scan is not None and lost_pictures(cache.scan_folder(request.scan_key), scan.keyframes):
        cache.discard_scan(request.scan_key)  # the film has them all
        scan = None
    if scan is None and known:
        load(request.extractors)
    seen, heard = _look_and_hear(request, probe, cache, scan, progress)
    return Watched(probe, cache, seen, heard)


def _sum_and_load(request: AnalysisRequest, progress: Progress) -> FilmCache:
    """For a file not met before: its checksum, and the weights at the same time. Where these are missing, at once."""
    stop = threading.Event()

    def told(stage: str, done: float, total: float) -> None:
        if stop.is_set():
            raise CancelledError
        progress(stage, done, total)

    with ThreadPoolExecutor(1, "checksum") as pool:
        try:
            summing = pool.submit(cache_of, request.path, request.home, told)
            load(request.extractors)
            return summing.result()
        except BaseException:
            stop.set()
            raise


def cache_of(path: Path, home: Path, progress: Progress = silent) -> FilmCache:
    """The folder in which everything made from a film is kept: it is named by the checksum."""
    told = lambda done, total: progress("checksum", done, total)  # noqa: E731  a callback
    return FilmCache(home / "films" / film_checksum(path, checksums_file(home), told), path)


def analyse(request: AnalysisRequest, progress: Progress = silent) -> Analysis:
    """Analyse a film, taking from the cache what an earlier run has finished.

    Raises FilmUnreadable for the film, MissingWeights before anything is decoded, OutputError where the cache cannot
    be written. An interrupt leaves finished stages in the cache and nothing half done.
    """
    film = watch(request, progress)
    scan, sha256 = film.seen.scan, film.cache.sha256
    dialogue = read_dialogue(film.probe, film.cache.track_lines)
    if not dialogue and request.transcribe and len(film.heard.speech_s):
        dialogue = transcript(
            film.probe, film.cache, film.heard.speech_s, request.transcribe, progress, request.audio_track
        )
    sound = film.heard.sound.fitted(whole_seconds(scan.timeline.duration_s))
    features = measure(request, film.seen, sound, dialogue, sha256)
    return Analysis(
        probe=film.probe,
        sha256=sha256,
        scan=scan,
        sound=sound,
        speech_s=film.heard.speech_s,
        dialogue=dialogue,
        features=features,
        schema=request.schema,
        vectors=request.schema.join({b.name: features[b.extractor].vectors for b in request.schema.blocks}),
        pictures=film.cache.scan_folder(request.scan_key),
        warnings=(*_remarks(film.probe), *scan.warnings, *film.heard.warnings),
    )


def _look_and_hear(
    request: AnalysisRequest, probe: Probe, cache: FilmCache, scan: Scan | None, progress: Progress
) -> tuple[Seen, Heard]:
    """Picture and sound at the same time; where one fails, the other is stopped."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, "sound") as pool:
        try:
            hearing: Future[Heard] = pool.submit(hear, probe, cache, progress, stop, request.audio_track)
            return look(request, probe, cache, scan, progress), hearing.result()
        except BaseException:
            stop.set()
            raise


def _remarks(probe: Probe) -> list[str]:
    remarks = []
    if probe.is_hdr:
        remarks.append(f"the picture is HDR ({probe.transfer}); colours are judged as stored and toned down in clips")
    if not probe.audio:
        remarks.append("there is no sound; scores rest on the picture alone")
    return remarks
