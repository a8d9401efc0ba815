"""How a shot moves: 64 plain figures from its per-frame signals, each with a name."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.features.base import Extracted, Extractor, ShotMaterial

Floats = NDArray[np.float64]

NAMES = (
    *("duration_s", "log_duration"),
    *(f"motion_{part}" for part in ("mean", "std", "p10", "p50", "p90", "max")),
    *(f"change_{part}" for part in ("mean", "std", "p50", "p90", "max")),
    *(f"light_{part}" for part in ("mean", "std", "min", "max")),
    *("contrast_mean", "contrast_std", "colour_mean", "colour_std", "flatness_mean", "flatness_max"),
    *("motion_trend", "light_trend", "contrast_trend", "colour_trend"),
    *("motion_peaks_per_s", "change_peaks_per_s", "still_share", "flicker", "motion_peak_at"),
    *(f"motion_curve_{k:02d}" for k in range(16)),
    *(f"change_curve_{k}" for k in range(8)),
    *(f"light_curve_{k}" for k in range(8)),
)
"""The entries, in order.

motion … flatness as in media.signals.FRAME_SIGNALS; the difference across the cut that starts the shot does not
                  count as motion or change
log_duration      ln(1 + seconds)
*_trend           second half's mean minus the first half's
*_peaks_per_s     local maxima above mean + one standard deviation, per second
still_share       share of frames with motion below 0.005
flicker           mean absolute difference of light from frame to frame
motion_peak_at    where the greatest motion lies, 0 (start) … 1 (end)
*_curve_k         means over equal parts of the shot
"""

STILL = 0.005
COLUMNS = ("change", "motion", "light", "contrast", "colour", "flatness")
"""The columns of ShotMaterial.frames: media.signals.FRAME_SIGNALS, not imported here but tested to be equal."""


class Dynamics(Extractor):
    """64 figures of motion, light and length; see NAMES."""

    name = "dynamics"
    block = "dynamics"
    dimension = 64
    reads = frozenset({"frames"})

    def extract(self, shots: Sequence[ShotMaterial]) -> Extracted:
        """Float32 [shots, 64]; zeros besides the duration where a shot has no frames."""
        rows = [_row(shot) for shot in shots]
        return Extracted(np.array(rows, np.float32).reshape(len(shots), self.dimension))


def _row(shot: ShotMaterial) -> Floats:
    seconds = max(shot.end_s - shot.start_s, 0.0)
    length = [seconds, np.log1p(seconds)]
    if not len(shot.frames):
        return np.array(length + [0.0] * (len(NAMES) - 2))
    table = {name: shot.frames[:, k].astype(np.float64) for k, name in enumerate(COLUMNS)}
    inside = slice(1, None)
    motion, change = table["motion"][inside], table["change"][inside]
    if not len(motion):
        motion = change = np.zeros(1)
    light, contrast, colour = table["light"], table["contrast"], table["colour"]
    parts = [
        length,
        [motion.mean(), motion.std(), *np.percentile(motion, (10, 50, 90)), motion.max()],
        [change.mean(), change.std(), *np.percentile(change, (50, 90)), change.max()],
        [light.mean(), light.std(), light.min(), light.max(), contrast.mean(), contrast.std()],
        [colour.mean(), colour.std(), table["flatness"].mean(), table["flatness"].max()],
        [_trend(motion), _trend(light), _trend(contrast), _trend(colour)],
        [_peaks(motion) / max(seconds, 0.04), _peaks(change) / max(seconds, 0.04), (motion < STILL).mean()],
        [np.abs(np.diff(light)).mean() if len(light) > 1 else 0.0, np.argmax(motion) / max(len(motion) - 1, 1)],
        curve(motion, 16),
        curve(change, 8),
        curve(light, 8),
    ]
    return np.concatenate([np.asarray(part, np.float64) for part in parts])


def _trend(values: Floats) -> float:
    half = len(values) // 2
    return float(values[-half:].mean() - values[:half].mean()) if half else 0.0


def _peaks(values: Floats) -> int:
    """Local maxima above the mean by more than one standard deviation."""
    if len(values) < 3:
        return 0
    middle = values[1:-1]
    high = middle > values.mean() + values.std()
    return int((high & (middle > values[:-2]) & (middle >= values[2:])).sum())


def curve(values: Floats, bins: int) -> Floats:
    """Means over `bins` equal parts, float64 [bins]; a value that lies on an edge counts to both sides by its share."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.interp(np.linspace(0, len(values), bins + 1), np.arange(len(total)), total)
    return np.asarray(np.diff(at) * (bins / len(values)), np.float64)
