"""All clips that a folder holds, located in the films that it holds: kept, so that the next run goes on from there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.analysis.checksum import checksums_file, film_checksum
from backend.errors import FilmUnreadable
from backend.files import write_atomically
from labeling.references.footage import Footage
from labeling.references.watching import watch
from trainer.datasets.condensed_movies import Clip, Dataset
from trainer.datasets.locating import Location, locate
from trainer.datasets.owned import Owned
from trainer.datasets.progress import PreparingBars

VERSION = 1
NO_FILM = "its film is not here"
NOT_THERE = "its film does not show it for sure"


@dataclass
class Found:
    """Where clips lie in their films, by video id, and why the others of the folder could not be located."""

    located: dict[str, Location] = field(default_factory=dict)
    not_located: dict[str, str] = field(default_factory=dict)


def locate_clips(dataset: Dataset, owned: Owned, work: Path, home: Path, bars: PreparingBars) -> Found:
    """Locate every clip that is held together with its film; a file that cannot be read costs itself alone.

    work  where scans of clips and what was found are kept; scans of films are those of `home`
    """
    found = Found()
    held = [clip for clip in dataset.clips if clip.videoid in owned.clips]
    for clip in held:
        if clip.film.imdbid not in owned.films:
            found.not_located[clip.videoid] = NO_FILM
    by_film = {imdbid: [clip for clip in held if clip.film.imdbid == imdbid] for imdbid in owned.films}
    total, done = sum(1 + len(clips) for clips in by_film.values() if clips), 0
    for imdbid, clips in by_film.items():
        if not clips:
            continue
        bars.step(dataset.films[imdbid].title or imdbid, done, total)
        _in_film(_Film(owned, imdbid, work, home, bars, done, total), clips, found)
        done += 1 + len(clips)
    return found


@dataclass(frozen=True)
class _Film:
    """A film whose clips are being located, and how far the whole work has come."""

    owned: Owned
    imdbid: str
    work: Path
    home: Path
    bars: PreparingBars
    done: int
    total: int


def _in_film(film: _Film, clips: Sequence[Clip], found: Found) -> None:
    path = film.owned.films[film.imdbid]
    try:
        whole = watch(path, film.home, film.bars)
        sha256 = film_checksum(path, checksums_file(film.home), lambda *_: None)
    except FilmUnreadable as problem:
        found.not_located |= {clip.videoid: str(problem) for clip in clips}
        return
    for number, clip in enumerate(clips, 1):
        film.bars.step(clip.name or clip.videoid, film.done + number, film.total)
        try:
            location = _kept_or_located(film, whole, sha256, clip)
        except FilmUnreadable as problem:
            found.not_located[clip.videoid] = str(problem)
            continue
        if location:
            found.located[clip.videoid] = location
        else:
            found.not_located[clip.videoid] = NOT_THERE


def _kept_or_located(film: _Film, whole: Footage, sha256: str, clip: Clip) -> Location | None:
    path = film.owned.clips[clip.videoid]
    own = film_checksum(path, checksums_file(film.work), lambda *_: None)
    kept = film.work / "located" / f"v{VERSION}-{sha256[:20]}-{own[:20]}-{clip.duration_s or 0}.json"
    try:
        said = json.loads(kept.read_text())
        return Location(**said) if said else None
    except (OSError, ValueError, TypeError):
        location = locate(whole, watch(path, film.work, film.bars), clip.duration_s)
        write_atomically(kept, json.dumps(vars(location) if location else None).encode())
        return location
