"""What there is to say of a project's models: versions, what is live, the history of that."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from sqlalchemy import func
from sqlmodel import Session, col, select

from backend.members.models import Role
from backend.members.service import Principal, require_part
from backend.scoring.explain import PRIOR
from backend.scoring.live import LiveModels
from backend.scoring.models import Live, ModelVersion, Promotion
from trainer.versions.shapes import Change, FigurePublic, LivePublic, ModelPublic, ModelWithCard


def model_named(session: Session, who: Principal, version: str, role: Role = "viewer") -> ModelVersion:
    """A version that the asker may see (or more); raises NotFound or NotAllowed."""
    row = session.exec(select(ModelVersion).where(col(ModelVersion.version) == version)).one_or_none()
    return require_part(session, who, row, f"model {version!r}", role)


def list_models(session: Session, project_id: int, slot: str, limit: int, offset: int) -> tuple[list[ModelPublic], int]:
    """Versions of a project, the newest first, and how many there are."""
    wanted = [col(ModelVersion.project_id) == project_id, *([col(ModelVersion.slot) == slot] if slot else [])]
    total = session.exec(select(func.count()).select_from(ModelVersion).where(*wanted)).one()
    newest = select(ModelVersion).where(*wanted).order_by(col(ModelVersion.id).desc())
    rows = session.exec(newest.limit(limit).offset(offset)).all()
    live = _live_versions(session, project_id)
    return [ModelPublic.model_validate(_said(row, live)) for row in rows], total


def with_card(session: Session, row: ModelVersion) -> ModelWithCard:
    """One version and its card."""
    return ModelWithCard.model_validate(_said(row, _live_versions(session, row.project_id)) | {"card": row.card})


def list_live(session: Session, models: LiveModels, project_id: int) -> list[LivePublic]:
    """What is live in each slot in which something ever was."""
    rows = session.exec(select(Live).where(col(Live.project_id) == project_id).order_by(col(Live.slot))).all()
    return [shown_live(models, row) for row in rows]


def shown_live(models: LiveModels, row: Live) -> LivePublic:
    """A slot, and what this process makes of it."""
    problems = {(alarm.project_id, alarm.slot): alarm.problem for alarm in models.alarms()}
    key, held = (row.project_id, row.slot), models.held()
    serving = held.get(key, PRIOR)
    if serving == PRIOR:  # a genre without a model of its own is scored as all others
        serving = held.get((row.project_id, row.slot.partition("/")[0]), PRIOR)
    told = {"serving": serving, "problem": problems.get(key, "")}
    return LivePublic.model_validate(row.model_dump() | told)


def history(session: Session, project_id: int, slot: str, limit: int, offset: int) -> tuple[list[Change], int]:
    """Changes of what is live, the newest first, and how many there are."""
    wanted = [col(Promotion.project_id) == project_id, *([col(Promotion.slot) == slot] if slot else [])]
    total = session.exec(select(func.count()).select_from(Promotion).where(*wanted)).one()
    newest = select(Promotion).where(*wanted).order_by(col(Promotion.id).desc())
    return [Change.model_validate(row) for row in session.exec(newest.limit(limit).offset(offset))], total


def _live_versions(session: Session, project_id: int) -> Sequence[str | None]:
    return session.exec(select(Live.version).where(col(Live.project_id) == project_id)).all()


def _said(row: ModelVersion, live: Sequence[str | None]) -> dict[str, Any]:
    """A row with what its card says of it in short; a card of somebody else's may say nothing."""
    labels, gate = _part(row.card, "labels"), _part(row.card, "gate")
    reasons = gate.get("reasons")
    return row.model_dump(exclude={"id", "folder", "schema_name", "card"}) | {
        "live": row.version in live,
        "kept": bool(row.folder),
        "features": row.schema_name,
        "summary": str(row.card.get("summary", "")),
        "snapshot": str(row.card.get("snapshot", "")),
        "reasons": [str(reason) for reason in reasons] if isinstance(reasons, list) else [],
        "labels": _count(labels.get("total")),
        "films": _count(labels.get("films")),
        "figures": dict(_figures(_part(_part(row.card, "figures"), "challenger"))),
    }


def _part(card: dict[str, Any], name: str) -> dict[str, Any]:
    found = card.get(name)
    return found if isinstance(found, dict) else {}


def _figures(found: dict[str, Any]) -> Iterator[tuple[str, FigurePublic]]:
    for name, value in found.items():
        with suppress(ValidationError):
            yield name, FigurePublic.model_validate(value)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
