"""/api/session, /api/tokens, /api/members: sign in and out, tokens for scripts, who may what in a project."""

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from backend.answers import errors
from backend.dependencies import Id, PageDep, PrincipalDep, ProjectQuery, ReadSession, ResourcesDep, WriteSession
from backend.errors import Conflict, NotFound
from backend.members import invitations, service, signin, tokens
from backend.members.models import ApiToken
from backend.members.service import Principal, principal, require_role
from backend.members.shapes import (
    InvitationCreate,
    InvitationCreated,
    InvitationPublic,
    MemberPublic,
    PersonPublic,
    RoleChange,
    SessionPublic,
    SignIn,
    TokenCreate,
    TokenCreated,
    TokenPublic,
)
from backend.paging import Paged, paged

router = APIRouter(tags=["members"])


@router.post("/session")
def sign_in(
    request: Request, response: Response, wanted: SignIn, session: WriteSession, resources: ResourcesDep
) -> SessionPublic:
    """Sign a browser in: a cookie that no script can read. A script needs none: it sends its token each time."""
    person = signin.sign_in(session, resources, signin.client_address(request), wanted.token)
    shown = _session(session, principal(person))
    secret = signin.open_session(session, person, resources.settings)
    signin.set_cookie(response, request, resources.settings, secret)
    return shown


@router.get("/session")
def get_session(session: ReadSession, who: PrincipalDep) -> SessionPublic:
    """Who asks, and their role in each project."""
    return _session(session, who)


@router.delete("/session", status_code=204)
def sign_out(
    request: Request, response: Response, _who: PrincipalDep, session: WriteSession, resources: ResourcesDep
) -> None:
    """Sign the browser out: its cookie works no more, wherever it was copied to."""
    signin.close_session(session, request.cookies.get(signin.COOKIE, ""))
    signin.forget_cookie(response, request, resources.settings)


@router.post("/tokens", status_code=201)
def create_token(wanted: TokenCreate, session: WriteSession, who: PrincipalDep) -> TokenCreated:
    """A token of one's own for a script, `Authorization: Bearer SECRET`. The secret is shown this once."""
    token, secret = tokens.create_token(session, who.person_id, wanted.name, wanted.days)
    return TokenCreated(**_token(token).model_dump(), secret=secret)


@router.get("/tokens")
def list_tokens(session: ReadSession, who: PrincipalDep, page: PageDep) -> Paged[TokenPublic]:
    """One's own tokens, the newest first."""
    found, total = tokens.tokens_of(session, who.person_id, page.limit, page.offset)
    return paged([_token(token) for token in found], total, page.offset)


@router.delete("/tokens/{token_id}", status_code=204, responses=errors(NotFound))
def revoke_token(token_id: Id, session: WriteSession, who: PrincipalDep, resources: ResourcesDep) -> None:
    """End a token of one's own, at once."""
    token = tokens.revoke_token(session, who, token_id)
    resources.failed_logins.forget(token.hashed)


@router.get("/members", responses=errors(NotFound))
def list_members(session: ReadSession, who: PrincipalDep, page: PageDep, project: ProjectQuery) -> Paged[MemberPublic]:
    """The members of a project by name. Superusers are admins without being listed."""
    require_role(session, who, project, "viewer")
    found, total = service.members_of(session, project, page.limit, page.offset)
    return paged(found, total, page.offset)


@router.patch("/members/{member_id}", responses=errors(NotFound, Conflict))
def set_role(member_id: Id, wanted: RoleChange, session: WriteSession, who: PrincipalDep) -> MemberPublic:
    """Give a member another role. A project keeps at least one admin."""
    return service.set_role(session, who, member_id, wanted.role)


@router.delete("/members/{member_id}", status_code=204, responses=errors(NotFound, Conflict))
def remove_member(member_id: Id, session: WriteSession, who: PrincipalDep) -> None:
    """Take a person's role away, at once; what they decided stays. A project keeps at least one admin."""
    service.remove_member(session, who, member_id)


@router.post("/members/invitations", status_code=201, responses=errors(NotFound, Conflict))
def invite(
    request: Request, wanted: InvitationCreate, session: WriteSession, who: PrincipalDep, resources: ResourcesDep
) -> InvitationCreated:
    """A link that makes whoever opens it first the named person, with a role; it is shown this once.

    Where somebody has that name already, they must be signed in when they open it, unless a superuser made the link.
    """
    settings = resources.settings
    invitation, secret = invitations.invite(session, who, wanted, settings.security.invitation_days)
    base = settings.server.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    return InvitationCreated(**invitation.model_dump(), link=f"{base}/join?token={secret}")


@router.get("/members/invitations", responses=errors(NotFound))
def list_invitations(
    session: ReadSession, who: PrincipalDep, page: PageDep, project: ProjectQuery
) -> Paged[InvitationPublic]:
    """Invitations into a project that nobody has accepted yet, the newest first."""
    require_role(session, who, project, "admin")
    found, total = invitations.open_invitations(session, project, page.limit, page.offset)
    return paged([InvitationPublic.model_validate(each.model_dump()) for each in found], total, page.offset)


@router.delete("/members/invitations/{invitation_id}", status_code=204, responses=errors(NotFound))
def withdraw_invitation(invitation_id: Id, session: WriteSession, who: PrincipalDep) -> None:
    """End an invitation: its link works no more."""
    invitations.withdraw(session, who, invitation_id)


def _session(session: Session, who: Principal) -> SessionPublic:
    person = PersonPublic(id=who.person_id, name=who.name, superuser=who.superuser)
    return SessionPublic(person=person, roles=service.roles_of(session, who))


def _token(token: ApiToken) -> TokenPublic:
    return TokenPublic.model_validate(token.model_dump())
