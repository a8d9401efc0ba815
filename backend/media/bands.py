"""Stretches of a film that are no clip: black, colour bars, tone, logos and titles at the start, credits at the end."""

import numpy as np
from numpy.typing import NDArray

from backend.media.signals import FRAME_SIGNALS

Intervals = NDArray[np.float64]

BLACK_LIGHT, BLACK_CONTRAST, BLACK_MIN_S = 0.07, 0.03, 0.5
PLAIN, DARK = 0.60, 0.25
STILL_MOTION = 0.012
HEAD_S, TAIL_SHARE, CREDITS_MIN_S = 90.0, 0.3, 8.0
CREDITS_PLAIN_SHARE = 0.8
LETTERING_SHARE, LETTERING_RATIO, LETTERING_REACH_S = 0.03, 2.5, 15
BARS_COLOUR, BARS_MIN_S = 0.5, 2.0
TONE_SPREAD_DB, TONE_ONSETS, TONE_MIN_S = 0.3, 0.15, 3


def find_bands(
    signals: NDArray[np.float32],
    frame_s: NDArray[np.float64],
    shots: NDArray[np.int64],
    lettering: NDArray[np.float64],
    loudness_db: NDArray[np.float64],
    onsets: NDArray[np.float64],
) -> dict[str, Intervals]:
    """Intervals in seconds, [n, 2] for each of black, logo, credits, bars, tone.

    `signals` [F, 6] is the scan's table, `frame_s` [F + 1] the frames' start times and the film's end, `shots` [N, 2]
    in frames; `lettering` (share of the picture that is text), `loudness_db` and `onsets` are per second, [S].
    """
    column = {name: signals[:, i] for i, name in enumerate(FRAME_SIGNALS)}
    duration_s = float(frame_s[-1])
    black = (column["light"] < BLACK_LIGHT) & (column["contrast"] < BLACK_CONTRAST)
    plain_dark = (column["flatness"] > PLAIN) & (column["light"] < DARK)
    still = column["motion"] < STILL_MOTION
    bars = (column["motion"] < 0.001) & (column["colour"] > BARS_COLOUR) & (column["flatness"] < 0.4)
    shot_s = frame_s[shots]
    written = _written(lettering, shot_s, duration_s)
    return {
        "black": _runs(black, frame_s, BLACK_MIN_S),
        "bars": _runs(bars, frame_s, BARS_MIN_S),
        "logo": np.concatenate(
            [_head((column["flatness"] > PLAIN) & still, black, frame_s, duration_s), _early(written, duration_s)]
        ),
        "credits": np.concatenate([_dark_credits(plain_dark | black, frame_s, duration_s), _late(written, duration_s)]),
        "tone": _tone(loudness_db, onsets),
    }


def _written(lettering: NDArray[np.float64], shot_s: Intervals, duration_s: float) -> Intervals:
    """Stretches in which text stays on screen, widened to whole shots (a roll of credits is one shot or several)."""
    around = np.pad(lettering, LETTERING_REACH_S // 2, mode="edge")
    steady = np.median(np.lib.stride_tricks.sliding_window_view(around, LETTERING_REACH_S), axis=1)
    text = steady > max(LETTERING_SHARE, LETTERING_RATIO * float(np.median(lettering)))
    runs = _runs(text, np.append(np.arange(len(text), dtype=np.float64), duration_s), CREDITS_MIN_S)
    first = np.maximum(np.searchsorted(shot_s[:, 0], runs[:, 0], side="right") - 1, 0)
    last = np.minimum(np.searchsorted(shot_s[:, 1], runs[:, 1], side="left"), len(shot_s) - 1)
    # A shot is taken along as far as the smoothing may have missed, not whole: text may come in late.
    starts = np.maximum(shot_s[first, 0], runs[:, 0] - LETTERING_REACH_S)
    ends = np.minimum(shot_s[last, 1], runs[:, 1] + LETTERING_REACH_S)
    return np.stack([starts, ends], axis=1)


def _early(written: Intervals, duration_s: float) -> Intervals:
    return written[written[:, 1] <= min(2 * HEAD_S, duration_s / 4)]


def _late(written: Intervals, duration_s: float) -> Intervals:
    return written[written[:, 0] >= duration_s * (1 - TAIL_SHARE)]


def _runs(mask: NDArray[np.bool_], frame_s: NDArray[np.float64], min_s: float) -> Intervals:
    """Runs of True that last at least `min_s`, as [n, 2] seconds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    runs = frame_s[edges].reshape(-1, 2)
    return runs[runs[:, 1] - runs[:, 0] >= min_s]


def _head(
    titles: NDArray[np.bool_], black: NDArray[np.bool_], frame_s: NDArray[np.float64], duration_s: float
) -> Intervals:
    """Logos and titles on a plain ground near the start, with the black between them."""
    runs = _runs(titles | black, frame_s, 1.0)
    return runs[(runs[:, 1] <= min(HEAD_S, duration_s / 4)) & (runs[:, 1] - runs[:, 0] < duration_s / 8)]


def _dark_credits(plain: NDArray[np.bool_], frame_s: NDArray[np.float64], duration_s: float) -> Intervals:
    """From the first plain dark frame near the end after which most frames are such (text on black), to the end."""
    first = int(np.searchsorted(frame_s[:-1], duration_s * (1 - TAIL_SHARE)))
    tail = plain[first:]
    if not len(tail):
        return np.zeros((0, 2))
    share_to_end = np.cumsum(tail[::-1])[::-1] / np.arange(len(tail), 0, -1)
    starts = np.flatnonzero((share_to_end >= CREDITS_PLAIN_SHARE) & tail)
    if not len(starts):
        return np.zeros((0, 2))
    start_s = float(frame_s[first + starts[0]])
    return np.array([[start_s, duration_s]]) if duration_s - start_s >= CREDITS_MIN_S else np.zeros((0, 2))


def _tone(loudness_db: NDArray[np.float64], onsets: NDArray[np.float64]) -> Intervals:
    """Seconds of a steady loud sound without onsets (line-up tone)."""
    alike = np.abs(np.diff(loudness_db)) < TONE_SPREAD_DB
    steady = np.append(False, alike) | np.append(alike, False)
    tone = steady & (loudness_db > -40) & (onsets < TONE_ONSETS)
    return _runs(tone, np.arange(len(loudness_db) + 1, dtype=np.float64), TONE_MIN_S)
