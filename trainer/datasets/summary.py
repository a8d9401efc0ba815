"""What there is of Condensed Movies: counted, as JSON, as tables for a terminal, and as a Parquet file of its clips."""

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from backend.files import write_atomically
from trainer.datasets.condensed_movies import SPLITS, Dataset

if TYPE_CHECKING:
    from trainer.datasets.locating import Location

MOST_GENRES = 12
NO_GENRE = "(unknown)"


def summary(dataset: Dataset) -> dict[str, Any]:
    """Counts as plain values; durations in seconds, of the clips whose duration is known."""
    clips = dataset.clips
    return {
        "films": len(dataset.films),
        "films_with_clips": len({clip.film.imdbid for clip in clips}),
        "clips": len(clips),
        "durations": _durations([clip.duration_s for clip in clips if clip.duration_s]),
        "splits": {split: _split(dataset, split) for split in SPLITS},
        "genres": _genres(dataset),
        "dropped": dict(dataset.dropped),
        "missing": dict(dataset.missing),
    }


def _durations(seconds: list[int]) -> dict[str, float]:
    if not seconds:
        return {"clips": 0, "hours": 0.0}
    total = {"clips": len(seconds), "hours": round(sum(seconds) / 3600, 1)}
    return total | {"shortest_s": min(seconds), "median_s": median(seconds), "longest_s": max(seconds)}


def _split(dataset: Dataset, split: str) -> dict[str, float]:
    own = [clip for clip in dataset.clips if clip.film.split == split]
    hours = sum(clip.duration_s or 0 for clip in own) / 3600
    films = sum(film.split == split for film in dataset.films.values())
    with_clips = len({clip.film.imdbid for clip in own})
    return {"films": films, "films_with_clips": with_clips, "clips": len(own), "hours": round(hours, 1)}


def _genres(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Films and clips by genre, most clips first; a film has one to three."""
    films: Counter[str] = Counter()
    clips: Counter[str] = Counter()
    for film in dataset.films.values():
        films.update(film.genres or (NO_GENRE,))
    for clip in dataset.clips:
        clips.update(clip.film.genres or (NO_GENRE,))
    return {name: {"films": films[name], "clips": clips[name]} for name in sorted(films, key=lambda n: (-clips[n], n))}


def show(counted: Mapping[str, Any]) -> None:
    """Tables on a terminal, quiet lines elsewhere."""
    from rich.console import Console

    out = Console(highlight=False)
    for title, columns, rows in _tables(counted):
        if out.is_terminal:
            _show_table(out, title, columns, rows)
        else:
            for row in rows:
                out.print(f"{title}: {row[0]}: {_line(columns, row)}", soft_wrap=True, markup=False)


def _line(columns: tuple[str, ...], row: tuple[str, ...]) -> str:
    if len(columns) == 2:
        return row[1]
    return ", ".join(f"{value} {name}" for name, value in zip(columns[1:], row[1:], strict=True))


def _show_table(out: Any, title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, style="dim" if number == 0 else "", justify="right" if number else "left")
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    out.print(table)
    out.print()


def _tables(counted: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    splits = [
        (name, *(f"{one[key]:,}" for key in ("films", "films_with_clips", "clips", "hours")))
        for name, one in counted["splits"].items()
    ]
    whole = (counted["films"], counted["films_with_clips"], counted["clips"], counted["durations"]["hours"])
    splits.append(("all", *(f"{number:,}" for number in whole)))
    seconds = [(name, f"{number:,}") for name, number in counted["durations"].items()]
    genres = [(name, f"{one['films']:,}", f"{one['clips']:,}") for name, one in counted["genres"].items()]
    return [
        ("Split, by film", ("split", "films", "with clips", "clips", "hours"), splits),
        ("Durations", ("of clips", "value"), seconds),
        ("Genres", ("genre", "films", "clips"), genres[:MOST_GENRES]),
        *(
            (title, ("what", "rows"), [(what, f"{count:,}") for what, count in counted[key].items()])
            for title, key in (("Left out", "dropped"), ("Not known, or doubtful", "missing"))
            if counted[key]
        ),
    ]


def write_clips(path: Path, dataset: Dataset, located: Mapping[str, "Location"]) -> None:
    """One row a clip; where it lies in the user's copy of its film, in seconds, where it was located. OutputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    clips = dataset.clips
    texts, names = pa.string(), pa.list_(pa.string())
    places = [located.get(clip.videoid) for clip in clips]
    films = list(dataset.films.values())
    numbers = {imdbid: number for number, imdbid in enumerate(dataset.films)}
    film_of = pa.array([numbers[clip.film.imdbid] for clip in clips], pa.int64())
    table = pa.table({
        "videoid": pa.array([clip.videoid for clip in clips], texts),
        "imdbid": pa.array([clip.film.imdbid for clip in clips], texts),
        "split": pa.array([clip.film.split for clip in clips], texts),
        "film_title": pa.array([clip.film.title for clip in clips], texts),
        "film_year": pa.array([clip.film.year for clip in clips], pa.int16()),
        "title": pa.array([clip.title for clip in clips], texts),
        "year": pa.array([clip.year for clip in clips], pa.int16()),
        "name": pa.array([clip.name for clip in clips], texts),
        "number": pa.array([clip.number for clip in clips], pa.int16()),
        "of": pa.array([clip.of for clip in clips], pa.int16()),
        "upload_year": pa.array([clip.upload_year for clip in clips], pa.int16()),
        "duration_s": pa.array([clip.duration_s for clip in clips], pa.int32()),
        "description": pa.array([clip.description for clip in clips], texts),
        "genres": pa.array([film.genres for film in films], names).take(film_of),
        "countries": pa.array([film.countries for film in films], names).take(film_of),
        "cast": pa.array([film.cast for film in films], pa.map_(texts, texts)).take(film_of),
        "misfiled": pa.array([clip.misfiled for clip in clips], pa.bool_()),
        "film_start_s": pa.array([place and place.film_start_s for place in places], pa.float64()),
        "film_end_s": pa.array([place and place.film_end_s for place in places], pa.float64()),
        "confidence": pa.array([place and place.confidence for place in places], pa.float32()),
    })  # fmt: skip
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())
