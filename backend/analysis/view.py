"""What is known of a film, as scoring sees it."""

import numpy as np
from numpy.typing import NDArray

from backend.analysis.film import Known
from backend.analysis.request import FACE_EXTRACTORS
from backend.media.bands import Watched, find_bands
from backend.media.scan import Scan
from backend.media.scenes import group_shots
from backend.media.signals import FRAME_SIGNALS
from backend.scoring.film import ScoringFilm

PAUSE_REACH_S = 3


def scoring_film(analysis: Known) -> ScoringFilm:
    """Per-second signals, scenes, faces and pauses of an analysis, as arrays."""
    scan, sound = analysis.scan, analysis.sound
    frame_s = scan.timeline.seconds_of(np.arange(scan.timeline.frames + 1))
    seconds = len(sound.loudness_db)
    signals = per_second(scan.signals, frame_s[:-1], seconds)
    signals["cuts"] = np.bincount(
        np.minimum(frame_s[scan.shots[1:, 0]].astype(int), seconds - 1), minlength=seconds
    ).astype(np.float64)
    signals |= {"loudness_db": sound.loudness_db, "onsets": sound.onsets, "music": sound.music}
    signals["speech"] = share_of_seconds(analysis.speech_s, seconds)
    return ScoringFilm(
        shots=scan.shots,
        seconds_of=scan.timeline.seconds_of,
        frame_at=scan.timeline.frame_at,
        scene_starts=scenes(analysis),
        schema=analysis.schema,
        vectors=analysis.vectors,
        signals=signals,
        shot_signals=_faces(analysis),
        speech_s=analysis.speech_s,
        pauses_s=pauses(sound.loudness_db, signals["motion"]),
        bands_s=find_bands(watched(scan, seconds), sound.loudness_db, sound.onsets),
    )


def scenes(analysis: Known) -> NDArray[np.int64]:
    """Indices of the shots that start a scene; the first is 0."""
    blocks = {
        "visual": analysis.vectors[:, analysis.schema.slices["visual"]],
        "colour": analysis.features["colour"].vectors,
    }
    lengths = (analysis.scan.shots[:, 1] - analysis.scan.shots[:, 0]).astype(np.float64)
    return group_shots(blocks, lengths)


def watched(scan: Scan, seconds: int) -> Watched:
    """What of a scan tells clips from black, titles and the like; `seconds` is the film's length."""
    at_s = scan.timeline.seconds_of(scan.lettering[:, 0].astype(np.int64))
    written = np.interp(np.arange(seconds) + 0.5, at_s, scan.lettering[:, 1]) if len(at_s) else np.zeros(seconds)
    frame_s = scan.timeline.seconds_of(np.arange(scan.timeline.frames + 1))
    return Watched(scan.signals, scan.fingerprints, frame_s, scan.shots, scan.titles, written)


def per_second(
    signals: NDArray[np.float32], frame_s: NDArray[np.float64], seconds: int
) -> dict[str, NDArray[np.float64]]:
    """Means of the frame signals over each second, float64 [seconds]; one without a frame repeats the one before."""
    at = np.minimum(frame_s.astype(np.int64), seconds - 1)
    count = np.bincount(at, minlength=seconds)
    last_filled = np.maximum.accumulate(np.where(count > 0, np.arange(seconds), 0))
    made = {}
    for i, name in enumerate(FRAME_SIGNALS):
        total = np.bincount(at, weights=signals[:, i], minlength=seconds)
        made[name] = (total / np.maximum(count, 1))[last_filled]
    return made


def share_of_seconds(intervals: NDArray[np.float64], seconds: int) -> NDArray[np.float64]:
    """How much of each second the intervals [K, 2] cover, 0 … 1, float64 [seconds]."""
    return np.diff(_covered_until(intervals, np.arange(seconds + 1, dtype=np.float64)))


def share_of_shots(intervals: NDArray[np.float64], spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of each shot (`spans` [N, 2], seconds) the intervals [K, 2] cover, 0 … 1, float64 [N]."""
    covered = _covered_until(intervals, spans[:, 1]) - _covered_until(intervals, spans[:, 0])
    return np.clip(covered / np.maximum(spans[:, 1] - spans[:, 0], 1e-9), 0.0, 1.0)


def _covered_until(intervals: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds that the intervals cover before each edge."""
    if not len(intervals):
        return np.zeros(len(edges))
    starts, ends = intervals[:, 0], intervals[:, 1]
    lengths = np.concatenate([[0.0], np.cumsum(ends - starts)])
    past = np.searchsorted(starts, edges, side="right")
    over = np.where(past > 0, np.maximum(0.0, ends[np.maximum(past - 1, 0)] - edges), 0.0)
    return np.asarray(lengths[past] - over, np.float64)


def pauses(loudness_db: NDArray[np.float64], motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Middles of seconds that are the quietest and stillest within three seconds either way: ends for a long take."""
    restless = _standard(loudness_db) + _standard(motion)
    around = np.pad(restless, PAUSE_REACH_S, constant_values=np.inf)
    lowest = np.lib.stride_tricks.sliding_window_view(around, 2 * PAUSE_REACH_S + 1).min(1)
    found = np.flatnonzero((restless <= lowest) & (restless < np.median(restless)))
    return found.astype(np.float64) + 0.5


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / max(spread, 1e-9), np.float64)


def _faces(analysis: Known) -> dict[str, NDArray[np.float64]]:
    shots = len(analysis.scan.shots)
    count, share = np.zeros(shots), np.zeros(shots)
    for name in FACE_EXTRACTORS:
        if name in analysis.features and analysis.features[name].faces:
            count = analysis.features[name].vectors[:, 0].astype(np.float64)
            share = np.array(
                [max((f.width * f.height for f in faces), default=0.0) for faces in analysis.features[name].faces]
            )
    return {"face_count": count, "face_share": share}
