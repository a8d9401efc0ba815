"""Which clips and films of a data set a folder holds, by the ids in the names of its files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend.errors import InputError
from backend.library.places import SUFFIXES
from trainer.datasets.condensed_movies import Dataset

FILM_ID = re.compile(r"(?<![A-Za-z0-9])tt\d{7,9}(?![A-Za-z0-9])")
VIDEO_ID_LETTERS = 11


@dataclass(frozen=True)
class Owned:
    """Files by id, the first where there are several; `other` files are named after nothing that is listed."""

    films: dict[str, Path]
    clips: dict[str, Path]
    other: int


def owned_files(folder: Path, dataset: Dataset) -> Owned:
    """Films are named by their IMDb id, clips by their video id: alone, in brackets, or behind a dash at the end.

    Raises InputError where there is no such folder, or nothing of the list in it.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}.")
    known = {clip.videoid for clip in dataset.clips}
    found, other = Owned({}, {}, 0), 0
    for path in _videos(folder):
        clip = _video_id(path.stem, known)
        film = next((name for name in FILM_ID.findall(path.stem) if name in dataset.films), "")
        if clip:
            found.clips.setdefault(clip, path)
        elif film:
            found.films.setdefault(film, path)
        else:
            other += 1
    if not found.films and not found.clips:
        raise InputError(
            f"No film and no clip of the list is in {str(folder)!r}: files are named by the clip's video id "
            "(dQw4w9WgXcQ.mkv) or the film's IMDb id (tt0087277.mp4)."
        )
    return Owned(found.films, found.clips, other)


def _videos(folder: Path) -> Iterator[Path]:
    paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    return (path for path in sorted(paths) if path.is_file())


def _video_id(stem: str, known: set[str]) -> str:
    """The id that downloading programs put into a name: `ID`, `Title-ID`, `Title [ID]`."""
    bare = stem.removesuffix("]")
    end = bare[-VIDEO_ID_LETTERS:]
    before = bare[:-VIDEO_ID_LETTERS]
    return end if end in known and (not before or not before[-1].isalnum()) else ""
