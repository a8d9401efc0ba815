"""The sound of a film in one pass: log-mel, loudness, onsets and likelihood of music per second, and the tempo."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil, pi, tan
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

from backend.media.decode import Damage, decode
from backend.media.probe import AudioTrack, Probe, open_film

RATE_HZ = 16_000
MELS = 128
FFT = 1024
HOP = 320
HOPS_PER_S = RATE_HZ // HOP
BLOCK_S = 20
SILENCE_DB = -70.0
MAX_GAP_S = 600
BACK_S = 1
TOLERANCE_S = 0.1
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """What is heard, per second of film (S rows); second 0 is the first video frame.

    log_mel      float32 [S, 128], natural log of mel power + 1e-6, mean over the second
    loudness_db  float64 [S], K-weighted (ITU-R BS.1770), dB relative to full scale, -70 in silence
    onsets       float64 [S], mean onset strength
    music        float64 [S], likelihood of music, 0 … 1, from how steady and how tonal the chroma is
    tempo_bpm    tempo of the whole, 0 where there is none
    """

    log_mel: NDArray[np.float32]
    loudness_db: NDArray[np.float64]
    onsets: NDArray[np.float64]
    music: NDArray[np.float64]
    tempo_bpm: float

    def fitted(self, seconds: int) -> "Sound":
        """The same, cut or filled up with silence to this many seconds."""
        rest = Sound.silence(max(0, seconds - len(self.loudness_db)))
        return Sound(
            log_mel=np.concatenate([self.log_mel, rest.log_mel])[:seconds],
            loudness_db=np.concatenate([self.loudness_db, rest.loudness_db])[:seconds],
            onsets=np.concatenate([self.onsets, rest.onsets])[:seconds],
            music=np.concatenate([self.music, rest.music])[:seconds],
            tempo_bpm=self.tempo_bpm,
        )

    @classmethod
    def silence(cls, seconds: int) -> "Sound":
        """The sound of a film without any."""
        zeros = np.zeros(seconds)
        floor = np.full((seconds, MELS), np.log(1e-6), np.float32)
        return cls(floor, np.full(seconds, SILENCE_DB), zeros, zeros, 0.0)


def read_samples(
    probe: Probe, damage: Damage, stop: Callable[[], bool] = lambda: False, track: int = 0
) -> Iterator[Samples]:
    """Mono float32 blocks [n] at 16 kHz from one of `probe.audio`, beginning at the first video frame."""
    for block in read_sound(probe, damage, probe.audio[track], "mono", RATE_HZ, stop):
        yield block[:, 0]


def read_sound(
    probe: Probe,
    damage: Damage,
    track: AudioTrack,
    layout: Literal["mono", "stereo"],
    rate_hz: int,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Samples]:
    """Float32 blocks [n, channels] of `track`, beginning at the first video frame.

    Sound before the picture is cut, a late start and holes are filled with silence, overlaps are dropped, so that a
    sample's place tells its second. Where time stamps jump far, samples are counted on.
    """
    with open_film(probe.path) as container:
        stream = next(s for s in container.streams.audio if s.index == track.index)
        resample, given, shift = _Resampler(layout, rate_hz), 0, 0
        for frame in decode(container, stream, damage, "audio"):
            if stop():
                return
            at = given if frame.pts is None else round((frame.time - probe.start_time_s) * rate_hz) + shift
            if not -(BACK_S if given else MAX_GAP_S) * rate_hz <= at - given <= MAX_GAP_S * rate_hz:
                shift, at = shift + given - at, given
            # Exact at the start; later, time stamps that are a little off must not tear the sound.
            ahead = at - given if not given or abs(at - given) > TOLERANCE_S * rate_hz else 0
            if ahead > 0:
                yield np.zeros((ahead, resample.channels), np.float32)
                given += ahead
            for piece in resample(frame):
                cut = min(max(0, -ahead), len(piece))
                ahead += cut
                given += len(piece) - cut
                if cut < len(piece):
                    yield piece[cut:]


class _Resampler:
    """To floats [n, channels] at one rate, also where a film's sound changes its rate or its channels on the way."""

    def __init__(self, layout: Literal["mono", "stereo"], rate_hz: int) -> None:
        self._layout, self._rate_hz, self.channels = layout, rate_hz, {"mono": 1, "stereo": 2}[layout]
        self._format: tuple[str, str, int] | None = None

    def __call__(self, frame: av.AudioFrame) -> Iterator[Samples]:
        format_ = (frame.format.name, frame.layout.name, frame.sample_rate)
        if format_ != self._format:
            self._format = format_
            self._resampler = av.AudioResampler(format="flt", layout=self._layout, rate=self._rate_hz)
        frame.pts = None
        try:
            for made in self._resampler.resample(frame):
                # A film has some fifty of these a second: not to_ndarray and nan_to_num, which take most of the time.
                plane = memoryview(made.planes[0])
                samples = np.frombuffer(plane, np.float32, made.samples * self.channels).copy()
                if not np.isfinite(samples).all():
                    np.nan_to_num(samples, copy=False, posinf=0, neginf=0)
                yield samples.reshape(-1, self.channels)
        except (av.error.FFmpegError, ValueError):
            return


