"""The keyframe that stands for a film until a person gives it a poster: something lit, a face where there is one."""

import numpy as np
from numpy.typing import NDArray

from backend.analysis.film import Known
from backend.analysis.request import FACE_EXTRACTORS
from backend.media.signals import FRAME_SIGNALS
from backend.scoring.rank import ScoredClip

# Chosen by eye, on the keyframes of the five films of the tests.
LIT, CONTRASTY = 0.25, 0.15
FACE_FROM, FACE_ROOM = 0.3, 0.4
LETTERING = 0.2
BEST_CLIP, COLOUR = 0.5, 0.25


def stand_in(known: Known, clips: tuple[ScoredClip, ...]) -> int:
    """The number of a frame that is a keyframe; 0 where there is none.

    Dark and flat pictures and those full of letters count little; a face counts much, one that leaves no room around
    itself less; what lies in the best clip, and colour, a little.
    """
    frames = np.array([frame for shot in known.scan.keyframes for frame in shot], np.int64)
    if not len(frames):
        return 0
    signals = dict(zip(FRAME_SIGNALS, known.scan.signals[frames].T, strict=True))
    lit = np.clip(signals["light"] / LIT, 0, 1) * np.clip(signals["contrast"] / CONTRASTY, 0, 1)
    plain = np.clip(1 - _lettering(known, frames) / LETTERING, 0, 1)
    size = _faces(known, frames)
    face = np.clip(size / FACE_FROM, 0, 1) * np.clip((1 - size) / FACE_ROOM, 0, 1)
    start, end = (clips[0].start_frame, clips[0].end_frame) if clips else (0, 0)
    best = (frames >= start) & (frames < end)
    worth = (lit * plain + 1e-6) * (1 + face + BEST_CLIP * best + COLOUR * signals["colour"])
    return int(frames[worth.argmax()])


def _lettering(known: Known, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each picture that is text."""
    seen = known.scan.lettering
    return np.interp(frames, seen[:, 0], seen[:, 1]) if len(seen) else np.zeros(len(frames))


def _faces(known: Known, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """The height of the largest face in each frame, as a share of the frame's."""
    largest: dict[int, float] = {}
    found = [known.features[name].faces for name in FACE_EXTRACTORS if name in known.features]
    for face in (face for shots in found for shot in shots for face in shot):
        largest[face.frame] = max(largest.get(face.frame, 0.0), face.height)
    return np.array([largest.get(frame, 0.0) for frame in frames.tolist()])
