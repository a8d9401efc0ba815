"""A small Condensed Movies for tests: the seven CSV files, as they are published, with what a test changes."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILM, OTHER = "tt1254207", "tt0000002"
CLIPS = tuple(f"aaaaaaaaa0{number}" for number in (1, 2, 3))
STRAY = "bbbbbbbbb01"

Rows = Sequence[Sequence[Any]]
TABLES: Mapping[str, tuple[str, Rows]] = {
    "movies": ("imdbid,title,year", [(FILM, "Big Buck Bunny", "2008.0"), (OTHER, "Fear", "1996.0")]),
    "clips": (
        "videoid,year,clip_idx,clip_tot,upload_year,title,clip_name,imdbid",
        [
            *((name, "2008.0", n, 3, 2015, "Big Buck Bunny", f"Part {n}", FILM) for n, name in enumerate(CLIPS, 1)),
            (STRAY, "1996.0", 1, 1, 2011, "Fear", "All the Time", OTHER),
        ],
    ),
    "durations": ("videoid,duration", [*((name, 12) for name in CLIPS), (STRAY, 30)]),
    "descriptions": ("imdbid,videoid,description", [(FILM, CLIPS[0], 'He says, "no".')]),
    "casts": ("imdbid,cast", [(FILM, "{'Frank': 'Squirrel       (as F.)'}"), (OTHER, "")]),
    "movie_info": ("imdbid,genre,country", [(FILM, "['Animation', 'Short']", "['Netherlands']")]),
    "split": ("imdbid,split", [(FILM, "train"), (OTHER, "test")]),
}


def write_tables(folder: Path, **changed: Rows | str) -> Path:
    """The files in `folder`: rows of a table in place of the usual ones, or the whole text of its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (header, usual) in TABLES.items():
        rows = changed.get(name, usual)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            if isinstance(rows, str):
                file.write(rows)
            else:
                csv.writer(file).writerows([header.split(","), *rows])
    return folder
