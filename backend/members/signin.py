"""From a request to a person: a token in the header, or the cookie of a browser that has signed in."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from fastapi import Response
from sqlalchemy import bindparam, delete
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select
from starlette.requests import HTTPConnection

from backend.database import utc_now
from backend.errors import NotSignedIn
from backend.members.launch import person_of_link
from backend.members.models import ApiToken, Person, WebSession
from backend.members.service import Principal, owner, principal
from backend.members.tokens import is_over, mark_used, token_with, wants_mark
from backend.resources import Resources
from backend.security import hashed, new_secret
from backend.settings import Settings

COOKIE = "selects_session"
PRINCIPAL = "principal"

# Every request runs one of these: made once, since building a statement takes longer than running it.
_PERSON = select(col(Person.id), col(Person.name), col(Person.superuser))
_LOOKUPS = {
    "cookie": _PERSON.add_columns(col(WebSession.expires_at))
    .join(WebSession, col(WebSession.person_id) == col(Person.id))
    .where(col(WebSession.hashed) == bindparam("hashed")),
    "token": _PERSON.add_columns(col(ApiToken.id).label("token"), col(ApiToken.expires_at), col(ApiToken.used_at))
    .join(ApiToken, col(ApiToken.person_id) == col(Person.id))
    .where(col(ApiToken.hashed) == bindparam("hashed")),
}


def principal_of(request: HTTPConnection) -> Principal:
    """Who asks, as the gate has found; raises NotSignedIn."""
    who: Principal | None = getattr(request.state, PRINCIPAL, None)
    if who is None:
        raise NotSignedIn
    return who


def find_principal(request: HTTPConnection, resources: Resources) -> Principal:
    """Who asks, from the header or the cookie; raises NotSignedIn, TooManyAttempts."""
    if not resources.settings.security.authentication:
        return _owner(resources)
    secret = bearer(request)
    if secret is not None:
        return _of_bearer(resources, secret, client_address(request))
    secret = request.cookies.get(COOKIE, "")
    row = _row(resources, "cookie", hashed(secret)) if secret else None
    if row is None or is_over(row.expires_at):
        raise NotSignedIn
    return Principal(row.id, row.name, row.superuser)


def known_principal(request: HTTPConnection, resources: Resources) -> Principal | None:
    """Who asks, found without waiting for anybody; None where that cannot be.

    SQLite is asked at once: its readers wait for nobody, and the way to another thread and back takes longer than the
    look (docs/decisions/0021-queue.md). Tokens that nobody used lately are looked up where guesses are counted.
    """
    if not resources.settings.security.authentication or resources.engine.dialect.name != "sqlite":
        return None
    secret = bearer(request)
    if secret is None:
        cookie = request.cookies.get(COOKIE, "")
        row = _row(resources, "cookie", hashed(cookie)) if cookie else None
    else:
        key = hashed(secret)
        row = _row(resources, "token", key) if resources.failed_logins.was_good(key) else None
        if row is not None and wants_mark(row.used_at):
            return None
    if row is None or is_over(row.expires_at):
        return None
    return Principal(row.id, row.name, row.superuser)


def bearer(request: HTTPConnection) -> str | None:
    """The secret in the Authorization header, None without such a header."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else None


def client_address(request: HTTPConnection) -> str:
    """Where a request comes from, as the server was told."""
    return request.client.host if request.client else ""


def sign_in(session: Session, resources: Resources, address: str, secret: str) -> Person:
    """Whom an API token or a launch link signs in; raises NotSignedIn, and TooManyAttempts after too many of those."""
    resources.failed_logins.check(address)
    token = token_with(session, secret)
    person = session.get(Person, token.person_id) if token else person_of_link(session, secret)
    if person is None:
        resources.failed_logins.failed(address)
        raise NotSignedIn("This token is not known; it may be mistyped, revoked or too old.")
    return person


def person_of_cookie(session: Session, secret: str) -> Person | None:
    """Whose browser this is, None for an unknown or expired session."""
    if not secret:
        return None
    found = session.exec(select(WebSession).where(col(WebSession.hashed) == hashed(secret))).one_or_none()
    if found is None or found.expires_at <= utc_now():
        return None
    return session.get(Person, found.person_id)


def open_session(session: Session, person: Person, settings: Settings) -> str:
    """The secret of a new browser session; commits, and clears away those that have expired."""
    secret = new_secret()
    expires = utc_now() + timedelta(days=settings.security.session_days)
    session.execute(delete(WebSession).where(col(WebSession.expires_at) <= utc_now()))
    session.add(WebSession(person_id=person.id or 0, hashed=hashed(secret), expires_at=expires))
    session.commit()
    return secret


def close_session(session: Session, secret: str) -> None:
    """End a browser session."""
    session.execute(delete(WebSession).where(col(WebSession.hashed) == hashed(secret)))
    session.commit()


def set_cookie(response: Response, request: HTTPConnection, settings: Settings, secret: str) -> None:
    """Hand a browser its session: no script can read it, no other site's form can send it."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=round(settings.security.session_days * 86_400),
        httponly=True,
        samesite="lax",
        secure=is_secure(request, settings),
    )


def forget_cookie(response: Response, request: HTTPConnection, settings: Settings) -> None:
    """Have a browser forget its session."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=is_secure(request, settings))


def is_secure(request: HTTPConnection, settings: Settings) -> bool:
    """Whether the browser came by https, maybe to a proxy in front."""
    return request.scope["scheme"] in ("https", "wss") or settings.server.public_url.startswith("https:")


def _of_bearer(resources: Resources, secret: str, address: str) -> Principal:
    logins = resources.failed_logins
    logins.check(address, hashed(secret))
    row = _row(resources, "token", hashed(secret))
    if row is None or is_over(row.expires_at):
        logins.forget(hashed(secret))
        logins.failed(address)
        raise NotSignedIn
    logins.succeeded(hashed(secret))
    if wants_mark(row.used_at):
        # When a token was used is worth knowing, but not worth failing for while the database is busy.
        with suppress(OperationalError), Session(resources.engine) as session:
            mark_used(session, row.token)
    return Principal(row.id, row.name, row.superuser)


def _row(resources: Resources, kind: str, key: str) -> Any:
    def read() -> Any:
        with resources.reading.connect() as connection:
            return connection.execute(_LOOKUPS[kind], {"hashed": key}).one_or_none()

    return resources.fresh.get_small((kind, key), read)


def _owner(resources: Resources) -> Principal:
    # Authentication is off on loopback only, which the server checks before it listens.
    with Session(resources.reading) as session:
        first = session.exec(select(Person).where(col(Person.superuser)).order_by(col(Person.id))).first()
        if first is not None:
            return principal(first)
    with Session(resources.engine) as session:
        return principal(owner(session))
