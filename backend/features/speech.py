"""When somebody speaks: silero-vad (MIT, weights in its wheel) on 16 kHz sound, through onnxruntime, as a stream."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.features.networks import open_session, wheel_file

Floats = NDArray[np.float32]

SAMPLE_RATE_HZ = 16_000
CHUNK, CONTEXT = 512, 64
CHUNKS_PER_RUN = 256
"""Eight seconds a call."""

CHUNK_S = CHUNK / SAMPLE_RATE_HZ
THRESHOLD, LEAVE_THRESHOLD = 0.5, 0.35
MIN_SPEECH_S, MIN_SILENCE_S, PAD_S = 0.25, 0.1, 0.03


class SpeechDetector:
    """Push sound as it is decoded, then ask for the intervals; one probability of every 32 ms is all that is kept."""

    def __init__(self) -> None:
        """Open the network; raises MissingWeights where the wheel is not installed."""
        self._network: Any = open_session(wheel_file("silero_vad", "data/silero_vad_16k_sequence.onnx"))
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._waiting: list[Floats] = []
        self._waiting_samples = 0
        self._samples = 0
        self._found: list[Floats] = []

    def push(self, samples: Floats) -> None:
        """Take the next samples, float32 [n], mono, 16 kHz, -1 … 1; any n."""
        self._samples += len(samples)
        self._waiting.append(np.asarray(samples, np.float32).reshape(-1))
        self._waiting_samples += len(samples)
        if self._waiting_samples >= CHUNK * CHUNKS_PER_RUN:
            self._work(final=False)

    def probabilities(self) -> Floats:
        """Probability of speech for every 32 ms so far, float32 [chunks]; call when all has been pushed."""
        if self._waiting_samples:
            self._work(final=True)
        return np.concatenate([np.zeros(0, np.float32), *self._found])

    def intervals(self) -> NDArray[np.float64]:
        """Intervals in which somebody speaks, seconds, float64 [K, 2]; call when all has been pushed."""
        return speech_intervals(self.probabilities(), self._samples / SAMPLE_RATE_HZ)

    def _work(self, *, final: bool) -> None:
        sound = np.concatenate(self._waiting)
        whole = -(-len(sound) // CHUNK) if final else len(sound) // CHUNK
        rest = sound[whole * CHUNK :]
        sound = np.concatenate([sound[: whole * CHUNK], np.zeros(max(whole * CHUNK - len(sound), 0), np.float32)])
        self._waiting, self._waiting_samples = ([rest], len(rest)) if len(rest) else ([], 0)
        for at in range(0, whole, CHUNKS_PER_RUN):
            self._run(sound[at * CHUNK : (at + CHUNKS_PER_RUN) * CHUNK])

    def _run(self, sound: Floats) -> None:
        view = np.lib.stride_tricks.sliding_window_view
        chunks = np.ascontiguousarray(view(np.concatenate([self._context, sound]), CONTEXT + CHUNK)[::CHUNK])
        feed = {"input": chunks, "h": self._hidden, "c": self._cell}
        found, self._hidden, self._cell = self._network.run(None, feed)
        self._context = sound[-CONTEXT:]
        self._found.append(np.asarray(found, np.float32).reshape(-1))


def speech_intervals(probabilities: Floats, duration_s: float) -> NDArray[np.float64]:
    """Speech starts at 0.5 and ends where it stays under 0.35 for 0.1 s; shorter than 0.25 s is dropped, 0.03 s added.

    These are silero-vad's own rules and defaults (get_speech_timestamps), without its maximum length.
    """
    found: list[tuple[float, float]] = []
    start: float | None = None
    quiet_since: float | None = None
    for chunk, probability in enumerate(probabilities.tolist()):
        now = chunk * CHUNK_S
        if probability >= THRESHOLD:
            start, quiet_since = (now if start is None else start), None
        elif probability < LEAVE_THRESHOLD and start is not None:
            quiet_since = now if quiet_since is None else quiet_since
            if now - quiet_since >= MIN_SILENCE_S:
                found.append((start, quiet_since))
                start = quiet_since = None
    if start is not None:
        found.append((start, duration_s))
    long = [(first, last) for first, last in found if last - first > MIN_SPEECH_S]
    return _padded(np.array(long, np.float64).reshape(-1, 2), duration_s)


def _padded(intervals: NDArray[np.float64], duration_s: float) -> NDArray[np.float64]:
    """Each end moved out by the pad, or to the middle of a gap shorter than two."""
    if not len(intervals):
        return intervals
    room = np.minimum(intervals[1:, 0] - intervals[:-1, 1], 2 * PAD_S) / 2
    out = intervals.copy()
    out[1:, 0] -= room
    out[:-1, 1] += room
    out[0, 0] = max(out[0, 0] - PAD_S, 0)
    out[-1, 1] = min(out[-1, 1] + PAD_S, duration_s)
    return out
