"""Where one shot ends and the next begins. One rule a class; `DETECTORS` lists them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray
from scenedetect.common import FrameTimecode
from scenedetect.detector import SceneDetector
from scenedetect.detectors import AdaptiveDetector, ContentDetector, ThresholdDetector

from backend.media.blends import BlendDetector

MIN_SHOT_S = "0.3"
BLEND_REACH_S = "1/3"
MIN_LUMA_CHANGE = 2.0
FADE_LEVEL = 12
NOMINAL_FPS = 100.0


@dataclass(frozen=True)
class Measured:
    """What the scan knows of one frame: small picture (BGR uint8), its luma miniature, HSV and luma change to the frame
    before and mean light, these 0 … 255.
    """

    number: int
    picture: NDArray[np.uint8]
    miniature: NDArray[np.uint8]
    change: float
    motion: float
    light: float


class CutDetector(ABC):
    """Watches frames go by and says where shots start."""

    @abstractmethod
    def push(self, frame: Measured) -> list[int]:
        """Take the next frame; give the first frames of shots known by now, each once, in order."""

    def finish(self) -> list[int]:
        """First frames of shots that only the end of the film decides."""
        return []


class _FromScore:
    """Lets a PySceneDetect detector take the change that the scan has measured already, in place of the picture."""

    def _calculate_frame_score(self, timecode: FrameTimecode, frame_img: NDArray[np.float64]) -> float:
        return float(frame_img)


class _Adaptive(_FromScore, AdaptiveDetector):  # type: ignore[misc]
    pass


class _Content(_FromScore, ContentDetector):  # type: ignore[misc]
    pass


class _Apart:
    """Lets cuts through that keep a minimal shot length to the one before."""

    def __init__(self, rate: Fraction) -> None:
        self.min_frames = max(2, round(rate * Fraction(MIN_SHOT_S)))
        self._last = 0

    def accept(self, cuts: list[int]) -> list[int]:
        accepted = []
        for cut in sorted(cuts):
            if cut - self._last >= self.min_frames:
                accepted.append(cut)
                self._last = cut
        return accepted


class Adaptive(CutDetector):
    """PySceneDetect's adaptive rule for cuts, and blends for fades and dissolves."""

    def __init__(self, rate: Fraction) -> None:
        self._apart = _Apart(rate)
        self._cuts = _Adaptive(min_scene_len=self._apart.min_frames)
        self._blends = BlendDetector(round(rate * Fraction(BLEND_REACH_S)))
        self._last_cut = 0

    def push(self, frame: Measured) -> list[int]:
        # Hue is noise where it is dark: without a visible change of luma there is no cut.
        change = frame.change if frame.motion >= MIN_LUMA_CHANGE else 0.0
        # The rule only compares and subtracts its times; plain frame numbers cost a tenth of FrameTimecode.
        cuts = [int(cut) for cut in self._cuts.process_frame(frame.number, np.float64(change))]
        self._last_cut = max([self._last_cut, *cuts])
        return self._apart.accept(cuts + self._blends.push(frame.number, frame.miniature, self._last_cut))

    def finish(self) -> list[int]:
        return self._apart.accept(self._blends.finish())


class Content(CutDetector):
    """PySceneDetect's content rule for cuts and its threshold rule for fades through black."""

    def __init__(self, rate: Fraction) -> None:
        self._apart = _Apart(rate)
        self._rules: tuple[SceneDetector, SceneDetector] = (
            _Content(min_scene_len=self._apart.min_frames),
            ThresholdDetector(threshold=FADE_LEVEL, min_scene_len=self._apart.min_frames),
        )

    def push(self, frame: Measured) -> list[int]:
        at = FrameTimecode(frame.number, fps=NOMINAL_FPS)
        seen = zip(self._rules, (frame.change, frame.light), strict=True)
        return self._apart.accept(
            [c.frame_num for rule, value in seen for c in rule.process_frame(at, np.float64(value))]
        )


class FromModel(CutDetector):
    """Cuts from a model that `features` owns: a function from one RGB frame [27, 48, 3] (None at the end) to the cuts
    known by then.
    """

    def __init__(self, watch: Callable[[NDArray[np.uint8] | None], list[int]]) -> None:
        self._watch = watch

    def push(self, frame: Measured) -> list[int]:
        small = cv2.resize(frame.picture, (48, 27), interpolation=cv2.INTER_AREA)
        return self._watch(np.ascontiguousarray(small[:, :, ::-1]))

    def finish(self) -> list[int]:
        return self._watch(None)


DETECTORS: dict[str, Callable[[Fraction], CutDetector] | None] = {
    "adaptive": Adaptive,
    "content": Content,
    "transnet": None,
}
"""Names to makers; transnet has none here, since its model is handed in as a function."""
