"""From thousands of overlapping windows to a few that differ: preference, suppression, balance."""

import numpy as np
from numpy.typing import NDArray

from backend.scoring.film import Floats, Frames, ScoringFilm
from backend.scoring.signals import scene_edges
from backend.scoring.windows import Windows

MAX_OVERLAP = 0.2
"""Two clips of a slate may share so much of the shorter one."""

PER_SCENE = 2
EDGE_BONUS = 0.05
"""What an end on a scene's edge is worth when a window is chosen among its neighbours, in score."""

CUT_COST = 1.0
"""What an end inside a spoken line costs in the choice: as much as the whole scale, so such a window always loses."""

LINE_S = 0.1
"""An end this close to the edge of a spoken line does not cut it: detectors of speech are no finer."""


def cuts_speech(film: ScoringFilm, found: Windows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each window's start (first) and end (second) lie inside a spoken line, bool [W] each.

    The film's own first and last moment cut nothing.
    """
    return _inside(film, found.start_s), _inside(film, found.end_s)


def _inside(film: ScoringFilm, at_s: Floats) -> NDArray[np.bool_]:
    lines = np.reshape(film.speech_s, (-1, 2))
    lines = lines[np.argsort(lines[:, 0])]
    if not len(lines):
        return np.zeros(len(at_s), np.bool_)
    reach = np.maximum.accumulate(lines[:, 1])
    index = np.searchsorted(lines[:, 0], at_s - LINE_S, side="left") - 1
    inside = (index >= 0) & (at_s < reach[np.maximum(index, 0)] - LINE_S)
    return np.asarray(inside & (at_s > LINE_S) & (at_s < film.duration_s - LINE_S), np.bool_)


def preference(film: ScoringFilm, found: Windows, scores: Floats) -> Floats:
    """The order in which windows are chosen, float64 [W]: the score, nudged to scene edges and out of spoken lines.

    All windows are listed, so an end is moved by choosing a neighbour. The nudges decide who is chosen; the score
    of the chosen one stays what it is.
    """
    starts, ends = scene_edges(film, found)
    cut_start, cut_end = cuts_speech(film, found)
    return np.asarray(scores + EDGE_BONUS * (starts + ends) - CUT_COST * (cut_start | cut_end), np.float64)


def overlap(start_s: Floats, end_s: Floats, start: float, end: float) -> Floats:
    """What each [start_s, end_s) shares with [start, end), as a share of the shorter of the two; [W], 0 … 1."""
    shared = np.minimum(end_s, end) - np.maximum(start_s, start)
    return np.asarray(np.maximum(shared, 0.0) / np.maximum(np.minimum(end_s - start_s, end - start), 1e-9), np.float64)


def choose(
    found: Windows,
    order: Floats,
    scenes: Frames,
    top_n: int,
    max_overlap: float = MAX_OVERLAP,
    per_scene: int | None = None,
) -> Frames:
    """At most `top_n` windows, best `order` first: non-maximum suppression, and at most `per_scene` of one scene.

    `scenes` int64 [W]. Without a number a scene gives two, or as many as needed where a film has few scenes.
    Equal values go to the earlier, then the shorter window. Returns indices, int64, in the order of choice.
    """
    if per_scene is None:
        per_scene = max(PER_SCENE, int(np.ceil(top_n / max(len(np.unique(scenes)), 1))))
    left = np.array(order, np.float64)
    used: dict[int, int] = {}
    chosen: list[int] = []
    while len(chosen) < min(top_n, len(left)):
        best = int(np.argmax(left))
        if left[best] == -np.inf:
            break
        chosen.append(best)
        start, end, scene = float(found.start_s[best]), float(found.end_s[best]), int(scenes[best])
        left[overlap(found.start_s, found.end_s, start, end) > max_overlap] = -np.inf
        left[best] = -np.inf
        used[scene] = used.get(scene, 0) + 1
        if used[scene] >= per_scene:
            left[scenes == scene] = -np.inf
    return np.array(chosen, np.int64)
