"""Decisions of a project carried out: all rows, undone ones too, in the order in which they were made."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, Select, bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from backend.library.models import Candidate, Movie
from labeling.decisions.labelstudio import Films, task
from labeling.decisions.models import Decision
from labeling.decisions.records import HEADER, csv_line, json_line, record_of

AT_ONCE = 500

_UNDONE, _TRIMMED = aliased(Decision), aliased(Decision)
ROWS: "Select[Any]" = (
    select(
        *(column for column in Decision.__table__.columns),  # type: ignore[attr-defined]
        *(col(_UNDONE.key).label("undoes"), col(_TRIMMED.key).label("trim_of")),
        *(col(Candidate.source), col(Candidate.movie_id)),
    )
    .join(Candidate, col(Candidate.id) == col(Decision.candidate_id))
    .join(_UNDONE, col(_UNDONE.id) == col(Decision.undoes_id), isouter=True)
    .join(_TRIMMED, col(_TRIMMED.id) == col(Decision.trim_of_id), isouter=True)
    .where(col(Decision.project_id) == bindparam("project"))
)
"""Decisions with what a record names besides."""

_AFTER = ROWS.where(col(Decision.id) > bindparam("last")).order_by(col(Decision.id)).limit(AT_ONCE)
_CANDIDATES = (
    select(col(Candidate.id))
    .where(
        col(Candidate.project_id) == bindparam("project"),
        col(Candidate.decided) > 0,
        col(Candidate.id) > bindparam("last"),
    )
    .order_by(col(Candidate.id))
    .limit(AT_ONCE)
)
_OF_CANDIDATES = (
    ROWS.add_columns(col(Movie.path), col(Movie.rate))
    .join(Movie, col(Movie.id) == col(Candidate.movie_id), isouter=True)
    .where(col(Decision.candidate_id).in_(bindparam("candidates", expanding=True)))
    .order_by(col(Decision.candidate_id), col(Decision.id))
)


def json_lines(reading: Engine, project_id: int, _films: Films) -> Iterator[str]:
    """One JSON object a line."""
    yield from (json_line(record_of(row)) for row in _rows(reading, project_id))


def table(reading: Engine, project_id: int, _films: Films) -> Iterator[str]:
    """CSV with names in the first line."""
    yield HEADER
    yield from (csv_line(record_of(row)) for row in _rows(reading, project_id))


def label_studio(reading: Engine, project_id: int, films: Films) -> Iterator[str]:
    """Tasks for Label Studio: a clip each, with an annotation for every curator who stands by something."""
    between = "[\n"
    for rows in _by_candidate(reading, project_id):
        made = task(rows, films)
        if made is not None:
            yield between + json.dumps(made, ensure_ascii=False)
            between = ",\n"
    yield "\n]\n" if between == ",\n" else "[]\n"


def _rows(reading: Engine, project_id: int) -> Iterator[Any]:
    """A few at a time, each time anew: nobody waits for who reads slowly."""
    last = 0
    while True:
        with Session(reading) as session:
            rows = session.connection().execute(_AFTER, {"project": project_id, "last": last}).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1].id


def _by_candidate(reading: Engine, project_id: int) -> Iterator[list[Any]]:
    last = 0
    while True:
        with Session(reading) as session:
            connection = session.connection()
            ids = connection.execute(_CANDIDATES, {"project": project_id, "last": last}).scalars().all()
            rows = connection.execute(_OF_CANDIDATES, {"project": project_id, "candidates": ids}).all() if ids else []
        yield from (list(of) for _, of in groupby(rows, key=lambda row: row.candidate_id))
        if len(ids) < AT_ONCE:
            return
        last = ids[-1] or 0


FORMATS: dict[str, tuple[Callable[[Engine, int, Films], Iterator[str]], str, str]] = {
    "jsonl": (json_lines, "application/x-ndjson", "jsonl"),
    "csv": (table, "text/csv", "csv"),
    "label-studio": (label_studio, "application/json", "json"),
}
"""Name → what writes it, its content type, and how its files end."""
