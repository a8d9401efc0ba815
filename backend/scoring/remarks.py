"""What there is to say of a chosen clip's ends and length, after what made its score."""

import numpy as np
from numpy.typing import NDArray

from backend.scoring.candidates import Candidates
from backend.scoring.film import Frames, ScoringFilm
from backend.scoring.signals import scene_edges
from backend.scoring.slate import cuts_speech
from backend.scoring.windows import Windows

Flags = NDArray[np.bool_]


def remarks(
    film: ScoringFilm, pick: Candidates, found: Windows, min_s: float, max_s: float, skip_last_percent: float
) -> list[list[str]]:
    """Sentences for each of the windows `found`, which were chosen of `pick`."""
    at_start, at_end = scene_edges(film, found)
    cut_start, cut_end = cuts_speech(film, found)
    cuts = np.append(film.shots[:, 0], film.shots[-1, 1])
    inner_start, inner_end = ~np.isin(found.start_frame, cuts), ~np.isin(found.end_frame, cuts)
    secret = inner_end & _at(film, found.end_frame, [pick.until_s])
    left_out = [_at(film, frames, pick.excluded_s.ravel()) for frames in (found.start_frame, found.end_frame)]
    edge_start, edge_end = inner_start & left_out[0], inner_end & left_out[1] & ~secret
    told: list[list[str]] = []
    for at in range(len(found)):
        take = _ends(inner_start[at] & ~edge_start[at], inner_end[at] & ~edge_end[at] & ~secret[at])
        lines = _ends(cut_start[at], cut_end[at])
        said = [
            (_ends(at_start[at] > 0, at_end[at] > 0), "on a scene edge"),
            (lines, "inside a spoken line: no clip with both ends clear of speech was left"),
            (_ends(edge_start[at], edge_end[at]), "inside a shot, next to black, titles or credits"),
            (_ends(False, secret[at]), f"inside a shot: the last {skip_last_percent:g} % of the film are left out"),
            (take, f"inside a take that is longer than {max_s:g} s"),
            ("Shorter" if pick.shortened and found.durations_s[at] < min_s else "", f"than the {min_s:g} s asked for"),
        ]
        told.append([f"{what} {where}." for what, where in said if what])
    return told


def _at(film: ScoringFilm, frames: Frames, seconds: object) -> Flags:
    """Whether each frame is the one at any of these seconds."""
    marks = [film.frame_at(float(second)) for second in np.atleast_1d(np.asarray(seconds)) if np.isfinite(second)]
    return np.asarray(np.isin(frames, marks), np.bool_)


def _ends(start: bool, end: bool) -> str:
    return {(True, True): "Starts and ends", (True, False): "Starts", (False, True): "Ends"}.get(
        (bool(start), bool(end)), ""
    )
