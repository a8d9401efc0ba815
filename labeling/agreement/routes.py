"""/api/agreement: how far curators agree."""

from fastapi import APIRouter

from backend.answers import errors
from backend.dependencies import MaybeProjectQuery, PrincipalDep, ReadSession
from backend.errors import NotAllowed, NotFound
from backend.library.service import project_for
from labeling.agreement import service
from labeling.agreement.shapes import AgreementPublic

router = APIRouter(tags=["curating"], responses=errors(NotFound, NotAllowed))


@router.get("/agreement")
def get_agreement(session: ReadSession, who: PrincipalDep, project: MaybeProjectQuery = None) -> AgreementPublic:
    """How far a project's curators agree about verdicts and about each reason, with 95 % bootstrap intervals.

    From the clips that two were asked about on purpose: what people pick themselves would flatter.
    """
    return service.agreement(session, project_for(session, who, project, "viewer"))
