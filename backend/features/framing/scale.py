"""Shot scales, and the first guess at them: how high the largest face is in the picture.

A head is about an eighth of a standing person, and the face that MTCNN boxes (forehead to chin) about three quarters
of a head. From that, and from where each scale cuts the body, follow the limits; nothing was fitted to pictures. How
often they are right is in docs/decisions/0034-shot-grammar.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.features.base import FaceBox

NOBODY = "none"
"""The scale of a picture that shows nobody, or nobody's scale can be told: a landscape, a title, a hand."""

SCALES = ("extreme close-up", "close-up", "medium", "full", "long")
"""From near to far: part of a face; head and neck; waist up; the whole person; a person in a place."""

EXTREME, CLOSE, MEDIUM, FULL = 0.65, 0.34, 0.12, 0.06
"""Least heights of a face in heights of the picture; a face lower than FULL is in a long shot."""

BUST = (0.20, 0.50)
"""A medium close-up, head and chest, has a face of such a height, from … to …"""

RIVAL = 0.5
"""and no second face with so much of its area: it shows one person."""


@dataclass(frozen=True)
class Framing:
    """How a picture is framed. `scale`: one of SCALES, or NOBODY."""

    medium_close_up: bool
    scale: str

    @property
    def contradicts(self) -> bool:
        """Whether it says that nobody is seen in a medium close-up, which shows head and chest of somebody."""
        return self.medium_close_up and self.scale == NOBODY


def by_faces(faces: Sequence[FaceBox]) -> Framing:
    """The face-size rule for one picture: the largest face decides; without a face it is NOBODY's.

    It sees only faces: somebody seen from behind is nobody to it.
    """
    if not faces:
        return Framing(False, NOBODY)
    area, height = max((face.width * face.height, face.height) for face in faces)
    alone = sum(face.width * face.height >= RIVAL * area for face in faces) == 1
    return Framing(alone and BUST[0] <= height < BUST[1], scale_of(height))


def scale_of(height: float) -> str:
    """The shot scale of a face so high, in heights of the picture."""
    limits = (EXTREME, CLOSE, MEDIUM, FULL)
    return next((scale for scale, least in zip(SCALES, limits, strict=False) if height >= least), SCALES[-1])


def by_frame(faces: Sequence[FaceBox], frames: Sequence[int]) -> list[Framing]:
    """The rule for each keyframe of a shot, in the order of `frames`."""
    return [by_faces([face for face in faces if face.frame == frame]) for frame in frames]
