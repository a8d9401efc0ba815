"""Condensed Movies (Bain et al. 2020): the seven published CSV files, checked, and joined to one row a clip.

Clips that a distributor cut out of films it sells, with the film each comes from. Nothing here is a feature: a title,
a cast or a sentence about a clip says nothing of how it looks beside the rest of its film.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from backend.errors import InputError
from trainer.datasets.tables import Row, Table, literal, read_table, whole

FILES: Mapping[str, tuple[str, ...]] = {
    "movies": ("imdbid", "title", "year"),
    "clips": ("videoid", "year", "clip_idx", "clip_tot", "upload_year", "title", "clip_name", "imdbid"),
    "durations": ("videoid", "duration"),
    "descriptions": ("imdbid", "videoid", "description"),
    "casts": ("imdbid", "cast"),
    "movie_info": ("imdbid", "genre", "country"),
    "split": ("imdbid", "split"),
}
SPLITS = ("train", "val", "test")
VIDEO_ID = re.compile(r"[\w-]{11}", re.ASCII)
YEARS = (1888, 2100)
"""The first film there is was made in 1888."""
LONGEST_S = 24 * 3600
YEARS_APART = 2
"""Premiere and release differ by so many years; more, and the clip is of another film."""


@dataclass(frozen=True)
class Film:
    """A film of the list. `split` is the published one, by film; `year` is None where it is not known."""

    imdbid: str
    title: str
    year: int | None
    split: str
    genres: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    cast: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Clip:
    """A published clip. What is not known is None or empty.

    number, of   its place among the clips of its film, in order of the story, from 1; how many there were
    title, year  of the film, as the clip's page names it
    duration_s   without the advertisement that follows the film's pictures
    misfiled     title or year say that it comes from another film than the one it is listed under
    """

    videoid: str
    film: Film
    number: int | None
    of: int | None
    name: str
    title: str
    year: int | None
    upload_year: int | None
    duration_s: int | None
    description: str
    misfiled: bool = False


@dataclass(frozen=True)
class Dataset:
    """All clips that could be joined, in published order, and all films, with clips or without.

    dropped  what was left out, and how many rows each reason took
    missing  what is not known, and of how many it is not
    """

    clips: tuple[Clip, ...]
    films: Mapping[str, Film]
    dropped: Mapping[str, int]
    missing: Mapping[str, int]


@dataclass
class _Count:
    dropped: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)


def read_dataset(folder: Path) -> Dataset:
    """Read, check and join; raises InputError where a file is missing or is not what it should be."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}; it should hold the published CSV files.")
    absent = [f"{name}.csv" for name in FILES if not (folder / f"{name}.csv").is_file()]
    if absent:
        raise InputError(f"{str(folder)!r} has no {', '.join(absent)}.")
    tables = {name: read_table(folder / f"{name}.csv", columns) for name, columns in FILES.items()}
    count = _Count()
    for name, table in tables.items():
        count.dropped[f"{name}.csv: rows with too few or too many values"] = table.bad
    films = _films(tables, count)
    clips = _clips(tables, films, count)
    misfiled = _misfiled(clips)
    count.missing["clips that seem to be of another film than the one they are listed under"] = len(misfiled)
    marked = (replace(clip, misfiled=True) if clip.videoid in misfiled else clip for clip in clips)
    return Dataset(tuple(marked), films, +count.dropped, +count.missing)


def _films(tables: Mapping[str, Table], count: _Count) -> dict[str, Film]:
    rows = _by("imdbid", "movies", tables, count)
    splits, info, casts = (_by("imdbid", name, tables, count) for name in ("split", "movie_info", "casts"))
    films = {}
    for imdbid, row in rows.items():
        split = splits.get(imdbid, {}).get("split", "")
        if split not in SPLITS:
            count.dropped["movies.csv: films that are in no split"] += 1
            continue
        more = info.get(imdbid, {})
        films[imdbid] = Film(
            imdbid, row["title"], whole(row["year"], *YEARS), split, _names(more.get("genre")),
            _names(more.get("country")), _cast(casts.get(imdbid, {}).get("cast")),
        )  # fmt: skip
    if not films:
        raise InputError("No film of movies.csv is in split.csv.")
    for what, empty in (("year", "year"), ("genres", "genres"), ("cast", "cast")):
        count.missing[f"films without {what}"] = sum(not getattr(film, empty) for film in films.values())
    return films


