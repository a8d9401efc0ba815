"""Decisions carried in. What is here already, by curator and key, is known; so doing it twice adds nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from backend.database import insert_ignoring
from backend.library.models import Candidate, Movie
from backend.members.models import Person
from labeling.decisions import statements
from labeling.decisions.exporting import ROWS
from labeling.decisions.models import Decision
from labeling.decisions.records import COLUMNS, NEEDED, DecisionRecord, of_cells, record_of
from labeling.decisions.service import refresh
from labeling.decisions.shapes import Imported
from labeling.sheets import BadRow, Row, bad, read_csv, read_json_lines, shaped, unknown_names

AT_ONCE = 50
"""So many at a time: curators at work do not wait for all of them."""

WINDOW = ("project_id", "movie_sha256", "start_frame", "end_frame")
COPIED = tuple(name for name in COLUMNS if name in Decision.model_fields)


def _table(body: bytes) -> list[Row]:
    return [Row(row.line, of_cells(row.values), row.problem) for row in read_csv(body, NEEDED)]


READERS: Mapping[str, Callable[[bytes], list[Row]]] = {"jsonl": read_json_lines, "csv": _table}
"""Name of the format → what reads it."""


def bring_in(engine: Engine, project_id: int, rows: Sequence[Row]) -> Imported:
    """Keep the decisions that are right, in the order of the file, and name the others. Commits a few at a time."""
    counts, wrong = Counter[str](), list[BadRow]()
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        with Session(engine) as session:
            for row, found in zip(some, _some(session, project_id, some), strict=True):
                if found in ("added", "known"):
                    counts[found] += 1
                else:
                    wrong.append(bad(row, found))
            session.commit()
    unknown = unknown_names([row for row in rows if not row.problem], COLUMNS)
    return Imported(read=len(rows), added=counts["added"], known=counts["known"], bad=wrong, ignored=unknown)


def _some(session: Session, project_id: int, rows: Sequence[Row]) -> list[str]:
    """Of each row "added", "known", or what is wrong with it."""
    records = [shaped(row, DecisionRecord) for row in rows]
    right = [one for one in records if isinstance(one, DecisionRecord)]
    candidates, made = _candidates(session, project_id, right)
    said, changed = list[str](), set[int]()
    for record in records:
        if isinstance(record, BadRow):
            said.append(record.problem)
            continue
        candidate = candidates[_window(record)]
        said.append(_one(session, project_id, candidate, record))
        if said[-1] == "added":
            changed.add(candidate)
    for candidate in sorted(changed):
        refresh(session, candidate)
    session.execute(delete(Candidate).where(col(Candidate.id).in_(made - changed)))
    return said


def _one(session: Session, project_id: int, candidate_id: int, record: DecisionRecord) -> str:
    known = _known(session, project_id, record.curator, record.key)
    if known is not None:
        return "known" if record_of(known) == record else "there is another decision of this curator with this key"
    links = dict[str, int | None]()
    for name, key in (("undoes_id", record.undoes), ("trim_of_id", record.trim_of)):
        other = _known(session, project_id, record.curator, key) if key else None
        if key and other is None:
            return f"the decision {key} that it names is not here; it must come before"
        links[name] = other.id if other else None
        if name == "undoes_id" and other is not None and _undone(session, other.id):
            return f"the decision {key} was taken back already"
    person = session.exec(select(Person.id).where(col(Person.name) == record.curator)).first()
    values: dict[str, Any] = {name: getattr(record, name) for name in COPIED}
    values |= links | {"reasons": list(record.reasons)}
    values |= {"project_id": project_id, "candidate_id": candidate_id, "person_id": person}
    kept = session.connection().execute(statements.KEEP[session.get_bind().dialect.name], values)
    return "added" if kept.scalar_one_or_none() is not None else "known"


def _known(session: Session, project_id: int, curator: str, key: str) -> Any:
    wanted = ROWS.where(col(Decision.curator) == curator, col(Decision.key) == key)
    return session.connection().execute(wanted, {"project": project_id}).one_or_none()


def _undone(session: Session, decision_id: int) -> bool:
    return session.exec(select(Decision.id).where(col(Decision.undoes_id) == decision_id)).first() is not None


Window = tuple[str, int, int]


def _window(record: DecisionRecord) -> Window:
    return record.movie_sha256, record.start_frame, record.end_frame


def _candidates(
    session: Session, project_id: int, records: Sequence[DecisionRecord]
) -> tuple[dict[Window, int], set[int]]:
    """Window → its candidate, locked; made where there is none, with the film or without it. And which were made."""
    found, fresh = dict[Window, int](), set[int]()
    # In one order for all who lock several.
    for window, record in sorted({_window(record): record for record in records}.items()):
        movie = select(Movie.id).where(col(Movie.project_id) == project_id, col(Movie.sha256) == record.movie_sha256)
        made = Candidate(
            project_id=project_id,
            movie_id=session.exec(movie).first(),
            **record.model_dump(include={"movie_sha256", "movie_title", "source", "start_frame", "end_frame"}),
            **record.model_dump(include={"start_s", "end_s", "score", "model"}),
            created_by=record.curator if record.source == "manual" else "",
        ).model_dump(exclude={"id"})
        insert = insert_ignoring(session, Candidate, WINDOW).values(made).returning(col(Candidate.id))
        fresh.update(session.execute(insert).scalars())
        same = (col(getattr(Candidate, name)) == made[name] for name in WINDOW)
        found[window] = session.exec(select(Candidate.id).where(*same).with_for_update()).one() or 0
    return found, fresh
