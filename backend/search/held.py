"""One film as it is held in memory for searching: facts of its shots, and its mapped vectors."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from backend.errors import SelectsError
from backend.library.models import DialogueLine, Shot
from backend.search.copies import FilmKey, Floats
from backend.search.filters import FilmRef
from backend.search.peaks import Peaks, peaks
from backend.search.rows import FeaturesLost, rows_for_search
from backend.search.spaces import Space
from backend.search.stems import postings

if TYPE_CHECKING:
    from backend.resources import Resources

SPOKEN_SHARE = 0.05
"""A shot has speech where somebody speaks in this share of it, or where there are words to it."""

log = structlog.get_logger("selects.search")


@dataclass(frozen=True)
class Shots:
    """Facts of a film's shots: frames and seconds [shots, 2], `picture` the frame of the middle keyframe or -1.

    in_dialogue  in a dialogue scene of two characters
    """

    scene: NDArray[np.int64]
    frames: NDArray[np.int64]
    seconds: NDArray[np.float64]
    has_faces: NDArray[np.bool_]
    has_speech: NDArray[np.bool_]
    picture: NDArray[np.int64]
    in_dialogue: NDArray[np.bool_]

    @property
    def duration_s(self) -> NDArray[np.float64]:
        """Length of each shot."""
        return self.seconds[:, 1] - self.seconds[:, 0]


@dataclass(frozen=True)
class Line:
    """Something said in a film."""

    start_s: float
    end_s: float
    text: str


@dataclass(frozen=True, eq=False)
class HeldFilm:
    """A film in one space.

    shot_of  int64 [rows]: the number of the shot that each row belongs to
    filled   bool [rows]: rows that hold something
    lines    what was said, one a row, in a space of lines
    """

    ref: FilmRef
    vectors: Floats
    shots: Shots
    shot_of: NDArray[np.int64]
    filled: NDArray[np.bool_]
    lines: tuple[Line, ...] = ()

    @property
    def name(self) -> tuple[int, str]:
        """What it is held under."""
        return self.ref.name

    @cached_property
    def postings(self) -> dict[str, list[int]]:
        """In which lines each word is."""
        return postings([line.text for line in self.lines])

    @cached_property
    def peaks(self) -> Peaks:
        """The highest figures of each row, in a space of probabilities."""
        return peaks(self.vectors)


def load_film(
    resources: "Resources", session: Session, space: Space, ref: FilmRef, shots: Shots | None = None
) -> HeldFilm:
    """The film as rows and files have it now; without rows, and with a warning, where they do not agree.

    `shots` are its shots where they are known already.
    """
    shots = shots or shots_of(session, ref.movie_id)
    lines, shot_of = _lines(session, ref.movie_id) if space.rows == "lines" else ((), np.arange(ref.rows))
    try:
        if len(shot_of) != ref.rows or shot_of.max(initial=-1) >= len(shots.scene):
            raise FeaturesLost("The index has other rows than the film.")
        vectors = rows_for_search(resources, FilmKey(space.name, ref.sha256, ref.inputs), ref.rows)
    except SelectsError as problem:
        log.warning("a film cannot be searched", movie=ref.movie_id, space=space.name, problem=problem.detail)
        nothing = np.zeros((0, space.dimension), np.float32)
        return HeldFilm(ref, nothing, shots, shot_of[:0], np.zeros(0, bool))
    return HeldFilm(ref, vectors, shots, shot_of, np.any(vectors, axis=1), lines)


def shots_of(session: Session, movie_id: int) -> Shots:
    """The facts of a film's shots."""
    columns = (
        *(col(Shot.scene), col(Shot.start_frame), col(Shot.end_frame), col(Shot.start_s), col(Shot.end_s)),
        *(col(Shot.faces), col(Shot.speech), col(Shot.dialogue), col(Shot.keyframes)),
        col(Shot.dialogue_scene),
    )
    found = select(*columns).where(col(Shot.movie_id) == movie_id).order_by(col(Shot.number))  # type: ignore[call-overload]
    rows = session.connection().execute(found).all()
    return Shots(
        scene=np.array([row[0] for row in rows], np.int64),
        frames=np.array([row[1:3] for row in rows], np.int64).reshape(-1, 2),
        seconds=np.array([row[3:5] for row in rows], np.float64).reshape(-1, 2),
        has_faces=np.array([row[5] > 0 for row in rows], bool),
        has_speech=np.array([row[6] >= SPOKEN_SHARE or bool(row[7]) for row in rows], bool),
        picture=np.array([row[8][len(row[8]) // 2] if row[8] else -1 for row in rows], np.int64),
        in_dialogue=np.array([row[9] is not None for row in rows], bool),
    )


def _lines(session: Session, movie_id: int) -> tuple[tuple[Line, ...], NDArray[np.int64]]:
    columns = (DialogueLine.shot, DialogueLine.start_s, DialogueLine.end_s, DialogueLine.text)
    found = select(*columns).where(col(DialogueLine.movie_id) == movie_id).order_by(col(DialogueLine.number))
    said = session.exec(found).all()
    return tuple(Line(*row[1:]) for row in said), np.array([row[0] for row in said], np.int64)
