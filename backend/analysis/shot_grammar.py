"""Dialogue scenes of two characters, from what is stored of a film: faces, people, speech, framing."""

from collections.abc import Sequence

import numpy as np

from backend.analysis.film import Known
from backend.analysis.view import share_of_shots
from backend.clusters.appearances import FACE_SPACES, followed
from backend.clusters.grouping import NOISE
from backend.clusters.people import join
from backend.clusters.tracks import seen_together
from backend.features.base import FaceBox
from backend.features.framing.scale import by_frame
from backend.features.framing.scenes import DialogueScene, Portrait, dialogue_scenes


def film_dialogue_scenes(known: Known, medium: Sequence[bool] | None = None) -> list[DialogueScene]:
    """The dialogue scenes of a film; none where no faces were looked for.

    medium  for each shot whether it is a medium close-up, where a trained model has judged; else the face-size rule
            judges: it is one if half of its keyframes are
    """
    name = next((name for name in FACE_SPACES if name in known.features and known.features[name].faces), None)
    if name is None:
        return []
    faces = known.features[name].faces
    judged = (
        medium if medium is not None else [_is_medium(*shot) for shot in zip(faces, known.scan.keyframes, strict=True)]
    )
    people = _people(known, name)
    spans = known.scan.timeline.seconds_of(known.scan.shots)
    spoken_s = share_of_shots(known.speech_s, spans) * (spans[:, 1] - spans[:, 0])
    portraits = [
        Portrait(float(start), float(end), person if close else None, float(speech))
        for (start, end), person, close, speech in zip(spans, people, judged, spoken_s, strict=True)
    ]
    return dialogue_scenes(portraits)


def _is_medium(faces: Sequence[FaceBox], frames: Sequence[int]) -> bool:
    seen = [framing.medium_close_up for framing in by_frame(faces, frames)]
    return bool(seen) and 2 * sum(seen) >= len(seen)


def _people(known: Known, name: str) -> list[int | None]:
    """Who is largest in each shot: a number of the film's own, None where nobody is known."""
    extracted, space = known.features[name], FACE_SPACES[name]
    seen = followed(extracted, space.dimension)
    people: list[int | None] = [None] * len(extracted.faces)
    if not len(seen):
        return people
    frames = [seen.frames_of(t) for t in range(len(seen))]
    groups = join(
        seen.vectors, np.full(len(seen), NOISE, np.int64), seen_together(seen.shot.tolist(), frames), space.scale
    )
    largest = np.zeros(len(people))
    for t, (shot, group) in enumerate(zip(seen.shot.tolist(), groups.tolist(), strict=True)):
        size = float(seen.box[t, 2] * seen.box[t, 3])
        if size > largest[shot]:
            largest[shot] = size
            people[shot] = group if group != NOISE else None
    return people
