"""Who asks, what they may, and who is a member of what."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import bindparam, delete, func
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from backend.errors import Conflict, NotAllowed, NotFound
from backend.library.models import Project
from backend.members.models import ROLES, Invitation, Membership, Person, Role
from backend.members.shapes import MemberPublic, OwnRole

OWNER = "owner"

# Nearly every request runs it: made once, since building a statement takes longer than running it.
_ROLE = select(Membership.role).where(
    col(Membership.project_id) == bindparam("project"), col(Membership.person_id) == bindparam("person")
)


class OfProject(Protocol):
    """A row that belongs to a project."""

    project_id: int


Part = TypeVar("Part", bound=OfProject)


@dataclass(frozen=True)
class Principal:
    """Who asks. A superuser is admin of every project."""

    person_id: int
    name: str
    superuser: bool = False


def role_in(session: Session, who: Principal, project_id: int) -> Role | None:
    """The role of a person in a project, None for who is no member and where there is no such project."""
    if who.superuser:
        return "admin" if session.get(Project, project_id) else None
    found = session.connection().execute(_ROLE, {"project": project_id, "person": who.person_id}).scalar_one_or_none()
    return next((role for role in ROLES if role == found), None)


def require_role(session: Session, who: Principal, project_id: int, role: Role) -> Role:
    """The role of a person who has at least `role`; raises NotFound for strangers, NotAllowed for too low a one."""
    has = role_in(session, who, project_id)
    if has is None:
        raise NotFound(f"There is no project {project_id}, or you are not a member of it.")
    return _reaching(has, role)


def require_part(session: Session, who: Principal, part: Part | None, name: str, role: Role = "viewer") -> Part:
    """A part of a project, for who has at least `role` there; raises NotFound where it is None or for strangers.

    `name` is what it is called in the answer, as in "film 7". Raises NotAllowed for too low a role.
    """
    has = None if part is None else role_in(session, who, part.project_id)
    if part is None or has is None:
        raise NotFound(f"There is no {name}, or you are not a member of its project.")
    _reaching(has, role)
    return part


def _reaching(has: Role, role: Role) -> Role:
    """The role that somebody has, where it is enough; raises NotAllowed."""
    if ROLES.index(has) < ROLES.index(role):
        raise NotAllowed(f"This needs the role {role}, yours here is {has}; ask an admin of the project.")
    return has


def principal(person: Person) -> Principal:
    """A stored person as the one who asks."""
    return Principal(person.id or 0, person.name, person.superuser)


def owner(session: Session) -> Person:
    """The first superuser; where there is none, `owner` is made it. Commits."""
    first = select(Person).where(col(Person.superuser)).order_by(col(Person.id)).limit(1)
    found = session.exec(first).first()
    if found is not None:
        return found
    named = session.exec(select(Person).where(col(Person.name) == OWNER)).one_or_none()
    person = named or Person(name=OWNER)
    person.superuser = True
    session.add(person)
    try:
        session.commit()
    except IntegrityError:  # another process was faster
        session.rollback()
        return session.exec(first).one()
    session.refresh(person)
    return person


def roles_of(session: Session, who: Principal) -> list[OwnRole]:
    """The projects of a person with the role in each, by id."""
    if who.superuser:
        every = session.exec(select(Project).order_by(col(Project.id))).all()
        return [OwnRole(project_id=project.id or 0, project=project.name, role="admin") for project in every]
    rows = session.exec(
        select(Project, Membership.role)
        .join(Membership, col(Membership.project_id) == col(Project.id))
        .where(col(Membership.person_id) == who.person_id)
        .order_by(col(Project.id))
    ).all()
    return [OwnRole.model_validate({"project_id": p.id, "project": p.name, "role": role}) for p, role in rows]


def members_of(session: Session, project_id: int, limit: int, offset: int) -> tuple[list[MemberPublic], int]:
    """The members of a project by name, and how many there are."""
    mine = col(Membership.project_id) == project_id
    total = session.exec(select(func.count()).select_from(Membership).where(mine)).one()
    rows = session.exec(
        select(Membership, Person)
        .join(Person, col(Person.id) == col(Membership.person_id))
        .where(mine)
        .order_by(func.lower(Person.name), col(Person.id))
        .limit(limit)
        .offset(offset)
    ).all()
    return [_shown(member, person) for member, person in rows], total


def set_role(session: Session, who: Principal, member_id: int, role: Role) -> MemberPublic:
    """Give a member another role; raises NotFound, NotAllowed, Conflict for the last admin."""
    member, person = _member_to_change(session, who, member_id)
    if role != "admin":
        _require_other_admin(session, member)
    member.role = role
    session.add(member)
    session.commit()
    session.refresh(member)
    return _shown(member, person)


def remove_member(session: Session, who: Principal, member_id: int) -> None:
    """Take a person's role in a project away; raises NotFound, NotAllowed, Conflict for the last admin.

    Invitations into it that they have not used go with it: a link in an old mail is no way back.
    """
    member, person = _member_to_change(session, who, member_id)
    _require_other_admin(session, member)
    theirs = col(Invitation.project_id) == member.project_id, col(Invitation.name) == person.name
    session.execute(delete(Invitation).where(*theirs, col(Invitation.used_at).is_(None)))
    session.delete(member)
    session.commit()


def _member_to_change(session: Session, who: Principal, member_id: int) -> tuple[Membership, Person]:
    member = session.get(Membership, member_id)
    if member is None or role_in(session, who, member.project_id) is None:
        raise NotFound(f"There is no member {member_id}, or you are not a member of that project.")
    # Two admins who remove each other must not both succeed: the project's row is the lock.
    session.exec(select(Project).where(col(Project.id) == member.project_id).with_for_update()).one()
    require_role(session, who, member.project_id, "admin")
    changing = select(Membership).where(col(Membership.id) == member_id).execution_options(populate_existing=True)
    current = session.exec(changing).one_or_none()
    person = session.get(Person, member.person_id)
    if current is None or person is None:
        raise NotFound(f"There is no member {member_id}, or you are not a member of that project.")
    return current, person


def _require_other_admin(session: Session, member: Membership) -> None:
    others = select(Membership.id).where(
        col(Membership.project_id) == member.project_id,
        col(Membership.role) == "admin",
        col(Membership.id) != member.id,
    )
    if member.role == "admin" and session.exec(others).first() is None:
        raise Conflict("This is the last admin of the project; make another member admin first.")


def _shown(member: Membership, person: Person) -> MemberPublic:
    return MemberPublic.model_validate(
        {**member.model_dump(include={"id", "project_id", "person_id", "role"}), "name": person.name}
    )
