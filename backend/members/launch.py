"""The link that `selects up` prints, and whether the server may listen where it is told to."""

import ipaddress

from sqlalchemy import delete
from sqlmodel import Session, col, select

from backend.errors import InputError
from backend.members.models import LaunchLink, Person
from backend.members.service import owner
from backend.members.tokens import superuser_with_token
from backend.security import hashed, new_secret
from backend.settings import Settings


def open_launch_link(session: Session, holder: str) -> str:
    """The secret of a link that signs in the first superuser (made here, as `owner`, where there is none).

    `holder` should be the same for every start of what there is one of: the link that a killed one left goes with it.
    """
    person = owner(session)
    secret = new_secret()
    session.execute(delete(LaunchLink).where(col(LaunchLink.holder) == holder))
    session.add(LaunchLink(hashed=hashed(secret), person_id=person.id or 0, holder=holder))
    session.commit()
    return secret


def close_launch_links(session: Session, holder: str) -> None:
    """End the link of a holder; browsers that it signed in stay signed in."""
    session.execute(delete(LaunchLink).where(col(LaunchLink.holder) == holder))
    session.commit()


def person_of_link(session: Session, secret: str) -> Person | None:
    """Whom a launch link signs in, None for an unknown or closed one."""
    link = select(Person).join(LaunchLink, col(LaunchLink.person_id) == col(Person.id))
    return session.exec(link.where(col(LaunchLink.hashed) == hashed(secret))).one_or_none()


def require_safe_binding(settings: Settings, session: Session) -> None:
    """Raise InputError where others could reach a server that lets everybody in, or nobody."""
    require_gate(settings)
    if nobody := nobody_signs_in(settings, session):
        raise InputError(nobody)


def require_gate(settings: Settings) -> None:
    """Raise InputError where others could reach a server that lets everybody in."""
    host = settings.server.host
    if not settings.security.authentication and not is_loopback(host):
        raise InputError(
            f"Authentication is off, so the server listens on this machine only, not on {host!r}; "
            "set SELECTS_SECURITY__AUTHENTICATION=true or SELECTS_SERVER__HOST=127.0.0.1."
        )


def nobody_signs_in(settings: Settings, session: Session) -> str:
    """What to say of a server that others can reach while nobody could sign in; empty where somebody can."""
    host = settings.server.host
    if is_loopback(host) or superuser_with_token(session):
        return ""
    return f"Nobody could sign in to a server on {host!r} yet; make a token with `selects token create --admin`."


def is_loopback(host: str) -> bool:
    """Whether a name or address is that of this machine alone; a name that would have to be looked up is not."""
    bare = host.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(bare.partition("%")[0]).is_loopback
    except ValueError:
        return False