def analyse_sound(blocks: Iterator[Samples], listen: Callable[[Samples], None] | None = None) -> Sound:
    """Measure a stream of mono 16 kHz blocks; `listen` is shown every sample once.

    Memory grows with the per-second rows and the onset envelope (50 floats a second) only.
    """
    mel_rows: list[NDArray[np.float32]] = []
    chroma_rows: list[NDArray[np.float32]] = []
    loudness: list[NDArray[np.float64]] = []
    onset_rows: list[NDArray[np.float32]] = []
    weighting, spectra = _KWeighting(), _Spectra()
    before = np.zeros((0, MELS), np.float32)
    for block in _whole_seconds(blocks):
        if listen:
            listen(block)
        power = spectra.power(block)
        mel = np.log(power @ _mel_filters().T + 1e-6)
        mel_rows.append(mel.reshape(-1, HOPS_PER_S, MELS).mean(1))
        onset_rows.append(_onset_strength(np.concatenate([before, mel]))[len(before) :])
        before = mel[-1:]
        chroma_rows.append(_chroma(power))
        loudness.append(weighting.loudness_db(block))
    if not mel_rows:
        return Sound.silence(0)
    envelope = np.concatenate(onset_rows)
    onsets = envelope.reshape(-1, HOPS_PER_S).mean(1).astype(np.float64)
    levels = np.concatenate(loudness)
    music = _music(np.concatenate(chroma_rows), levels)
    return Sound(np.concatenate(mel_rows).astype(np.float32), levels, onsets, music, _tempo(envelope))


def _whole_seconds(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """The same samples in blocks of whole seconds, a minute each; the last second is filled up with silence."""
    held: list[Samples] = []
    count, size = 0, BLOCK_S * RATE_HZ
    for piece in blocks:
        held.append(piece)
        count += len(piece)
        if count >= size:
            joined = np.concatenate(held)
            for start in range(0, count - size + 1, size):
                yield joined[start : start + size]
            held = [joined[count - count % size :]]
            count %= size
    if count:
        yield np.concatenate([*held, np.zeros(-count % RATE_HZ, np.float32)])


class _Spectra:
    """Power spectrograms, 50 hops a second, Hann window, kept running across blocks. A frame ends where its hop ends,
    so nothing is heard before its time.
    """

    def __init__(self) -> None:
        self._before = np.zeros(FFT - HOP, np.float32)

    def power(self, block: Samples) -> NDArray[np.float32]:
        """Power [hops, 1 + FFT/2] of the next block of whole hops."""
        from scipy.fft import rfft

        sound = np.concatenate([self._before, block])
        self._before = sound[len(block) :].copy()
        frames = np.lib.stride_tricks.sliding_window_view(sound, FFT)[::HOP]
        spectrum = rfft(frames * np.hanning(FFT).astype(np.float32), axis=1)
        return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)


