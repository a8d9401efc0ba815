"""/api/agreement: how far curators agree."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.answers import errors
from backend.dependencies import MaybeProjectQuery, PrincipalDep, ReadSession
from backend.errors import NotAllowed, NotFound
from backend.library.service import project_for
from labeling.agreement import service
from labeling.agreement.duel import duel
from labeling.agreement.shapes import AgreementPublic, DuelPublic

router = APIRouter(tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.get("/agreement")
def get_agreement(session: ReadSession, who: PrincipalDep, project: MaybeProjectQuery = None) -> AgreementPublic:
    """How far a project's curators agree about verdicts and about each reason, with 95 % bootstrap intervals.

    From the clips that two were asked about on purpose: what people pick themselves would flatter.
    """
    return service.agreement(session, project_for(session, who, project, "viewer"))


@router.get("/agreement/duel")
def get_duel(
    session: ReadSession,
    who: PrincipalDep,
    project: MaybeProjectQuery = None,
    rival: Annotated[str | None, Query(max_length=200, description="A version; left out, the queue's rival.")] = None,
) -> DuelPublic:
    """Which of two models curators prefer: the live one, or the rival that shares the queue with it.

    From what each put into the draws that they shared; who judged did not know which was whose.
    """
    project_id = project_for(session, who, project, "viewer")
    found = duel(session, project_id, rival)
    if found is None:
        raise NotFound("No model shares the queue with the live one; name one with PATCH /api/queue.")
    return found
