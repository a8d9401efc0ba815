"""/api/webhooks: who is told when a list is approved. For admins: an address may hold a secret of its own."""

from fastapi import APIRouter

from backend.answers import errors
from backend.dependencies import (
    Id,
    MaybeProjectQuery,
    PageDep,
    PrincipalDep,
    ReadSession,
    ResourcesDep,
    WriteSession,
)
from backend.errors import InputError, NotAllowed, NotFound
from backend.library.service import project_for
from backend.paging import Paged, paged
from labeling.lists import webhooks
from labeling.lists.hook_shapes import DeliveryPublic, WebhookChange, WebhookMade, WebhookNew, WebhookPublic

router = APIRouter(prefix="/webhooks", tags=["lists"], responses=errors(NotFound, NotAllowed))


@router.get("")
def list_webhooks(
    session: ReadSession, who: PrincipalDep, page: PageDep, project: MaybeProjectQuery = None
) -> Paged[WebhookPublic]:
    """The webhooks of a project."""
    project_id = project_for(session, who, project, "admin")
    found, total = webhooks.list_webhooks(session, project_id, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("", status_code=201, responses=errors(InputError))
def create_webhook(new: WebhookNew, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> WebhookMade:
    """Have an address told when a list of the project is approved. The secret that signs is shown this once.

    Private, loopback and link-local addresses are refused unless the server's settings name the host.
    """
    project_id = project_for(session, who, new.project, "admin")
    made = webhooks.create(session, resources, project_id, new, who.name)
    return WebhookMade(webhook=webhooks.shown(session, [made])[0], secret=made.secret)


@router.get("/{webhook_id}")
def get_webhook(webhook_id: Id, session: ReadSession, who: PrincipalDep) -> WebhookPublic:
    """One webhook."""
    return webhooks.shown(session, [webhooks.webhook_named(session, who, webhook_id)])[0]


@router.patch("/{webhook_id}", responses=errors(InputError))
def change_webhook(
    webhook_id: Id, wanted: WebhookChange, session: WriteSession, who: PrincipalDep, resources: ResourcesDep
) -> WebhookPublic:
    """Another address, or off and on. What waits goes to the new one; what waits while it is off fails."""
    hook = webhooks.webhook_named(session, who, webhook_id)
    webhooks.change(session, resources, hook, wanted)
    return webhooks.shown(session, [hook])[0]


@router.delete("/{webhook_id}", status_code=204)
def delete_webhook(webhook_id: Id, session: WriteSession, who: PrincipalDep) -> None:
    """Remove a webhook with what is known of its deliveries."""
    session.delete(webhooks.webhook_named(session, who, webhook_id))
    session.commit()


@router.post("/{webhook_id}/test", status_code=202)
def test_webhook(webhook_id: Id, session: WriteSession, who: PrincipalDep) -> DeliveryPublic:
    """Send it an event `test`, as any other is sent: by a worker, signed, and again where it is not taken."""
    return webhooks.public(webhooks.try_out(session, webhooks.webhook_named(session, who, webhook_id)))


@router.get("/{webhook_id}/deliveries")
def list_deliveries(webhook_id: Id, session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[DeliveryPublic]:
    """What it was told, the newest first: how often that was tried, and what it answered last."""
    hook = webhooks.webhook_named(session, who, webhook_id)
    found, total = webhooks.list_deliveries(session, hook, page.limit, page.offset)
    return paged(found, total, page.offset)
