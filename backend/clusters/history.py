"""What people corrected, in sentences."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import func
from sqlalchemy import select as rows_of
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from backend.clusters.models import Cluster, Correction, Kind
from backend.clusters.shapes import CorrectionPublic

THINGS = {"scene": ("place", "shot", "shots"), "character": ("person", "appearance", "appearances")}

_UNDO, _UNDONE = aliased(Correction), aliased(Correction)
_ROWS = (
    rows_of(
        *(col(Correction.id), col(Correction.kind), col(Correction.what), col(Correction.cluster_id)),
        *(col(Correction.facts), col(Correction.by), col(Correction.at), col(Correction.undoes_id)),
        *(col(_UNDO.id).label("undone_by"), col(_UNDONE.what).label("undone_what")),
        *(col(_UNDONE.cluster_id).label("undone_cluster"), col(_UNDONE.facts).label("undone_facts")),
    )
    .join(_UNDO, col(_UNDO.undoes_id) == col(Correction.id), isouter=True)
    .join(_UNDONE, col(_UNDONE.id) == col(Correction.undoes_id), isouter=True)
)
"""Corrections without where each item was, which may be much."""


def history(
    session: Session, project_id: int, kind: str | None, limit: int, offset: int
) -> tuple[list[CorrectionPublic], int]:
    """Corrections of a project, the newest first, and how many there are."""
    where = [col(Correction.project_id) == project_id]
    if kind:
        where.append(col(Correction.kind) == kind)
    total = session.exec(select(func.count()).select_from(Correction).where(*where)).one()
    rows = session.execute(_ROWS.where(*where).order_by(col(Correction.id).desc()).limit(limit).offset(offset)).all()
    return _shown(session, rows), total


def correction_shown(session: Session, correction_id: int) -> CorrectionPublic:
    """One correction by id."""
    return _shown(session, session.execute(_ROWS.where(col(Correction.id) == correction_id)).all())[0]


def _shown(session: Session, rows: Sequence[Any]) -> list[CorrectionPublic]:
    names = _names(session, rows)
    return [
        CorrectionPublic(
            id=row.id,
            kind=cast(Kind, row.kind),
            what=row.what,
            cluster=row.cluster_id,
            items=row.facts.get("items", 0),
            said=_said(row, names),
            by=row.by,
            at=row.at,
            undoes=row.undoes_id,
            undone_by=row.undone_by,
        )
        for row in rows
    ]


def _names(session: Session, rows: Sequence[Any]) -> dict[int, str]:
    """Names of all clusters that the corrections speak of."""
    wanted: set[int] = set()
    for row in rows:
        for cluster, facts in ((row.cluster_id, row.facts), (row.undone_cluster, row.undone_facts or {})):
            wanted |= {cluster or 0, *facts.get("left", []), *facts.get("merged", [])}
    found = rows_of(col(Cluster.id), col(Cluster.name)).where(col(Cluster.id).in_(sorted(wanted)))
    return dict(session.execute(found).all())


def _said(row: Any, names: dict[int, str]) -> str:
    if row.what == "undo":
        return f"Taken back: {_sentence(row.kind, row.undone_what, row.undone_cluster, row.undone_facts, names)}"
    return _sentence(row.kind, row.what, row.cluster_id, row.facts, names)


def _sentence(kind: str, what: str, cluster: int | None, facts: dict[str, Any], names: dict[int, str]) -> str:
    thing, one, many = THINGS[kind]
    count = facts.get("items", 0)
    items = f"{count} {one if count == 1 else many}"

    def called(*clusters: int) -> str:
        return " and ".join(names.get(each) or f"{thing} {each}" for each in clusters)

    here, left = called(cluster or 0), facts.get("left", [])
    if what == "rename":
        before, after = facts["names"][str(cluster)][:2]
        if not after:
            return f"{before} has no name any more." if before else f"{here} has no name."
        return f"{before or f'{thing} {cluster}'} is called {after}."
    if what == "merge":
        return f"{called(*facts['merged'])} became one with {here}."
    if what == "more" and cluster is None:
        return f"{items} more {_are(count)} not {called(*left)}."
    if what == "more":
        return f"{items} more moved to {here}."
    if what == "remove":
        return f"{items} {_are(count)} not {called(*left)}."
    if what in ("new", "split"):
        of = f" of {called(*left)}" if left else ""
        return f"{items}{of} became {here}."
    return f"{items} moved to {here}."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
