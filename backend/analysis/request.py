"""What to analyse of a film, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.errors import UnknownName
from backend.features.base import Extractor
from backend.features.moonshine import SpeechRecogniser
from backend.features.schema import FeatureSchema
from backend.features.store import digest
from backend.media.lines import Line
from backend.media.scan import Scan
from backend.media.shots import DETECTORS, CutDetector, FromModel

CLIP_FRAMES = 16
FACE_EXTRACTORS = ("faces", "facenet")
PICTURES = frozenset({"keyframes", "clip"})
"""What extractors read that is made while the film is decoded."""


@dataclass(frozen=True)
class AnalysisRequest:
    """What to analyse and how.

    extractors     by name; those of the schema and the ones stored beside it. Weights are loaded when needed
    schema         the vector that ranking uses
    model_detector makes the cut detector of a model ("transnet"), when `detector` names one
    audio_track    which of the film's audio tracks is heard, counted from 0
    transcribe     makes the lines of a film that has speech and no subtitles; None: such a film has none
    """

    path: Path
    home: Path
    schema: FeatureSchema
    extractors: Mapping[str, Extractor]
    detector: str = "adaptive"
    fast: bool = False
    model_detector: Callable[[], CutDetector] | None = None
    audio_track: int = 0
    transcribe: Callable[[], SpeechRecogniser] | None = None

    @property
    def clip_frames(self) -> int:
        """Pictures per shot that video models need; 0 where no extractor reads them."""
        return CLIP_FRAMES if any("clip" in e.reads for e in self.extractors.values()) else 0

    @property
    def scan_key(self) -> str:
        """What makes one scan differ from another of the same film."""
        return digest(self.detector, self.fast, self.clip_frames)

    def inputs_of(self, name: str, scan: Scan, dialogue: tuple[Line, ...]) -> str:
        """The same of an extractor by name, as `looking` and `measuring` store what it made."""
        extractor = self.extractors[name]
        if extractor.reads & PICTURES:
            return self.inputs(scan, extractor)
        if "faces" in extractor.reads:
            finders = [self.extractors[each] for each in FACE_EXTRACTORS if each in self.extractors]
            return self.inputs(scan, extractor, *((e.name, e.version, e.weights_stamp) for e in finders))
        heard = (self.audio_track,) if self.audio_track else ()
        return self.inputs(scan, extractor, dialogue, *heard)

    def inputs(self, scan: Scan, extractor: Extractor, *more: object) -> str:
        """What decides the vectors that `extractor` makes of a scanned film; `more` is what it reads besides."""
        return digest(self.scan_key, scan.shots, scan.keyframes, extractor.weights_stamp, *more)


def model_detector(name: str) -> Callable[[], CutDetector] | None:
    """What makes the detector called `name` where that is a model, else None; raises UnknownName."""
    if name not in DETECTORS:
        raise UnknownName("detector", name, DETECTORS)
    if name != "transnet":
        return None

    def make() -> CutDetector:
        from backend.features.transnet import TransNet

        return FromModel(TransNet().watch)

    return make
