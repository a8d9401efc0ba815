"""Who asks, and what they may."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from backend.errors import NotAllowed, NotFound
from backend.members.models import ROLES, Membership, Role


@dataclass(frozen=True)
class Principal:
    """Who asks. A superuser is admin of every project."""

    person_id: int
    name: str
    superuser: bool = False


def role_in(session: Session, who: Principal, project_id: int) -> Role | None:
    """The role of a person in a project, None for who is no member."""
    if who.superuser:
        return "admin"
    wanted = select(Membership.role).where(
        col(Membership.project_id) == project_id, col(Membership.person_id) == who.person_id
    )
    found = session.exec(wanted).one_or_none()
    return next((role for role in ROLES if role == found), None)


def require_role(session: Session, who: Principal, project_id: int, role: Role) -> Role:
    """The role of a person who has at least `role`; raises NotFound for who is no member, NotAllowed for too low a one."""
    has = role_in(session, who, project_id)
    if has is None:
        raise NotFound(f"There is no project {project_id}, or you are not a member of it.")
    if ROLES.index(has) < ROLES.index(role):
        raise NotAllowed(f"This needs the role {role}, yours here is {has}; ask an admin of the project.")
    return has
