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
    """What the scan knows of one frame: small picture (BGR uint8), its luma, HSV change and luma change to the frame
    before and mean light, these 0 … 255.
    """

    number: int
    picture: NDArray[np.uint8]
    grey: NDArray[np.uint8]
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


class PySceneDetect(CutDetector):
    """One of PySceneDetect's rules for cuts, with blends or PySceneDetect's fades beside it."""

    def __init__(self, rule: str, rate: Fraction) -> None:
        self._min_shot_frames = max(2, round(rate * Fraction(MIN_SHOT_S)))
        self._rule: SceneDetector = (
            _Adaptive(min_scene_len=self._min_shot_frames)
            if rule == "adaptive"
            else _Content(min_scene_len=self._min_shot_frames)
        )
        self._blends = BlendDetector(round(rate * Fraction(BLEND_REACH_S))) if rule == "adaptive" else None
        self._fades = (
            ThresholdDetector(threshold=FADE_LEVEL, min_scene_len=self._min_shot_frames) if rule == "content" else None
        )
        self._last_hard = self._last = 0

    def push(self, frame: Measured) -> list[int]:
        at = FrameTimecode(frame.number, fps=NOMINAL_FPS)
        # Hue is noise where it is dark: without a visible change of luma there is no cut.
        change = frame.change if frame.motion >= MIN_LUMA_CHANGE else 0.0
        hard = [cut.frame_num for cut in self._rule.process_frame(at, np.float64(change))]
        self._last_hard = max([self._last_hard, *hard])
        soft: list[int] = []
        if self._blends:
            soft = self._blends.push(frame.number, frame.grey, self._last_hard)
        if self._fades:
            soft = [cut.frame_num for cut in self._fades.process_frame(at, np.float64(frame.light))]
        return self._accept(hard + soft)

    def finish(self) -> list[int]:
        return self._accept(self._blends.finish()) if self._blends else []

    def _accept(self, cuts: list[int]) -> list[int]:
        accepted = []
        for cut in sorted(cuts):
            if cut - self._last >= self._min_shot_frames:
                accepted.append(cut)
                self._last = cut
        return accepted


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
    "adaptive": lambda rate: PySceneDetect("adaptive", rate),
    "content": lambda rate: PySceneDetect("content", rate),
    "transnet": None,
}
"""Names to makers; transnet has none here, since its model is handed in as a function."""
