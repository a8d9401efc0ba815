"""Where scenes lie, seen from shots and windows."""

import numpy as np

from backend.scoring.film import Floats, Frames, ScoringFilm
from backend.scoring.windows import Windows


def scene_of_shot(film: ScoringFilm) -> Frames:
    """Index of the scene each shot belongs to, int64 [N]."""
    return np.maximum(np.searchsorted(film.scene_starts, np.arange(len(film.shots)), side="right") - 1, 0)


def scene_starts_s(film: ScoringFilm) -> Floats:
    """Second at which each scene starts, float64 [M]; the film's start where no scene is known."""
    starts = film.scene_starts if len(film.scene_starts) else np.zeros(1, np.int64)
    return film.seconds_of(film.shots[starts, 0])


def scene_of_window(film: ScoringFilm, found: Windows) -> Frames:
    """Index of the scene that the middle of each window lies in, int64 [W]: the one the slate counts it under."""
    middle = (found.start_s + found.end_s) / 2
    return np.maximum(np.searchsorted(scene_starts_s(film), middle, side="right") - 1, 0)
