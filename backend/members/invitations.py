"""Links that make a named person a member: shown once, opened once, for some days.

Names are unique, so an invitation may name somebody who is there already. It then makes nobody a member but themselves,
signed in; else an admin could be anyone by opening the link alone. Only a superuser's link signs in who was there
before: the way back for those who have lost theirs.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import Conflict, NotFound
from backend.library.models import Project
from backend.members.models import Invitation, Membership, Person
from backend.members.service import Principal, principal, require_part, require_role, role_in
from backend.members.shapes import InvitationCreate
from backend.security import hashed, new_secret

USED_UP = "This invitation is used, withdrawn or too old; ask whoever sent it for another."


def invite(session: Session, who: Principal, wanted: InvitationCreate, days: float) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is stored nowhere; raises NotFound, NotAllowed, Conflict for a member."""
    require_role(session, who, wanted.project_id, "admin")
    person = _named(session, wanted.name)
    if person is not None and not who.superuser and _membership(session, person, wanted.project_id):
        raise Conflict(f"{wanted.name} is a member of this project already.")
    secret = new_secret()
    invitation = Invitation(
        **wanted.model_dump(), hashed=hashed(secret), created_by=who.name, expires_at=utc_now() + timedelta(days=days)
    )
    session.add(invitation)
    session.commit()
    session.refresh(invitation)
    return invitation, secret


def open_invitations(session: Session, project_id: int, limit: int, offset: int) -> tuple[list[Invitation], int]:
    """The invitations into a project that can still be accepted, the newest first, and how many there are."""
    wanted = (col(Invitation.project_id) == project_id, _open())
    total = session.exec(select(func.count()).select_from(Invitation).where(*wanted)).one()
    newest = select(Invitation).where(*wanted).order_by(col(Invitation.id).desc())
    return list(session.exec(newest.limit(limit).offset(offset)).all()), total


def withdraw(session: Session, who: Principal, invitation_id: int) -> None:
    """End an invitation; raises NotFound, NotAllowed."""
    found = session.get(Invitation, invitation_id)
    session.delete(require_part(session, who, found, f"invitation {invitation_id}", "admin"))
    session.commit()


def invitation_with(session: Session, secret: str) -> tuple[Invitation, Project] | None:
    """The open invitation that this is the secret of, and its project."""
    wanted = select(Invitation, Project).join(Project, col(Project.id) == col(Invitation.project_id))
    return session.exec(wanted.where(col(Invitation.hashed) == hashed(secret), _open())).one_or_none()


def accept(session: Session, secret: str, signed_in: Principal | None) -> Person:
    """Use an invitation up and give the person it made a member.

    Raises NotFound where it is used up or unknown, Conflict where its name belongs to somebody else than `signed_in`.
    Does not commit.
    """
    this_one = and_(col(Invitation.hashed) == hashed(secret), _open())
    use_up = update(Invitation).where(this_one).values(used_at=utc_now()).returning(col(Invitation.id))
    used = session.execute(use_up).scalar_one_or_none()
    invitation = session.get(Invitation, used) if used is not None else None
    if invitation is None:
        raise NotFound(USED_UP)
    person = _person(session, invitation, signed_in)
    if _membership(session, person, invitation.project_id) is None:
        session.add(Membership(project_id=invitation.project_id, person_id=person.id or 0, role=invitation.role))
    session.flush()
    return person


def _person(session: Session, invitation: Invitation, signed_in: Principal | None) -> Person:
    inviter = _named(session, invitation.created_by)
    if inviter is None or role_in(session, principal(inviter), invitation.project_id) != "admin":
        raise NotFound(USED_UP)  # whoever sent it is no admin any more
    person = _named(session, invitation.name)
    if person is None:
        person = Person(name=invitation.name)
        session.add(person)
        try:
            session.flush()
        except IntegrityError:
            raise NotFound(USED_UP) from None  # the name was taken in this very moment
    elif not inviter.superuser and (signed_in is None or signed_in.person_id != person.id):
        raise Conflict(f"There is a {person.name} already; if that is you, sign in first, then open the link again.")
    return person


def _named(session: Session, name: str) -> Person | None:
    return session.exec(select(Person).where(col(Person.name) == name)).one_or_none()


def _membership(session: Session, person: Person, project_id: int) -> Membership | None:
    mine = col(Membership.project_id) == project_id, col(Membership.person_id) == person.id
    return session.exec(select(Membership).where(*mine)).one_or_none()


def _open() -> ColumnElement[bool]:
    return and_(col(Invitation.used_at).is_(None), col(Invitation.expires_at) > utc_now())
