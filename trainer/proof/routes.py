"""/api/training/proof: whether what scores is better than chance here."""

from fastapi import APIRouter

from backend.answers import errors
from backend.dependencies import MaybeProjectQuery, PrincipalDep, ReadSession
from backend.errors import NotAllowed, NotFound
from backend.library.service import project_for
from trainer.proof import service
from trainer.proof.shapes import ProofPublic

router = APIRouter(prefix="/training", tags=["training"], responses=errors(NotFound, NotAllowed))


@router.get("/proof")
def get_proof(session: ReadSession, who: PrincipalDep, project: MaybeProjectQuery = None) -> ProofPublic:
    """How well each model's scores foretold what curators said of clips that chance had chosen, as time went on.

    A clip counts with the score that it had before anybody judged it. Nothing is said of a model that too few clips
    were judged under.
    """
    return service.proof(session, project_for(session, who, project, "viewer"))
