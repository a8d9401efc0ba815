"""What a training of framing looks at: labelled stills as grey pictures and as vectors, by film."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.analysis.still_features import StillFeatures, still_features
from backend.analysis.stills import DIGITS, StoredStill, read_index, read_picture
from backend.errors import InputError
from backend.features.base import Extractor, Vectors
from backend.features.framing.network import grey
from labeling.framing.labels import Frame, Label, read_labels

Rows = NDArray[np.int64]
Yes = NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """N labelled stills.

    pixels   float32 [N, 1, 128, 128]
    vectors  float32 [N, 1280]
    yes      bool [N]: labelled a medium close-up
    guess    bool [N]: what the face-size rule says
    film     int64 [N]: place in `titles`
    scale    of each the label's, and `guessed` the rule's
    missing  labels whose frame is no still of the folder
    """

    folder: Path
    stills: tuple[StoredStill, ...]
    pixels: Vectors
    vectors: Vectors
    yes: Yes
    guess: Yes
    film: Rows
    titles: tuple[str, ...]
    scale: tuple[str, ...]
    guessed: tuple[str, ...]
    missing: int

    def __len__(self) -> int:
        return len(self.stills)


def read_material(
    folder: Path,
    labels: Path,
    extractors: Mapping[str, Extractor],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Material:
    """The labelled stills of a folder; raises InputError where there are too few to learn from, or a file is wrong."""
    if not labels.exists():
        raise InputError(f"There are no labels {str(labels)!r}; `selects framing label {folder}` makes them.")
    said = read_labels(labels)
    found = {(still.film, still.frame): still for still in read_index(folder)}
    chosen = [frame for frame in sorted(said) if frame in found]
    stills = tuple(found[frame] for frame in chosen)
    seen = still_features(folder, stills, extractors, progress)
    made = _material(folder, stills, [said[frame] for frame in chosen], seen, len(said) - len(chosen))
    _require_enough(made, said)
    return made


def _material(
    folder: Path, stills: tuple[StoredStill, ...], labels: list[Label], seen: StillFeatures, missing: int
) -> Material:
    films = list(dict.fromkeys(still.film for still in stills))
    return Material(
        folder=folder,
        stills=stills,
        # One by one: pictures are much larger than what is kept of them.
        pixels=np.concatenate([grey([]), *(grey([read_picture(folder, still)]) for still in stills)]),
        vectors=seen.vectors,
        yes=np.array([label.framing.medium_close_up for label in labels], bool),
        guess=np.array([guess.medium_close_up for guess in seen.guesses], bool),
        film=np.array([films.index(still.film) for still in stills], np.int64),
        titles=film_names(stills),
        scale=tuple(label.framing.scale for label in labels),
        guessed=tuple(guess.scale for guess in seen.guesses),
        missing=missing,
    )


def film_names(stills: Sequence[StoredStill]) -> tuple[str, ...]:
    """The title of each film, by first still; with the checksum's beginning where another film has it, too."""
    titles = {still.film: still.title for still in stills}
    shared = Counter(titles.values())
    return tuple(title if shared[title] == 1 else f"{title} ({film[:DIGITS]})" for film, title in titles.items())


def _require_enough(made: Material, said: Mapping[Frame, Label]) -> None:
    if len(said) and not len(made):
        raise InputError(
            f"None of the {len(said)} labelled frames is a still of {str(made.folder)!r}; run `selects framing frames` "
            "on the films that were labelled, with the same --every."
        )
    if not made.yes.any() or made.yes.all():
        kind = "medium close-up" if not made.yes.any() else "other frame"
        raise InputError(f"Of {len(made)} labelled stills none is a {kind}: there is nothing to tell apart.")
    if len(made.titles) < 2:
        raise InputError("The labels are of one film: how a model does on films it has not seen needs two at least.")
