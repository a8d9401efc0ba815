"""The sound of a film: one pass over its first audio track, or what an earlier run has kept of it."""

import threading

import numpy as np
from numpy.typing import NDArray

from backend.analysis.cache import FilmCache, Heard
from backend.analysis.progress import Progress
from backend.features.speech import SpeechDetector
from backend.media.audio import RATE_HZ, Sound, analyse_sound, read_samples
from backend.media.decode import Damage
from backend.media.probe import Probe


def hear(probe: Probe, cache: FilmCache, progress: Progress, stop: threading.Event) -> Heard:
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
