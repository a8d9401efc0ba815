"""What the priors say of windows that somebody else chose: labelled ones, of any length, with ends anywhere."""

import numpy as np

from backend.scoring.candidates import candidates
from backend.scoring.film import Floats, Frames, ScoringFilm
from backend.scoring.registry import SCORERS
from backend.scoring.signals import measured
from backend.scoring.standard import Scale
from backend.scoring.windows import Segments, Windows


def prior_scores(film: ScoringFilm, windows: Frames, min_s: float, max_s: float) -> dict[str, Floats]:
    """Both priors' scores of windows [W, 2] in frames, "viral" and "compelling" → float64 [W].

    They are relative to the windows in [min_s, max_s] from which clips of this film are chosen, as in a ranking: a
    window that is one of these has the score that it has there. NaN for a window that does not lie in the film, and
    for all where the film has nothing to choose from.
    """
    unknown = np.full(len(windows), np.nan)
    scores = {name: unknown.copy() for name in SCORERS}
    inside = _inside(film, windows)
    pick = candidates(film, min_s, max_s)
    if not len(pick.windows) or not inside.any():
        return scores
    scales = {name: Scale.of(values) for name, values in measured(film, pick.segments, pick.windows).items()}
    own = measured(film, *_cut(film, windows[inside]))
    standard = {name: scale.z(own[name]) for name, scale in scales.items()}
    varies = {name: np.array([scale.spread]) for name, scale in scales.items()}
    for name, prior in SCORERS.items():
        scores[name][inside] = prior.score_by(standard, prior.effective(varies))
    return scores


def _inside(film: ScoringFilm, windows: Frames) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if not len(film.shots):
        return np.zeros(len(windows), bool)
    within = (windows[:, 0] >= film.shots[0, 0]) & (windows[:, 1] <= film.shots[-1, 1])
    return np.asarray(within & (windows[:, 0] < windows[:, 1]), bool)


def _cut(film: ScoringFilm, windows: Frames) -> tuple[Segments, Windows]:
    """Shots cut wherever a window begins or ends, and the windows as runs of these pieces."""
    edges = np.unique(np.concatenate([film.shots[:, 0], film.shots[-1:, 1], windows.ravel()]))
    starts, ends = edges[:-1], edges[1:]
    shot = np.searchsorted(film.shots[:, 0], starts, side="right") - 1
    starts_s, ends_s = film.seconds_of(starts), film.seconds_of(ends)
    parts = Segments(starts, ends, starts_s, ends_s, shot, np.ones(len(starts), bool))
    first, last = np.searchsorted(edges, windows[:, 0]), np.searchsorted(edges, windows[:, 1])
    return parts, Windows(first, last, windows[:, 0], windows[:, 1], starts_s[first], ends_s[last - 1])
