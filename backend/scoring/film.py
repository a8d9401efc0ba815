"""What scoring needs to know of a film: arrays and names, no file and no database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.features.schema import FeatureSchema

Floats = NDArray[np.float64]
Frames = NDArray[np.int64]


@dataclass(frozen=True)
class ScoringFilm:
    """One analysed film as scoring sees it. N shots, S = ceil(duration) seconds, F frames.

    shots         int64 [N, 2], frames [start, end)
    seconds_of    frame numbers → seconds (Timeline.seconds_of)
    frame_at      second → frame (Timeline.frame_at)
    scene_starts  int64 [M], indices of the shots that start a scene; the first is 0
    vectors       float32 [N, schema.dimension]
    signals       name → float64 [S], one value per second; names and units in backend/media/signals.py
    shot_signals  name → float64 [N]: face_count, face_share (largest face, share of the frame's area)
    speech_s      float64 [K, 2], intervals in which somebody speaks, seconds
    pauses_s      float64 [P], moments that suit an inner cut of a long take (quiet, still), seconds
    bands_s       name → float64 [B, 2], intervals in seconds: black, logo, title, credits, bars, tone
    """

    shots: Frames
    seconds_of: Callable[[Frames], Floats]
    frame_at: Callable[[float], int]
    scene_starts: Frames
    schema: FeatureSchema
    vectors: NDArray[np.float32]
    signals: Mapping[str, Floats]
    shot_signals: Mapping[str, Floats]
    speech_s: Floats = field(default_factory=lambda: np.zeros((0, 2)))
    pauses_s: Floats = field(default_factory=lambda: np.zeros(0))
    bands_s: Mapping[str, Floats] = field(default_factory=dict)

    def vectors_for(self, schema: FeatureSchema) -> NDArray[np.float32]:
        """Its vectors as a model of `schema` wants them, finite, float32 [N, schema.dimension].

        A film with an optional block still serves models that know nothing of it. Raises SchemaMismatch.
        """
        columns = self.schema.columns(schema)
        whole = len(columns) == self.schema.dimension and schema == self.schema
        vectors = self.vectors if whole else self.vectors[:, columns]
        return vectors if np.isfinite(vectors).all() else np.nan_to_num(vectors, posinf=0.0, neginf=0.0)

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last."""
        return float(self.seconds_of(self.shots[-1:, 1])[0]) if len(self.shots) else 0.0
