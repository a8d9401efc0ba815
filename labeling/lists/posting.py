"""Send a body to an address that somebody named: to public machines only, once, with an end to it.

Who may name an address shall not reach with it what only this server can reach. So the name is resolved here, none of
its addresses may be private, and the connection goes to the very address that was looked at; no redirect is followed.
"""

import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, quote, urlsplit

from backend.errors import InputError

CONNECT_S, WHOLE_S = 5.0, 15.0
KEPT_LETTERS = 300
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")
HOW = "the server's SELECTS_SECURITY__WEBHOOK_HOSTS can allow it"


class NotPublic(InputError):
    """This address is not a public one."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, None where nothing did, and the beginning of the answer or what went wrong."""

    status: int | None
    words: str

    @property
    def taken(self) -> bool:
        """Whether the other side has it."""
        return self.status is not None and 200 <= self.status < 300


def require_address(url: str, allowed: Collection[str] = ()) -> SplitResult:
    """The parts of an address that may be written to; raises InputError. What a name means is seen when sending."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise InputError(f"{url!r} is no address; give one like https://example.com/hook.") from None
    if parts.scheme not in PORTS or not host:
        raise InputError(f"{url!r} is no address; give one like https://example.com/hook.")
    if parts.username or parts.password:
        raise InputError("Leave name and password out of the address; what is sent is signed.")
    if host.lower() not in allowed:
        with suppress(ValueError):
            _require_public(host, ip_address(host))
        if host.lower() == "localhost" or host.lower().endswith(".localhost"):
            raise NotPublic(f"{host!r} is this machine; {HOW}.")
    return parts


def post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str] = (), limit_s: float = WHOLE_S
) -> Answer:
    """Send a body. `allowed`: hosts that need not be public. Raises InputError, NotPublic; all else is an answer."""
    parts = require_address(url, allowed)
    host = (parts.hostname or "").encode("idna").decode()
    port = parts.port or PORTS[parts.scheme]
    try:
        opened = _connected(host, port, parts.scheme == "https", allowed)
        with closing(HTTPConnection(host, port)) as connection, _ended(opened, limit_s):
            connection.sock = opened
            if isinstance(opened, ssl.SSLSocket):
                opened.do_handshake()
            connection.request("POST", _target(parts), body, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, _plain(answer.read(4 * KEPT_LETTERS).decode(errors="replace"))[:KEPT_LETTERS])
    except TimeoutError:
        return Answer(None, f"It did not answer within {limit_s:g} seconds.")
    except ssl.SSLCertVerificationError as problem:
        return Answer(None, f"Its certificate is not valid: {problem.verify_message}.")
    except (OSError, HTTPException) as problem:
        return Answer(None, f"It could not be reached: {_reason(problem)}.")


@contextmanager
def _ended(opened: socket.socket, limit_s: float) -> Iterator[None]:
    """A block in which the other side has so long, however slowly it speaks; raises TimeoutError."""
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)

    ending = threading.Timer(limit_s, end)
    ending.daemon = True
    ending.start()
    try:
        yield
    except (OSError, HTTPException, ValueError):  # the last from a secure socket that is read when it was ended
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        ending.cancel()


def _connected(host: str, port: int, secure: bool, allowed: Collection[str]) -> socket.socket:
    """A socket to the host; each of its addresses was looked at before. Raises NotPublic, OSError.

    A secure one has not shaken hands: that, too, shall have an end.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    places = [place[:2] for *_, place in found]
    if host.lower() not in allowed:
        for place in places:
            _require_public(host, ip_address(str(place[0]).partition("%")[0]))
    opened = socket.create_connection((str(places[0][0]), port), timeout=CONNECT_S)
    opened.settimeout(None)  # the whole of it has an end
    if not secure:
        return opened
    return ssl.create_default_context().wrap_socket(opened, server_hostname=host, do_handshake_on_connect=False)


def _require_public(host: str, address: IPv4Address | IPv6Address) -> None:
    """Raise NotPublic for private, loopback, link-local, multicast and reserved addresses, also inside of others."""
    inside = getattr(address, "ipv4_mapped", None) or address
    hidden = isinstance(inside, IPv6Address) and (inside.sixtofour or inside.teredo or inside in NAT64)
    if hidden or not inside.is_global or inside.is_multicast or inside.is_reserved or inside.is_unspecified:
        raise NotPublic(f"{host!r} is at {address}, which is not a public address; {HOW}.")


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{path}?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else path


def _plain(said: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())


def _reason(problem: Exception) -> str:
    said = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    return _plain(said).rstrip(".").lower()[:KEPT_LETTERS]
