"""The sound of a film: one pass over an audio track, or what an earlier run has kept of it."""

import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache, Heard
from backend.analysis.progress import Progress
from backend.features.moonshine import SpeechRecogniser, stamp
from backend.features.speech import SpeechDetector
from backend.features.transcript import transcribe
from backend.media.audio import RATE_HZ, Sound, analyse_sound, read_samples
from backend.media.decode import Damage
from backend.media.lines import Line
from backend.media.probe import Probe


def hear(probe: Probe, cache: FilmCache, progress: Progress, stop: threading.Event, track: int = 0) -> Heard:
    """The sound, from the cache or by one pass over an audio track (the first, unless another is named)."""
    stored = cache.load_sound(track)
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

    sound = analyse_sound(read_samples(probe, damage, stop.is_set, track), listen)
    warnings = damage.warnings()
    if not samples:
        warnings.append("its sound cannot be decoded; scores rest on the picture alone")
    heard = Heard(sound, speech.intervals(), tuple(warnings))
    if not stop.is_set():
        cache.require_same()
        cache.save_sound(heard, track)
    return heard


def transcript(
    probe: Probe,
    cache: FilmCache,
    speech_s: NDArray[np.float64],
    recogniser: Callable[[], SpeechRecogniser],
    progress: Progress,
    track: int = 0,
) -> tuple[Line, ...]:
    """What is said, from the cache or by speech recognition where somebody speaks (English only)."""

    def make() -> tuple[Line, ...]:
        heard = transcribe(
            read_samples(probe, Damage(), track=track),
            speech_s,
            recogniser(),
            progress=lambda done_s, total_s: progress("speech", done_s, total_s),
        )
        return tuple(Line(line.start_s, line.end_s, line.text) for line in heard)

    return cache.transcript(make, stamp(), track)
