"""Who is told when a list is approved, and what became of it."""

import json
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import InputError
from backend.library.models import Project
from backend.members.service import Principal, require_part
from backend.resources import Resources
from backend.security import new_secret
from labeling.lists.hook_shapes import DeliveryPublic, WebhookChange, WebhookNew, WebhookPublic
from labeling.lists.models import StoredList, Webhook, WebhookDelivery
from labeling.lists.posting import require_address
from labeling.lists.rows import standing_of

APPROVED, TEST = "list.approved", "test"
SHORTEST_SECRET = 16
REMEMBERED = timedelta(days=90)


def create(session: Session, resources: Resources, project_id: int, new: WebhookNew, by: str) -> Webhook:
    """A new webhook; raises InputError for an address that may not be written to. Commits."""
    require_address(new.url, resources.settings.security.webhook_hosts)
    if new.secret and len(new.secret) < SHORTEST_SECRET:
        raise InputError(f"A secret has at least {SHORTEST_SECRET} characters; leave it out, and one is made.")
    made = Webhook(project_id=project_id, url=new.url, secret=new.secret or new_secret(), created_by=by)
    session.add(made)
    session.commit()
    session.refresh(made)
    return made


def webhook_named(session: Session, who: Principal, webhook_id: int) -> Webhook:
    """A webhook, for admins; raises NotFound, NotAllowed."""
    return require_part(session, who, session.get(Webhook, webhook_id), f"webhook {webhook_id}", "admin")


def list_webhooks(session: Session, project_id: int, limit: int, offset: int) -> tuple[list[WebhookPublic], int]:
    """Webhooks of a project, and how many there are."""
    own = col(Webhook.project_id) == project_id
    total = session.exec(select(func.count()).select_from(Webhook).where(own)).one()
    rows = session.exec(select(Webhook).where(own).order_by(col(Webhook.id)).limit(limit).offset(offset)).all()
    return shown(session, rows), total


def shown(session: Session, hooks: Sequence[Webhook]) -> list[WebhookPublic]:
    """Webhooks as the API shows them, without their secrets."""
    counted = (
        select(col(WebhookDelivery.webhook_id), col(WebhookDelivery.state), func.count())
        .where(col(WebhookDelivery.webhook_id).in_([hook.id for hook in hooks]))
        .group_by(col(WebhookDelivery.webhook_id), col(WebhookDelivery.state))
    )
    counts = {(hook, state): number for hook, state, number in session.exec(counted).all()}
    return [
        WebhookPublic.model_validate(
            hook.model_dump(exclude={"secret"})
            | {state: counts.get((hook.id or 0, state), 0) for state in ("waiting", "failed")}
        )
        for hook in hooks
    ]


def change(session: Session, resources: Resources, hook: Webhook, wanted: WebhookChange) -> None:
    """Another address, or off and on. Commits."""
    if wanted.url is not None:
        require_address(wanted.url, resources.settings.security.webhook_hosts)
        hook.url = wanted.url
    if wanted.active is not None:
        hook.active = wanted.active
    session.add(hook)
    session.commit()
    session.refresh(hook)


def announce(session: Session, resources: Resources, clip_list: StoredList) -> None:
    """Have all webhooks of the project told that a list was approved. The caller commits; workers send it then."""
    own = (col(Webhook.project_id) == clip_list.project_id, col(Webhook.active).is_(True))
    for hook in session.exec(select(Webhook).where(*own)).all():
        _write(session, hook, APPROVED, {"list": _facts(session, resources, clip_list)}, clip_list.id)


def try_out(session: Session, hook: Webhook) -> WebhookDelivery:
    """A delivery that says nothing but that it works. Commits."""
    made = _write(session, hook, TEST, {})
    session.commit()
    session.refresh(made)
    return made


def list_deliveries(session: Session, hook: Webhook, limit: int, offset: int) -> tuple[list[DeliveryPublic], int]:
    """What a webhook was told, the newest first, and how many there are."""
    own = col(WebhookDelivery.webhook_id) == hook.id
    total = session.exec(select(func.count()).select_from(WebhookDelivery).where(own)).one()
    order = (col(WebhookDelivery.created_at).desc(), col(WebhookDelivery.id))
    rows = session.exec(select(WebhookDelivery).where(own).order_by(*order).limit(limit).offset(offset)).all()
    return [public(row) for row in rows], total


def public(row: WebhookDelivery) -> DeliveryPublic:
    """A delivery as the API shows it."""
    due_at = row.due_at if row.state == "waiting" else None
    return DeliveryPublic.model_validate(row.model_dump() | {"due_at": due_at})


def _write(
    session: Session, hook: Webhook, event: str, facts: dict[str, Any], list_id: int | None = None
) -> WebhookDelivery:
    old = (col(WebhookDelivery.state) != "waiting", col(WebhookDelivery.created_at) < utc_now() - REMEMBERED)
    session.execute(delete(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == hook.id, *old))
    key = uuid.uuid4().hex
    said = {"event": event, "delivery": key, "at": utc_now().isoformat(), "project": hook.project_id, **facts}
    made = WebhookDelivery(
        id=key, webhook_id=hook.id or 0, list_id=list_id, event=event, body=json.dumps(said, ensure_ascii=False)
    )
    session.add(made)
    session.flush()
    return made


def _facts(session: Session, resources: Resources, clip_list: StoredList) -> dict[str, Any]:
    clips, project = standing_of(session, clip_list), session.get_one(Project, clip_list.project_id)
    base = resources.settings.server.public_url.rstrip("/")
    return {
        "id": clip_list.id,
        "name": clip_list.name,
        "project": project.name,
        "version": clip_list.version,
        "approved_by": clip_list.approved_by,
        "approved_at": clip_list.approved_at.isoformat() if clip_list.approved_at else None,
        "clips": len(clips),
        "total_s": round(sum(clip.duration_s for clip in clips), 3),
        "export": f"{base}/api/lists/{clip_list.id}/export",
    }
