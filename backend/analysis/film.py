"""A film file in, its analysis out: pure but for the cache, the same for the terminal and for the durable workflow."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache, Heard
from backend.analysis.checksum import film_checksum
from backend.analysis.hearing import hear
from backend.analysis.looking import Seen, load, look
from backend.analysis.measuring import measure
from backend.analysis.progress import Progress, silent
from backend.analysis.request import AnalysisRequest
from backend.features.base import Extracted
from backend.features.schema import FeatureSchema
from backend.media.audio import Sound, whole_seconds
from backend.media.probe import Probe, probe_film
from backend.media.scan import Scan
from backend.media.subtitles import Line, read_dialogue


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
    sha256 = film_checksum(
        request.path, request.home / "checksums.json", lambda done, total: progress("checksum", done, total)
    )
    cache = FilmCache(request.home / "films" / sha256)
    scan = cache.load_scan(request.scan_key)
    if scan is None:
        load(request.extractors)
    dialogue = read_dialogue(probe, cache.track_lines)
    seen, heard = _look_and_hear(request, probe, cache, scan, progress)
    sound = heard.sound.fitted(whole_seconds(seen.scan.timeline.duration_s))
    features = measure(request, seen, sound, dialogue, sha256)
    return Analysis(
        probe=probe,
        sha256=sha256,
        scan=seen.scan,
        sound=sound,
        speech_s=heard.speech_s,
        dialogue=dialogue,
        features=features,
        schema=request.schema,
        vectors=request.schema.join({b.name: features[b.extractor].vectors for b in request.schema.blocks}),
        pictures=cache.scan_folder(request.scan_key),
        warnings=(*_remarks(probe), *seen.scan.warnings, *heard.warnings),
    )


def _look_and_hear(
    request: AnalysisRequest, probe: Probe, cache: FilmCache, scan: Scan | None, progress: Progress
) -> tuple[Seen, Heard]:
    """Picture and sound at the same time; where one fails, the other is stopped."""
    stop = threading.Event()
    with ThreadPoolExecutor(1, "sound") as pool:
        try:
            hearing: Future[Heard] = pool.submit(hear, probe, cache, progress, stop)
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
