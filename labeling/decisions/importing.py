"""Decisions carried in. What is here already, by curator and key, is known; so doing it twice adds nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from backend.database import insert_ignoring
from backend.library.models import Candidate, Movie
from backend.members.models import Person
from labeling.decisions import statements
from labeling.decisions.exporting import ROWS
from labeling.decisions.models import UNDO, Decision
from labeling.decisions.records import COLUMNS, NEEDED, DecisionRecord, of_cells, record_of
from labeling.decisions.service import refresh
from labeling.decisions.shapes import Imported
from labeling.decisions.trims import WINDOW
from labeling.sheets import BadRow, Row, bad, read_csv, read_json_lines, shaped, unknown_names

AT_ONCE = 50
"""So many at a time: curators at work do not wait for all of them."""

COPIED = tuple(name for name in COLUMNS if name in Decision.model_fields)


def _table(body: bytes) -> list[Row]:
    return [replace(row, values=of_cells(row.values)) for row in read_csv(body, COLUMNS, NEEDED)]


READERS: Mapping[str, Callable[[bytes], list[Row]]] = {
    "jsonl": partial(read_json_lines, known=COLUMNS),
    "csv": _table,
}
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
    return Imported(
        read=len(rows), added=counts["added"], known=counts["known"], bad=wrong, ignored=unknown_names(rows)
    )


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
        # Where the clip came from is said by the candidate, which may be here for another reason.
        same = record_of(known) == record.model_copy(update={"source": known.source})
        return "known" if same else "there is another decision of this curator with this key"
    undoes = _known(session, project_id, record.curator, record.undoes) if record.undoes else None
    trim_of = _known(session, project_id, record.curator, record.trim_of) if record.trim_of else None
    problem = _undo_problem(session, record, undoes) or _trim_problem(record, trim_of)
    if problem:
        return problem
    person = session.exec(select(Person.id).where(col(Person.name) == record.curator)).first()
    values: dict[str, Any] = {name: getattr(record, name) for name in COPIED}
    values |= {"undoes_id": undoes and undoes.id, "trim_of_id": trim_of and trim_of.id}
    values |= {"reasons": list(record.reasons), "project_id": project_id, "candidate_id": candidate_id}
    insert = statements.KEEP[session.get_bind().dialect.name]
    kept = session.connection().execute(insert, values | {"person_id": person})
    return "added" if kept.scalar_one_or_none() is not None else "known"


def _undo_problem(session: Session, record: DecisionRecord, undone: Any) -> str:
    """What is wrong with what a row takes back; `undone` is that decision."""
    if record.undoes is None:
        return ""
    if undone is None:
        return f"undoes: there is no decision {record.undoes} of {record.curator} before this row"
    if undone.verdict == UNDO or _window(undone) != _window(record):
        return f"undoes: {record.undoes} is no decision about this clip"
    again = session.exec(select(Decision.id).where(col(Decision.undoes_id) == undone.id)).first()
    return f"undoes: {record.undoes} was taken back already" if again is not None else ""


def _trim_problem(record: DecisionRecord, trimmed: Any) -> str:
    """What is wrong with the decision whose other cut this is."""
    if record.trim_of is None:
        return ""
    if trimmed is None:
        return f"trim_of: there is no decision {record.trim_of} of {record.curator} before this row"
    cut = (trimmed.movie_sha256, trimmed.trim_start_frame, trimmed.trim_end_frame)
    return "" if cut == _window(record) else f"trim_of: {record.trim_of} has another cut than this"


def _known(session: Session, project_id: int, curator: str, key: str) -> Any:
    wanted = ROWS.where(col(Decision.curator) == curator, col(Decision.key) == key)
    return session.connection().execute(wanted, {"project": project_id}).one_or_none()


Window = tuple[str, int, int]


def _window(row: Any) -> Window:
    """Of a record, or of a row with its columns."""
    return row.movie_sha256, row.start_frame, row.end_frame


def _candidates(
    session: Session, project_id: int, records: Sequence[DecisionRecord]
) -> tuple[dict[Window, int], set[int]]:
    """Window → its candidate, locked; made where there is none, with the film or without it. And which were made."""
    found, fresh = dict[Window, int](), set[int]()
    for window, record in sorted({_window(record): record for record in records}.items()):
        movie = select(Movie.id).where(col(Movie.project_id) == project_id, col(Movie.sha256) == record.movie_sha256)
        made = Candidate(
            project_id=project_id,
            movie_id=session.exec(movie).first(),
            **record.model_dump(include={"movie_sha256", "movie_title", "source", "start_frame", "end_frame"}),
            **record.model_dump(include={"start_s", "end_s", "score", "model"}),
            created_by=record.curator if record.source != "ranking" else "",
        ).model_dump(exclude={"id"})
        insert = insert_ignoring(session, Candidate, WINDOW).values(made).returning(col(Candidate.id))
        fresh.update(session.execute(insert).scalars())
        same = (col(getattr(Candidate, name)) == made[name] for name in WINDOW)
        found[window] = session.exec(select(Candidate.id).where(*same)).one() or 0
    # In the order in which those who decide lock several.
    lock = select(Candidate.id).where(col(Candidate.id).in_(found.values())).order_by(col(Candidate.id))
    session.exec(lock.with_for_update()).all()
    return found, fresh