@cache
def _mel_filters() -> NDArray[np.float32]:
    import librosa

    return np.asarray(librosa.filters.mel(sr=RATE_HZ, n_fft=FFT, n_mels=MELS), np.float32)


@cache
def _chroma_filters() -> NDArray[np.float32]:
    import librosa

    return np.asarray(librosa.filters.chroma(sr=RATE_HZ, n_fft=FFT), np.float32)


def _onset_strength(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """librosa's onset strength (spectral flux of the log-mel, in dB), [hops]; 0 for the first."""
    import librosa

    decibels = mel.T * np.float32(10 / np.log(10))
    return np.asarray(librosa.onset.onset_strength(S=decibels, sr=RATE_HZ, hop_length=HOP, center=False), np.float32)


def _chroma(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Chroma per second, [seconds, 12]: the power of the second by pitch class, sum 1."""
    per_second = power.reshape(-1, HOPS_PER_S, power.shape[1]).mean(1)
    chroma = per_second @ _chroma_filters().T + 1e-9
    return np.asarray(chroma / chroma.sum(1, keepdims=True), np.float32)


def _music(chroma: NDArray[np.float32], loudness_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Likelihood of music: energy on few pitch classes (low entropy) that stay for seconds, and not silence."""
    from scipy.ndimage import uniform_filter1d

    entropy = -(chroma * np.log(chroma)).sum(1) / np.log(12)
    tonal = np.clip((1.0 - entropy) / 0.25, 0, 1)
    unit = chroma / np.linalg.norm(chroma, axis=1, keepdims=True)
    steady = np.ones(len(chroma))
    steady[1:] = (unit[1:] * unit[:-1]).sum(1)
    heard = loudness_db > SILENCE_DB + 15
    return np.asarray(uniform_filter1d(tonal * steady, 5, mode="nearest") * heard, np.float64)


def _tempo(envelope: NDArray[np.float32]) -> float:
    """Beats per minute over the middle two minutes (librosa.beat would compile for seconds at each import)."""
    import librosa

    if len(envelope) < 4 * HOPS_PER_S or not envelope.any():
        return 0.0
    middle = len(envelope) // 2
    part = envelope[max(0, middle - 60 * HOPS_PER_S) : middle + 60 * HOPS_PER_S]
    return float(librosa.feature.tempo(onset_envelope=part, sr=RATE_HZ, hop_length=HOP)[0])


class _KWeighting:
    """The K filter of ITU-R BS.1770-5 (a high shelf, then a high pass), kept running across blocks.

    Coefficients for any rate by the bilinear transform of the analogue prototype, as libebur128 derives them.
    """

    def __init__(self) -> None:
        self._stages = [_high_shelf(RATE_HZ), _high_pass(RATE_HZ)]
        self._states: list[NDArray[np.float64]] = [np.zeros(2) for _ in self._stages]

    def loudness_db(self, block: Samples) -> NDArray[np.float64]:
        """Loudness of each whole second of the block, dB, [seconds]."""
        from scipy.signal import lfilter

        filtered = block.astype(np.float64)
        for i, (b, a) in enumerate(self._stages):
            filtered, self._states[i] = lfilter(b, a, filtered, zi=self._states[i])
        power = (filtered.reshape(-1, RATE_HZ) ** 2).mean(1)
        return np.asarray(np.maximum(-0.691 + 10 * np.log10(power + 1e-12), SILENCE_DB), np.float64)


def _high_shelf(rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gain_db, q, centre_hz = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k, vh = tan(pi * centre_hz / rate_hz), 10 ** (gain_db / 20)
    vb = vh**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = np.array([vh + vb * k / q + k * k, 2 * (k * k - vh), vh - vb * k / q + k * k]) / a0
    return b, np.array([1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0])


def _high_pass(rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    q, corner_hz = 0.5003270373238773, 38.13547087602444
    k = tan(pi * corner_hz / rate_hz)
    a0 = 1 + k / q + k * k
    return np.array([1.0, -2.0, 1.0]), np.array([1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0])


def whole_seconds(duration_s: float) -> int:
    """Rows of a per-second table for a film of this length."""
    return max(1, ceil(duration_s - 1e-6))
