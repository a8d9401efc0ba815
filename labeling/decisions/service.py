"""Decisions as they come in, are taken back and are listed. Rows are only ever added.

The candidate's row is the lock: what is decided about one candidate happens one after the other, and what its decisions
add up to is written beside it in the same transaction.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import Conflict, NotAllowed, NotFound
from backend.library.models import Candidate
from backend.members.service import Principal, require_part, require_role
from labeling.decisions import statements
from labeling.decisions.models import CHOSEN, TRIM, UNDO, Decision
from labeling.decisions.replay import Row, standing, state
from labeling.decisions.shapes import DecisionNew, DecisionPublic
from labeling.decisions.trims import Cut, trimmed, windows_of
from labeling.queue import leases

UNDOABLE = 10
NOT_ASKED = {"strategy": CHOSEN, "propensity": None, "round": None, "overlap": False, "team": ""}


def save(
    session: Session, who: Principal, wanted: Sequence[DecisionNew], cuts: Sequence[Cut | None]
) -> list[DecisionPublic]:
    """Keep decisions, all or none; one whose key is known already is given as it was kept. `cuts`: their other cuts.

    Raises NotFound, NotAllowed, Conflict. Commits.
    """
    kept = keep(session, who, wanted, cuts)
    session.commit()
    return kept


def keep(
    session: Session, who: Principal, wanted: Sequence[DecisionNew], cuts: Sequence[Cut | None]
) -> list[DecisionPublic]:
    """The same within a transaction of more: the caller commits."""
    both = list(zip(wanted, cuts, strict=True))
    seen = [(_candidate(session, who, new.candidate, statements.SEEN), cut) for new, cut in both if cut is not None]
    windows = windows_of(session, [(trimmed(candidate), cut) for candidate, cut in seen], who.name)
    # All in one order, those of the cuts too: of two who lock the same in another order neither could go on.
    names = sorted({new.candidate for new in wanted}.union(windows.ids.values()))
    rows = {name: _candidate(session, who, name) for name in names}
    kept, fresh = list[DecisionPublic](), defaultdict[int, list[DecisionPublic]](list)
    for new, cut in both:
        candidate = rows[new.candidate]
        other = rows[windows.ids[candidate.movie_sha256, cut]] if cut is not None else None
        decision, added = _save_one(session, who, candidate, new, cut, other)
        kept.append(decision)
        for row in added:
            fresh[row.candidate_id].append(row)
    for name in sorted(fresh):
        # Of what nobody had decided about, these are all the rows.
        _write_state(session, name, _rows(session, name) if rows[name].decided else fresh[name])
    if windows.made:
        # What was known already needs no window that it did not make.
        none = (col(Candidate.id).in_(windows.made), col(Candidate.decided) == 0)
        session.connection().execute(delete(Candidate).where(*none))
    return kept


def undo(session: Session, who: Principal, decision_id: int) -> DecisionPublic:
    """Take a decision back by a new row, that of its trim too; doing it again gives the same row. Commits.

    Raises NotFound, NotAllowed for another's, Conflict for one that is not among the asker's last ten.
    """
    decision = _visible(session, who, decision_id)
    if decision.trim_of_id is not None:
        decision = session.get(Decision, decision.trim_of_id) or decision
    if decision.curator != who.name:
        raise NotAllowed(f"Only {decision.curator} can take this decision back.")
    if decision.verdict == UNDO:
        raise Conflict("This row takes a decision back already; decide anew instead.")
    trims = session.exec(select(Decision).where(col(Decision.trim_of_id) == decision.id)).all()
    for candidate_id in sorted({row.candidate_id for row in (decision, *trims)}):
        _candidate(session, who, candidate_id)
    taken_back = session.exec(select(Decision).where(col(Decision.undoes_id) == decision.id)).one_or_none()
    if taken_back is None:
        if decision.id not in _last(session, who, decision.project_id):
            raise Conflict(f"Only your last {UNDOABLE} decisions can be taken back; decide anew instead.")
        taken_back = _take_back(session, decision)
        for row in trims:
            _take_back(session, row)
        session.flush()
        for row in (decision, *trims):
            stands = refresh(session, row.candidate_id).get(who.name)
            if row is decision and (stands is None or stands.verdict == "skip"):
                leases.ask_again(session, who, row.candidate_id)
    shown = DecisionPublic.model_validate(taken_back)
    session.commit()
    return shown


def refresh(session: Session, candidate_id: int) -> dict[str, Row]:
    """Write what a candidate's decisions add up to beside it; gives what stands, by curator. The caller commits."""
    rows = _rows(session, candidate_id)
    _write_state(session, candidate_id, rows)
    return standing(rows)


@dataclass(frozen=True)
class Wanted:
    """Which decisions are asked for; what is left out does not narrow."""

    project_id: int
    candidate_id: int | None = None
    movie_sha256: str = ""
    curator: str = ""
    verdict: str = ""
    strategy: str = ""
    undone: bool | None = None


def list_decisions(session: Session, wanted: Wanted, limit: int, offset: int) -> tuple[list[DecisionPublic], int]:
    """Decisions, the newest first, and how many there are."""
    where = [col(Decision.project_id) == wanted.project_id]
    asked = {name: getattr(wanted, name) for name in ("candidate_id", "movie_sha256", "curator", "verdict", "strategy")}
    where += [col(getattr(Decision, name)) == value for name, value in asked.items() if value]
    gone = select(Decision.undoes_id).where(col(Decision.undoes_id).is_not(None))
    if wanted.undone is not None:
        where.append(col(Decision.id).in_(gone) if wanted.undone else col(Decision.id).not_in(gone))
    total = session.exec(select(func.count()).select_from(Decision).where(*where)).one()
    found = select(Decision).where(*where).order_by(col(Decision.id).desc()).limit(limit).offset(offset)
    return _shown(session, session.exec(found).all()), total


