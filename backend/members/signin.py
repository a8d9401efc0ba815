"""From a request to a person: a token in the header, or the cookie of a browser that has signed in."""

from fastapi import Request
from sqlmodel import Session, col, select

from backend.database import utc_now
from backend.errors import NotSignedIn
from backend.members.models import ApiToken, Person, WebSession
from backend.members.service import Principal
from backend.resources import Resources
from backend.security import hashed

COOKIE = "selects_session"


def principal_of(request: Request, resources: Resources) -> Principal:
    """Who asks; raises NotSignedIn."""
    with Session(resources.reading) as session:
        if not resources.settings.security.authentication:
            return _local_owner(session)
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and secret:
            found = person_of_token(session, secret.strip())
        else:
            found = person_of_cookie(session, request.cookies.get(COOKIE, ""))
        if found is None:
            raise NotSignedIn
        return principal(found)


def principal(person: Person) -> Principal:
    """A stored person as the one who asks."""
    return Principal(person.id or 0, person.name, person.superuser)


def person_of_token(session: Session, secret: str) -> Person | None:
    """Whose API token this is, None for an unknown or expired one."""
    token = session.exec(select(ApiToken).where(col(ApiToken.hashed) == hashed(secret))).one_or_none()
    if token is None or (token.expires_at is not None and token.expires_at <= utc_now()):
        return None
    return session.get(Person, token.person_id)


def person_of_cookie(session: Session, secret: str) -> Person | None:
    """Whose browser this is, None for an unknown or expired session."""
    found = session.exec(select(WebSession).where(col(WebSession.hashed) == hashed(secret))).one_or_none()
    if found is None or found.expires_at <= utc_now():
        return None
    return session.get(Person, found.person_id)


def _local_owner(session: Session) -> Principal:
    # Only on loopback, which the server checks before it listens.
    owner = session.exec(select(Person).where(col(Person.superuser)).order_by(col(Person.id))).first()
    return principal(owner) if owner else Principal(0, "local", superuser=True)
