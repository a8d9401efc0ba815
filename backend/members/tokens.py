"""API tokens: made, listed, revoked, looked up."""

from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, update
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import InputError, NotFound
from backend.members.models import ApiToken, Person
from backend.members.service import OWNER, Principal
from backend.security import hashed, new_secret

USED_EVERY = timedelta(minutes=1)


def create_token(session: Session, person_id: int, name: str, days: float | None = None) -> tuple[ApiToken, str]:
    """A new token of a person and its secret, which is stored nowhere; works for `days`, or until it is revoked."""
    secret = new_secret()
    expires = utc_now() + timedelta(days=days) if days else None
    token = ApiToken(person_id=person_id, name=name, hashed=hashed(secret), expires_at=expires)
    session.add(token)
    session.commit()
    session.refresh(token)
    return token, secret


def tokens_of(session: Session, person_id: int, limit: int, offset: int) -> tuple[list[ApiToken], int]:
    """The tokens of a person, the newest first, and how many there are."""
    own = col(ApiToken.person_id) == person_id
    total = session.exec(select(func.count()).select_from(ApiToken).where(own)).one()
    wanted = select(ApiToken).where(own).order_by(col(ApiToken.id).desc()).limit(limit).offset(offset)
    return list(session.exec(wanted).all()), total


def revoke_token(session: Session, who: Principal, token_id: int) -> ApiToken:
    """End a token of one's own; raises NotFound."""
    token = session.get(ApiToken, token_id)
    if token is None or token.person_id != who.person_id:
        raise NotFound(f"You have no token {token_id}.")
    session.delete(token)
    session.commit()
    return token


def token_with(session: Session, secret: str) -> ApiToken | None:
    """The token that this is the secret of, None for an unknown or expired one."""
    token = session.exec(select(ApiToken).where(col(ApiToken.hashed) == hashed(secret))).one_or_none()
    return token if token is not None and not is_over(token.expires_at) else None


def is_over(expires_at: datetime | None) -> bool:
    """Whether a token works no more."""
    return expires_at is not None and expires_at <= utc_now()


def wants_mark(used_at: datetime | None) -> bool:
    """Whether a token's last use is so long ago that this one is written down."""
    return used_at is None or used_at <= utc_now() - USED_EVERY


def mark_used(session: Session, token_id: int) -> None:
    """Write down that a token is being used, unless somebody just did."""
    now = utc_now()
    stale = or_(col(ApiToken.used_at).is_(None), col(ApiToken.used_at) <= now - USED_EVERY)
    session.execute(update(ApiToken).where(col(ApiToken.id) == token_id, stale).values(used_at=now))
    session.commit()


def superuser_with_token(session: Session) -> bool:
    """Whether any superuser has a token that works."""
    works = or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > utc_now())
    wanted = select(exists().where(col(ApiToken.person_id) == col(Person.id), col(Person.superuser), works))
    return bool(session.exec(wanted).one())


def person_for_token(session: Session, name: str | None, *, admin: bool) -> Person:
    """Whose token the command line makes: the person named, else the first superuser, else (with `admin`) the owner.

    `admin` makes a superuser of them, and a person of a new name. Raises InputError where there is no such person.
    """
    if name is None:
        first = session.exec(select(Person).where(col(Person.superuser)).order_by(col(Person.id))).first()
        if first is not None:
            return first
    found = session.exec(select(Person).where(col(Person.name) == (name or OWNER))).one_or_none()
    if found is None and not admin:
        raise InputError(
            f"There is nobody called {name!r}; invite them into a project, or make them superuser with --admin."
            if name
            else "There is no superuser yet; make the first with --admin."
        )
    person = found or Person(name=name or OWNER)
    person.superuser = person.superuser or admin
    session.add(person)
    session.commit()
    session.refresh(person)
    return person
