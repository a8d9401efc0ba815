"""/api/models: trained models, which of them is live, and who may change that."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from backend.answers import errors
from backend.dependencies import MaybeProjectQuery, PageDep, PrincipalDep, ReadSession, ResourcesDep, WriteSession
from backend.errors import Conflict, NotAllowed, NotFound, SchemaMismatch
from backend.library.service import project_for
from backend.members.service import require_role
from backend.paging import Paged, paged
from trainer import registry
from trainer.versions import service
from trainer.versions.shapes import (
    SLOT,
    Change,
    LivePublic,
    ModelPublic,
    ModelWithCard,
    Promote,
    Rollback,
)

Version = Annotated[str, Path(pattern=f"^{registry.NAME.pattern}$", examples=["compelling-0f8fad5b-0-1c9e2d"])]
SlotQuery = Annotated[str, Query(pattern=f"^$|{SLOT}", max_length=100, description="Only of this slot.")]

router = APIRouter(prefix="/models", tags=["training"], responses=errors(NotFound, NotAllowed))


@router.get("")
def list_models(
    session: ReadSession, who: PrincipalDep, page: PageDep, project: MaybeProjectQuery = None, slot: SlotQuery = ""
) -> Paged[ModelPublic]:
    """Trained models of a project, the newest first."""
    project_id = project_for(session, who, project, "viewer")
    found, total = service.list_models(session, project_id, slot, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.get("/live")
def list_live(
    session: ReadSession, who: PrincipalDep, resources: ResourcesDep, page: PageDep, project: MaybeProjectQuery = None
) -> Paged[LivePublic]:
    """What scores: slot by slot what was promoted, and what this server uses. Slots without a row have the prior."""
    found = service.list_live(session, resources.live, project_for(session, who, project, "viewer"))
    return paged(found[page.offset : page.offset + page.limit], len(found), page.offset)


@router.get("/history")
def list_history(
    session: ReadSession, who: PrincipalDep, page: PageDep, project: MaybeProjectQuery = None, slot: SlotQuery = ""
) -> Paged[Change]:
    """Every change of what is live, the newest first."""
    project_id = project_for(session, who, project, "viewer")
    found, total = service.history(session, project_id, slot, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.post("/rollback", responses=errors(Conflict))
def rollback(wanted: Rollback, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> LivePublic:
    """Go back to what was live before the version that is live now: a version, or the prior."""
    require_role(session, who, wanted.project, "admin")
    live = registry.rollback(session, wanted.project, wanted.slot, who.name)
    resources.live.wake()
    return service.shown_live(resources.live, live)


@router.get("/{version}")
def get_model(version: Version, session: ReadSession, who: PrincipalDep) -> ModelWithCard:
    """One model, with its card."""
    return service.with_card(session, service.model_named(session, who, version))


@router.post("/{version}/promote", responses=errors(Conflict, SchemaMismatch))
def promote(
    version: Version,
    session: WriteSession,
    who: PrincipalDep,
    resources: ResourcesDep,
    wanted: Promote | None = None,
) -> LivePublic:
    """Let a model score from now on; every server takes it up within two seconds.

    Open candidates are scored anew in the background. One whose files turn out to be broken leaves the one before it
    live, and raises an alarm at /metrics and /ready.
    """
    row, said = service.model_named(session, who, version, "admin"), wanted or Promote()
    live = registry.promote(session, row.project_id, version, said.expected_generation, who.name, said.why)
    resources.live.wake()
    return service.shown_live(resources.live, live)
