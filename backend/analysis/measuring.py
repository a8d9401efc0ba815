"""The features of a film that need no picture: made of sound, signals and words, which costs little."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from backend.analysis.looking import Seen
from backend.analysis.request import FACE_EXTRACTORS, AnalysisRequest
from backend.features.base import Extracted, FaceBox, ShotMaterial
from backend.features.store import FeatureStore
from backend.media.audio import Sound
from backend.media.lines import Line
from backend.media.scan import Scan


def measure(
    request: AnalysisRequest, seen: Seen, sound: Sound, dialogue: tuple[Line, ...], sha256: str
) -> dict[str, Extracted]:
    """All features: those of the pictures, and the ones made of sound, signals and words, which cost little."""
    store = FeatureStore(request.home / "features")
    others = {name: e for name, e in request.extractors.items() if name not in seen.features}
    done = dict(seen.features)
    material: list[ShotMaterial] | None = None
    for name, extractor in others.items():
        inputs = request.inputs_of(name, seen.scan, dialogue)
        stored = store.get(sha256, extractor, inputs=inputs)
        if stored is None:
            material = material or shot_material(seen.scan, sound, dialogue, found_faces(seen.features))
            extractor.load()
            stored = extractor.extract(material)
            store.put(sha256, extractor, stored, inputs=inputs)
        done[name] = stored
    return done


def found_faces(features: Mapping[str, Extracted]) -> Sequence[tuple[FaceBox, ...]]:
    """The faces of each shot, by whichever extractor looked for them; empty where none did."""
    return next((features[name].faces for name in FACE_EXTRACTORS if name in features and features[name].faces), ())


def shot_material(
    scan: Scan, sound: Sound, dialogue: tuple[Line, ...], faces: Sequence[tuple[FaceBox, ...]] = ()
) -> list[ShotMaterial]:
    """What is known of each shot besides its pictures."""
    spans = scan.timeline.seconds_of(scan.shots)
    material = []
    for index, ((start, end), (start_s, end_s)) in enumerate(zip(scan.shots, spans, strict=True)):
        empty = ShotMaterial(0.0, 0.0, keyframe_at=scan.keyframes[index], faces=faces[index] if faces else ())
        rows = sound.log_mel[int(start_s) : max(int(start_s) + 1, int(np.ceil(end_s)))]
        said = " ".join(line.text for line in dialogue if line.start_s < end_s and line.end_s > start_s)
        signals = scan.signals[start:end]
        material.append(replace(empty, start_s=start_s, end_s=end_s, log_mel=rows, frames=signals, dialogue=said))
    return material
