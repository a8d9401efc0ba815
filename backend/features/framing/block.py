"""The optional block of the feature schema: how a shot is framed, by the size of its faces."""

from collections.abc import Sequence

import numpy as np

from backend.features.base import Extracted, Extractor, ShotMaterial
from backend.features.framing.scale import SCALES, by_frame


class Framing(Extractor):
    """Shares of the keyframes, 6: medium close-ups, then each of SCALES; zeros for a shot without faces.

    Made by the rule and never by a model that somebody trained: figures of two such models would not mean the same.
    """

    name = "framing"
    block = "framing"
    dimension = 1 + len(SCALES)
    reads = frozenset({"faces", "keyframe_at"})

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 6]."""
        vectors = np.zeros((len(shots), self.dimension), np.float32)
        for row, shot in zip(vectors, shots, strict=True):
            frames = shot.keyframe_at or tuple(dict.fromkeys(face.frame for face in shot.faces))
            for framing in by_frame(shot.faces, frames):
                row[0] += framing.medium_close_up / len(frames)
                if framing.scale in SCALES:
                    row[1 + SCALES.index(framing.scale)] += 1 / len(frames)
        return Extracted(vectors)
