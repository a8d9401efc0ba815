"""Stretches of a film that are no clip: black, colour bars, tone, logos at the start, credits at the end, titles."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.media.signals import FRAME_SIGNALS

Intervals = NDArray[np.float64]

BLACK_LIGHT, BLACK_CONTRAST, BLACK_MIN_S = 0.07, 0.03, 0.5
PLAIN, DARK = 0.60, 0.25
STILL_MOTION = 0.012
GROUND_SPREAD, MARK_CONTRAST, OFF_CENTRE = 8, 12, 1.5
HEAD_S, TAIL_S, TAIL_SHARE, CREDITS_MIN_S = 90.0, 600.0, 0.3, 8.0
CREDITS_PLAIN_SHARE = 0.8
LETTERING_SHARE, LETTERING_RATIO, LETTERING_REACH_S = 0.03, 2.5, 15
BARS_COLOUR, BARS_ROWS, BARS_UNEVEN, BARS_COLUMNS, BARS_DROP, BARS_MIN_S = 0.25, slice(2, 5), 6, 10, 80, 2.0
TEST_COLOUR = 0.9
TONE_SPREAD_DB, TONE_ONSETS, TONE_MIN_S = 0.3, 0.15, 3


@dataclass(frozen=True)
class Watched:
    """What the scan saw of the picture. F frames, N shots, T titles, S seconds.

    signals       [F, 6], the scan's table
    fingerprints  uint8 [F, 9, 16], luma miniatures
    frame_s       [F + 1], start times of the frames, and the film's end
    shots, titles [N, 2] and [T, 2] in frames; titles are those over a moving picture
    lettering     [S], share of the picture that is text
    """

    signals: NDArray[np.float32]
    fingerprints: NDArray[np.uint8]
    frame_s: NDArray[np.float64]
    shots: NDArray[np.int64]
    titles: NDArray[np.int64]
    lettering: NDArray[np.float64]


def find_bands(watched: Watched, loudness_db: NDArray[np.float64], onsets: NDArray[np.float64]) -> dict[str, Intervals]:
    """Intervals in seconds, [n, 2] for each of black, logo, title, credits, bars, tone.

    `loudness_db` and `onsets` are per second, [S].
    """
    column = {name: watched.signals[:, i] for i, name in enumerate(FRAME_SIGNALS)}
    frame_s, duration_s = watched.frame_s, float(watched.frame_s[-1])
    black = (column["light"] < BLACK_LIGHT) & (column["contrast"] < BLACK_CONTRAST)
    plain = column["flatness"] > PLAIN
    still = column["motion"] < STILL_MOTION
    logo = _where(plain & still & (frame_s[:-1] <= HEAD_S), watched.fingerprints, _on_a_ground)
    bars = _where(still & (column["colour"] > BARS_COLOUR), watched.fingerprints, _falling_columns)
    bars |= (column["motion"] < 0.001) & (column["colour"] > TEST_COLOUR) & (column["flatness"] < 0.4)
    written = _written(watched.lettering, frame_s[watched.shots], duration_s)
    dark = (plain & (column["light"] < DARK)) | black
    return {
        "black": _runs(black, frame_s, BLACK_MIN_S),
        "bars": _runs(bars, frame_s, BARS_MIN_S),
        "logo": np.concatenate([_head(logo, black, frame_s, duration_s), _early(written, duration_s)]),
        "title": _titles(frame_s[np.minimum(watched.titles, len(frame_s) - 1)], duration_s),
        "credits": np.concatenate([_dark_credits(dark, frame_s, duration_s), _late(written, duration_s)]),
        "tone": _tone(loudness_db, onsets),
    }


def may_be_title(at_s: float, duration_s: float) -> bool:
    """Whether lettering over the picture at this time counts as an opening or a closing title."""
    return at_s <= min(2 * HEAD_S, duration_s / 4) or at_s >= max(duration_s * (1 - TAIL_SHARE), duration_s - TAIL_S)


def _titles(titles_s: Intervals, duration_s: float) -> Intervals:
    kept = [span for span in titles_s.tolist() if any(may_be_title(at_s, duration_s) for at_s in span)]
    return np.array(kept, np.float64).reshape(-1, 2)


def _where(
    mask: NDArray[np.bool_],
    miniatures: NDArray[np.uint8],
    test: Callable[[NDArray[np.uint8]], NDArray[np.bool_]],
) -> NDArray[np.bool_]:
    """`mask`, of its frames only those that pass the test."""
    passed = np.zeros_like(mask)
    passed[mask] = test(miniatures[mask])
    return passed


def _on_a_ground(miniatures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Frames whose rim is of one lightness all around, with nothing inside it or a mark in the middle, [F].

    A plain scene has a horizon, light that falls off or something that stands on the ground, and so no such rim.
    """
    cells = miniatures.astype(np.int16)
    rim = np.concatenate([cells[:, 0], cells[:, -1], cells[:, 1:-1, 0], cells[:, 1:-1, -1]], axis=1)
    ground = np.median(rim, axis=1)
    mark = (np.abs(cells - ground[:, None, None]) >= MARK_CONTRAST).any(axis=1)
    first, last = mark.argmax(axis=1), mark.shape[1] - 1 - mark[:, ::-1].argmax(axis=1)
    centred = np.abs(first + last - (mark.shape[1] - 1)) <= 2 * OFF_CENTRE
    return np.asarray((np.ptp(rim, axis=1) <= GROUND_SPREAD) & (centred | ~mark.any(axis=1)), np.bool_)


def _falling_columns(miniatures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Frames of upright stripes that get darker from left to right, as all usual colour bars do, [F]."""
    cells = miniatures[:, BARS_ROWS].astype(np.int16)
    even = (np.ptp(cells, axis=1) <= BARS_UNEVEN).mean(axis=1) > 0.8
    light = np.median(cells, axis=1)
    length, drop = np.ones(len(light)), np.zeros(len(light))
    longest, deepest = length.copy(), drop.copy()
    for column in range(1, light.shape[1]):
        step = light[:, column - 1] - light[:, column]
        falls = step >= -1
        length, drop = np.where(falls, length + 1, 1), np.where(falls, drop + step, 0)
        longest, deepest = np.maximum(longest, length), np.maximum(deepest, drop)
    return np.asarray(even & (longest >= BARS_COLUMNS) & (deepest >= BARS_DROP), np.bool_)


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
