"""Reads what a model takes of a title: its text, its poster, its sound, clips of its film."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backend.analysis.catalogue.titles import Title
from backend.errors import InputError
from backend.features.base import Image
from backend.features.catalogue.base import Modality, Model

Reader = Callable[[Title], Sequence[Any]]
"""From a title to its parts as `Model.prepare` takes them; raises InputError with the reason why it is skipped."""

SIDE = 256
"""Shorter side of the frames that video models get: what the largest of them asks for."""

PASSAGE = 250
"""Characters of what is said that are read together: all models take so many without leaving any out."""

NOT_NAMED: dict[Modality, str] = {
    "text": "no plot",
    "image": "no poster is named",
    "audio": "no trailer or film is named",
    "video": "no trailer or film is named",
}


def reader_of(model: Model, seconds: float | None) -> Reader:
    """How titles are read for a model; of sound the first `seconds`, None for all."""

    def read(title: Title) -> Sequence[Any]:
        if model.modality == "text" and title.path is None:
            return [title.text or ""]
        path = _file_of(title, model.modality)
        if model.modality == "text":
            return list(read_passages(path))
        if model.modality == "image":
            return [read_picture(path)]
        from backend.media import excerpts

        if model.clips is not None:
            plan = model.clips
            return [excerpts.read_clips(path, clips=plan.clips, frames=plan.frames, step_s=plan.step_s, side=SIDE)]
        return [(excerpts.read_log_mel if model.per_second else excerpts.read_start_of_sound)(path, seconds)]

    return read


def _file_of(title: Title, modality: Modality) -> Path:
    if title.path is None:
        raise InputError(NOT_NAMED[modality])
    if not title.path.is_file():
        raise InputError(f"there is no file {str(title.path)!r}")
    return title.path


def read_passages(path: Path) -> Iterator[str]:
    """What is said in a subtitle file, as passages of some lines each; raises InputError where there is nothing."""
    from backend.media.subtitles import MAX_SIDECAR_BYTES, read_subtitles

    lines = read_subtitles(path) if path.stat().st_size <= MAX_SIDECAR_BYTES else ()
    if not lines:
        raise InputError(f"the subtitles {path.name!r} cannot be read, or nothing is said in them")
    passage = ""
    for line in lines:
        if passage and len(passage) + len(line.text) >= PASSAGE:
            yield passage
            passage = ""
        passage = f"{passage} {line.text}".strip()
    yield passage


def read_picture(path: Path) -> Image:
    """A picture upright and on white where it is transparent, RGB uint8 [height, width, 3]; raises InputError."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            # A picture of a hundred million points is no poster.
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(path) as opened:
                upright = ImageOps.exif_transpose(opened)
                return np.asarray(_on_white(upright).convert("RGB"), np.uint8)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise InputError(f"the picture {path.name!r} is too large") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as broken:
        raise InputError(f"the picture {path.name!r} cannot be read: {type(broken).__name__}") from None


def _on_white(picture: Any) -> Any:
    from PIL import Image as Pillow

    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    seen = picture.convert("RGBA")
    white = Pillow.new("RGBA", seen.size, (255, 255, 255, 255))
    return Pillow.alpha_composite(white, seen)