def _clips(tables: Mapping[str, Table], films: Mapping[str, Film], count: _Count) -> list[Clip]:
    rows = _by("videoid", "clips", tables, count)
    durations, words = (_by("videoid", name, tables, count) for name in ("durations", "descriptions"))
    for name, other in (("durations", durations), ("descriptions", words)):
        count.dropped[f"{name}.csv: of clips that are not in clips.csv"] = len(other.keys() - rows.keys())
    clips = []
    for videoid, row in rows.items():
        if row["imdbid"] not in films:
            count.dropped["clips.csv: clips of a film that is not listed or in no split"] += 1
        elif not VIDEO_ID.fullmatch(videoid):
            count.dropped["clips.csv: clips whose id cannot be that of a video"] += 1
        else:
            seconds, said = durations.get(videoid, {}).get("duration", ""), words.get(videoid, {})
            clips.append(_clip(row, films[row["imdbid"]], seconds, said.get("description", "")))
    if not clips:
        raise InputError("No clip of clips.csv belongs to a film of movies.csv.")
    unknown = {"duration": "duration_s", "description": "description", "name": "name", "year": "year"}
    unknown |= {"number": "number", "number of clips of its film": "of"}
    for what, name in unknown.items():
        count.missing[f"clips without {what}"] = sum(not getattr(clip, name) for clip in clips)
    count.missing["films without a clip"] = len(films.keys() - {clip.film.imdbid for clip in clips})
    return clips


def _clip(row: Row, film: Film, seconds: str, description: str) -> Clip:
    return Clip(
        videoid=row["videoid"],
        film=film,
        number=whole(row["clip_idx"], 1, 1000),
        of=whole(row["clip_tot"], 1, 1000),
        name=row["clip_name"],
        title=row["title"],
        year=whole(row["year"], *YEARS),
        upload_year=whole(row["upload_year"], 2005, YEARS[1]),
        duration_s=whole(seconds, 1, LONGEST_S),
        description=description,
    )


def _by(key: str, name: str, tables: Mapping[str, Table], count: _Count) -> dict[str, Row]:
    """Rows by id, the first of each; of films in two splits none, since nobody could say which is meant."""
    found: dict[str, Row] = {}
    torn: set[str] = set()
    for row in tables[name].rows:
        first = found.setdefault(row[key], row)
        if first is not row:
            same = first == row
            count.dropped[f"{name}.csv: {'repeated rows' if same else 'second rows of the same id'}"] += 1
            if not same and name == "split":
                torn.add(row[key])
    return {one: row for one, row in found.items() if one and one not in torn}


def _names(value: str | None) -> tuple[str, ...]:
    found = literal(value or "")
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def _cast(value: str | None) -> tuple[tuple[str, str], ...]:
    found = literal(value or "")
    if not isinstance(found, dict):
        return ()
    return tuple((" ".join(str(who).split()), " ".join(str(role).split())) for who, role in found.items())


def _misfiled(clips: Iterable[Clip]) -> set[str]:
    """Ids of clips whose year is another film's, or whose title is, while the film has its own clips of these numbers.

    The list was joined by titles, so that "Fear" came to "Primal Fear", and "The Ring" to "The Fellowship of the Ring".
    """
    films: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        films[clip.film.imdbid].append(clip)
    found = set()
    for of_film in films.values():
        film = of_film[0].film
        own = [clip for clip in of_film if _plain(film.title) in _plain(clip.title)]
        numbers = {clip.number for clip in own} - {None}
        for clip in of_film:
            far = clip.year and film.year and abs(clip.year - film.year) > YEARS_APART
            if far or (clip not in own and clip.number in numbers):
                found.add(clip.videoid)
    return found


@lru_cache(10_000)
def _plain(title: str) -> str:
    return "".join(letter for letter in title.casefold() if letter.isalnum())
