"""CSV: a line for each clip, for spreadsheets and scripts."""

import csv
import io
from collections.abc import Iterator

from backend.cells import cell
from backend.exports.base import ClipList, Exporter
from backend.exports.checks import guarded
from backend.exports.document import ClipPart, FilmPart
from backend.exports.list_json import document

COLUMNS = (
    *("number", "key", "name", "title", "file", "path", "sha256", "rate"),
    *("start_timecode", "end_timecode", "start_s", "end_s", "duration_s", "start_frame", "end_frame"),
    *("exported_start_frame", "exported_end_frame", "record_in", "record_out"),
    *("score", "viral", "compelling", "band", "reasons", "note", "model", "rights", "embargo_until", "decisions"),
)
BETWEEN = "; "


def _row(clip: ClipPart, film: FilmPart) -> dict[str, object]:
    return clip.model_dump() | {
        "title": film.title,
        "file": film.name,
        "path": film.path,
        "sha256": film.sha256,
        "rate": film.rate,
        "duration_s": round(clip.end_s - clip.start_s, 6),
        "reasons": BETWEEN.join(clip.reasons),
        "decisions": BETWEEN.join(map(str, clip.decisions)),
    }


def _pieces(clip_list: ClipList) -> Iterator[bytes]:
    made = document(clip_list)
    films = {film.id: film for film in made.films}
    yield _line(dict(zip(COLUMNS, COLUMNS, strict=True)))
    yield from (_line(_row(clip, films[clip.film])) for clip in made.clips)


def _line(values: dict[str, object]) -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(cell(values[name]) for name in COLUMNS)
    return file.getvalue().encode()


EXPORTER = Exporter(
    name="csv",
    title="CSV",
    suffix=".csv",
    media_type="text/csv; charset=utf-8",
    write=guarded(_pieces),
    opens_in="Spreadsheets",
)