def _rows(session: Session, candidate_id: int) -> list[Row]:
    return cast("list[Row]", session.connection().execute(statements.ROWS, {"candidate": candidate_id}).all())


def _write_state(session: Session, candidate_id: int, rows: Sequence[Row]) -> None:
    now = {"candidate": candidate_id, "count": len(rows), "state": state(rows).verdict, "now": utc_now()}
    session.connection().execute(statements.STATE, now)


def _candidate(session: Session, who: Principal, candidate_id: int, statement: Any = statements.CANDIDATE) -> Any:
    """A row of CANDIDATE or SEEN; raises NotFound, NotAllowed."""
    asked = {"candidate": candidate_id, "person": who.person_id}
    row = session.connection().execute(statement, asked).one_or_none()
    if row is None or not (who.superuser or row.role):
        raise NotFound(f"There is no candidate {candidate_id}, or you are not a member of its project.")
    if not who.superuser and row.role not in ("curator", "admin"):
        require_role(session, who, row.project_id, "curator")
    return row


def _save_one(
    session: Session, who: Principal, candidate: Any, new: DecisionNew, cut: Cut | None, other: Any
) -> tuple[DecisionPublic, list[DecisionPublic]]:
    """The decision as it is kept, and what was added. `other` is the candidate that the cut is; both are locked."""
    values = _values(who, candidate, new, cut) | _why(session, who, candidate)
    kept = _insert(session, values)
    if kept is None:
        return _known(session, values), []
    if candidate.question is not None:
        leases.answer(session, candidate.question, skipped=new.verdict == "skip")
    if cut is None:
        return kept, [kept]
    of_cut = {"strategy": TRIM, "trim_of_id": kept.id, "key": f"{new.key}:{TRIM}"}
    also = _insert(session, _values(who, other, new, None) | of_cut)
    return kept, [kept, also] if also else [kept]


def _values(who: Principal, candidate: Any, new: DecisionNew, cut: Cut | None) -> dict[str, Any]:
    """A decision as it is kept, but for its id. `candidate`: a Candidate, or a row with its columns."""
    copied = ("project_id", "movie_sha256", "movie_title", "start_frame", "end_frame", "start_s", "end_s")
    return {
        **{name: getattr(candidate, name) for name in (*copied, "model", "score")},
        "candidate_id": candidate.id,
        "person_id": who.person_id,
        "curator": who.name,
        "verdict": new.verdict,
        "undoes_id": None,
        "reasons": list(dict.fromkeys(new.reasons)),
        "text": new.text.strip(),
        "trim_start_frame": cut.start_frame if cut else None,
        "trim_end_frame": cut.end_frame if cut else None,
        "trim_of_id": None,
        "spent_s": new.spent_s,
        **NOT_ASKED,
        "key": new.key,
        "decided_at": utc_now(),
    }


def _why(session: Session, who: Principal, candidate: Any) -> dict[str, Any]:
    """Why this was asked. Somebody who decides again was not asked again: then what was said before tells it."""
    source = candidate if candidate.question is not None else None
    if source is None and candidate.decided:
        asked = {"candidate": candidate.id, "curator": who.name}
        source = session.connection().execute(statements.EARLIER, asked).first()
    return {name: getattr(source, name) for name in NOT_ASKED} if source is not None else {}


def _insert(session: Session, values: dict[str, Any]) -> DecisionPublic | None:
    insert = statements.KEEP[session.get_bind().dialect.name]
    made = session.connection().execute(insert, values).scalar_one_or_none()
    return None if made is None else DecisionPublic.model_validate({"id": made, **values})


def _known(session: Session, values: Mapping[str, Any]) -> DecisionPublic:
    same = (col(getattr(Decision, name)) == values[name] for name in ("project_id", "curator", "key"))
    known = session.exec(select(Decision).where(*same)).one()
    if known.candidate_id != values["candidate_id"]:
        raise Conflict("This key belongs to your decision about another candidate; make a new key for each.")
    return _shown(session, [known])[0]


def _take_back(session: Session, decision: Decision) -> Decision:
    kept = {"id", "reasons", "text", "trim_start_frame", "trim_end_frame", "trim_of_id", "spent_s", "decided_at"}
    values = decision.model_dump(exclude=kept)
    row = Decision(**values | {"verdict": UNDO, "undoes_id": decision.id, "key": f"{decision.key}:{UNDO}"})
    session.add(row)
    session.flush()
    return row


def _last(session: Session, who: Principal, project_id: int) -> list[int | None]:
    """Ids of what somebody decided last and did not take back."""
    mine = (col(Decision.project_id) == project_id, col(Decision.curator) == who.name)
    gone = select(Decision.undoes_id).where(*mine, col(Decision.undoes_id).is_not(None))
    own = select(Decision.id).where(
        *mine, col(Decision.verdict) != UNDO, col(Decision.trim_of_id).is_(None), col(Decision.id).not_in(gone)
    )
    return list(session.exec(own.order_by(col(Decision.id).desc()).limit(UNDOABLE)).all())


def _visible(session: Session, who: Principal, decision_id: int) -> Decision:
    return require_part(session, who, session.get(Decision, decision_id), f"decision {decision_id}", "curator")


def _shown(session: Session, rows: Sequence[Decision]) -> list[DecisionPublic]:
    ids = [row.id for row in rows]
    gone = set(session.exec(select(Decision.undoes_id).where(col(Decision.undoes_id).in_(ids))).all())
    return [DecisionPublic.model_validate(row.model_dump() | {"undone": row.id in gone}) for row in rows]
