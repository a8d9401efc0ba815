"""What corrections teach, listed and carried out: pairs of all that stand, in the order in which they were made."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Engine, func
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from backend.clusters.keys import parse_key
from backend.clusters.links import stands
from backend.clusters.models import Correction, FeedbackPair, Kind
from backend.clusters.shapes import Feedback, FeedbackItem
from backend.database import in_parts
from backend.library.models import Candidate, Movie

AT_ONCE = 500

_COLUMNS = (
    *(col(FeedbackPair.id), col(FeedbackPair.kind), col(FeedbackPair.correction_id), col(FeedbackPair.anchor)),
    *(col(FeedbackPair.positive), col(FeedbackPair.negative)),
    *(col(Correction.at), col(Correction.by), col(Correction.what)),
)


def feedback(
    session: Session, project_id: int, kind: str | None, limit: int, offset: int
) -> tuple[list[Feedback], int]:
    """Pairs of a project, and how many there are; those of corrections that were taken back are left out."""
    rows = _rows(project_id, kind)
    total = session.execute(rows_of(func.count()).select_from(rows.subquery())).scalar_one()
    found = session.execute(rows.order_by(col(FeedbackPair.id)).limit(limit).offset(offset)).all()
    return _shown(session, project_id, found), total


def json_lines(reading: Engine, project_id: int, kind: str | None = None) -> Iterator[str]:
    """The same, one JSON object a line. A few at a time, each time anew: nobody waits for who reads slowly."""
    last = 0
    while True:
        with Session(reading) as session:
            after = _rows(project_id, kind).where(col(FeedbackPair.id) > last).order_by(col(FeedbackPair.id))
            rows = session.execute(after.limit(AT_ONCE)).all()
            shown = _shown(session, project_id, rows)
        yield from (json.dumps(pair.model_dump(mode="json"), ensure_ascii=False) + "\n" for pair in shown)
        if len(rows) < AT_ONCE:
            return
        last = rows[-1].id


def _rows(project_id: int, kind: str | None) -> Any:
    found = (
        rows_of(*_COLUMNS)
        .join(Correction, col(Correction.id) == col(FeedbackPair.correction_id))
        .where(col(FeedbackPair.project_id) == project_id, stands(col(FeedbackPair.correction_id)))
    )
    return found.where(col(FeedbackPair.kind) == kind) if kind else found


def _shown(session: Session, project_id: int, rows: Sequence[Any]) -> list[Feedback]:
    keys = {key for row in rows for key in (row.anchor, row.positive, row.negative) if key}
    titles = _titles(session, project_id, {parse_key(key).sha256 for key in keys})
    return [
        Feedback(
            kind=cast(Kind, row.kind),
            correction=row.correction_id,
            at=row.at,
            by=row.by,
            what=row.what,
            anchor=_item(row.anchor, titles),
            positive=_item(row.positive, titles),
            negative=_item(row.negative, titles) if row.negative else None,
        )
        for row in rows
    ]


def _item(key: str, titles: dict[str, str]) -> FeedbackItem:
    film = parse_key(key)
    return FeedbackItem(
        key=key,
        movie_sha256=film.sha256,
        movie_title=titles.get(film.sha256, ""),
        frame=film.frame,
        x=film.x,
        y=film.y,
    )


def _titles(session: Session, project_id: int, films: set[str]) -> dict[str, str]:
    """Titles by checksum: of a film that is gone as its candidates have it, where any outlived it."""
    found: dict[str, str] = {}
    for part in in_parts(films):
        outlived = rows_of(col(Candidate.movie_sha256), func.max(Candidate.movie_title)).where(
            col(Candidate.project_id) == project_id, col(Candidate.movie_sha256).in_(part)
        )
        found |= dict(session.execute(outlived.group_by(col(Candidate.movie_sha256))).all())
        there = select(Movie.sha256, Movie.title).where(
            col(Movie.project_id) == project_id, col(Movie.sha256).in_(part)
        )
        found |= {sha256 or "": title for sha256, title in session.exec(there).all()}
    return found
